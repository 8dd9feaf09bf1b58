"""A collector that speaks the real OTLP over gRPC and keeps what it is sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as pb_grpc
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True)
class CollectedSpan:
    """A span and the service that sent it."""

    service: str
    span: trace_pb2.Span


class Collector(pb_grpc.TraceServiceServicer):
    """Every span that came."""

    def __init__(self) -> None:
        self.address = ""
        self._spans: list[CollectedSpan] = []
        self._more = asyncio.Event()

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        for resource in request.resource_spans:
            service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            for scope in resource.scope_spans:
                self._spans += [CollectedSpan(service, span) for span in scope.spans]
        self._more.set()
        return pb.ExportTraceServiceResponse()

    async def trace(self, trace_id: str, spans: int) -> list[CollectedSpan]:
        """The spans of a trace, as soon as there are so many."""
        while True:
            self._more.clear()
            found = [each for each in self._spans if each.span.trace_id.hex() == trace_id]
            if len(found) >= spans:
                return found
            await asyncio.wait_for(self._more.wait(), timeout=30)


@contextlib.asynccontextmanager
async def a_collector() -> AsyncIterator[Collector]:
    """A collector that is listening at `address`."""
    collector, server = Collector(), grpc.aio.server()
    # Generated without annotations.
    add: Any = pb_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
