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

from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class CollectedSpan:
    """A span and the service that sent it."""

    service: str
    span: trace_pb2.Span

    def attribute(self, key: str) -> str:
        """A string of its attributes; "" where it has none of this name."""
        return next((each.value.string_value for each in self.span.attributes if each.key == key), "")


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

    def collected(self, trace_id: str) -> list[CollectedSpan]:
        """The spans of a trace that have come so far."""
        return [each for each in self._spans if each.span.trace_id.hex() == trace_id]

    async def trace(self, trace_id: str, spans: int) -> list[CollectedSpan]:
        """The spans of a trace, as soon as there are so many."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(found := self.collected(trace_id)) < spans:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            came = sorted((each.service, each.span.name) for each in found)
            raise AssertionError(f"{len(came)} of {spans} spans have come: {came}") from None
        return found


class Hanging(Collector):
    """One that takes every call and answers none."""

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def a_collector(collector: Collector | None = None) -> AsyncIterator[Collector]:
    """A collector that is listening at `address`; at its end its connections are cut."""
    collector, server = collector or Collector(), grpc.aio.server()
    # Generated without annotations.
    add: Any = pb_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
