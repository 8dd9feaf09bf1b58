"""Takes the spans that Envoy sends (OTLP over gRPC) and writes them where the services write theirs.

For a machine without a collector: the receiver lives in the process that supervises the gateway. Traces may
be lost, calls never: Envoy does not wait for it.
"""

import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as pb_grpc

from services.chassis.otlp_lines import SpanFile
from services.console.installation import HOST

IDS = ("traceId", "spanId", "parentSpanId")
"""Bytes, which OTLP/JSON has in hexadecimal and not, as protobuf's JSON does, in base64."""


class SpanReceiver(pb_grpc.TraceServiceServicer):
    """`opentelemetry.proto.collector.trace.v1.TraceService`."""

    def __init__(self, file: SpanFile) -> None:
        self._file = file

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Appends a line; what cannot be kept is lost."""
        self._file.append(as_lines(request))
        return pb.ExportTraceServiceResponse()


def as_lines(request: Any) -> dict[str, Any]:
    """An ExportTraceServiceRequest in the form of `chassis.otlp_lines`."""
    batch: dict[str, Any] = json_format.MessageToDict(request, use_integers_for_enums=True)
    for resource in batch.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in scope.get("spans", []):
                _spell_ids(span)
                for link in span.get("links", []):
                    _spell_ids(link)
    return batch


@contextlib.asynccontextmanager
async def receiving(path: Path) -> AsyncIterator[str]:
    """A receiver that writes to `path` for as long as the context is open; gives its host:port."""
    file, server = SpanFile(path), grpc.aio.server()
    # Generated without annotations.
    add: Any = pb_grpc.add_TraceServiceServicer_to_server
    add(SpanReceiver(file), server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    try:
        yield f"{HOST}:{port}"
    finally:
        await server.stop(1.0)
        file.close()


def _spell_ids(thing: dict[str, Any]) -> None:
    for name in IDS:
        if name in thing:
            thing[name] = base64.b64decode(thing[name]).hex()
