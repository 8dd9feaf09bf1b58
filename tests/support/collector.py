"""A collector that speaks the real OTLP over gRPC and keeps what it is sent, on threads of its own.

A test that is busy itself does not hold it up: exporters wait for some seconds only.
"""

import contextlib
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as pb_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.support.waiting import until

THREADS = 8


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

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        for resource in request.resource_spans:
            service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            for scope in resource.scope_spans:
                self._spans += [CollectedSpan(service, span) for span in scope.spans]
        return pb.ExportTraceServiceResponse()

    def names(self) -> list[str]:
        """Of all spans that have come so far."""
        return [each.span.name for each in self._spans]

    def collected(self, trace_id: str) -> list[CollectedSpan]:
        """The spans of a trace that have come so far."""
        return [each for each in self._spans if each.span.trace_id.hex() == trace_id]

    async def trace(self, trace_id: str, spans: int) -> list[CollectedSpan]:
        """The spans of a trace, as soon as there are so many."""
        await until(lambda: len(self.collected(trace_id)) >= spans, f"{spans} spans have come", 0.05)
        return self.collected(trace_id)

    def end(self) -> None:
        """Lets go whatever call is still here."""


class Hanging(Collector):
    """One that takes every call and answers none."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = threading.Event()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._ended.wait()
        return pb.ExportTraceServiceResponse()

    def end(self) -> None:
        self._ended.set()


@contextlib.asynccontextmanager
async def a_collector(
    collector: Collector | None = None, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[Collector]:
    """A collector that is listening at `address`, over TLS with `credentials`.

    At its end its connections are cut.
    """
    collector, server = collector or Collector(), grpc.server(ThreadPoolExecutor(THREADS))
    # Generated without annotations.
    add: Any = pb_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    listen = "127.0.0.1:0"
    port = server.add_secure_port(listen, credentials) if credentials else server.add_insecure_port(listen)
    collector.address = f"127.0.0.1:{port}"
    server.start()
    try:
        yield collector
    finally:
        collector.end()
        server.stop(None).wait()
