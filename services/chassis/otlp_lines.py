"""Traces as OTLP JSON lines (the file exporter format of OpenTelemetry), for machines without a collector.

One line is one batch of spans. Ids are hexadecimal and 64-bit numbers are strings, as OTLP/JSON wants them.
The file is written by one process; when it is full it is kept once under another name, and older traces are
dropped.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

LARGEST_FILE_BYTES = 64 * 1024 * 1024

_log = structlog.get_logger(__name__)

# SpanKind of the SDK counts from 0 for INTERNAL; OTLP has UNSPECIFIED there.
_KINDS = {kind: kind.value + 1 for kind in SpanKind}


class SpanFile:
    """The file; when the disk is full the spans are lost and nothing else."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def append(self, batch: Mapping[str, Any]) -> bool:
        """Appends a TracesData message in OTLP/JSON as one line; False where it was lost."""
        try:
            self._file.write(json.dumps(batch, separators=(",", ":")) + "\n")
            self._file.flush()
            if self._file.tell() > LARGEST_FILE_BYTES:
                self._start_over()
        except OSError as error:
            _log.warning("spans were lost", error=str(error))
            return False
        return True

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _start_over(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(f"{self._path.stem}.previous{self._path.suffix}"))
        self._file = self._path.open("a", encoding="utf-8")


class OtlpLines(SpanExporter):
    """Appends the spans of this process to a file."""

    def __init__(self, path: Path) -> None:
        self._file = SpanFile(path)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Appends one line, where there are any spans."""
        kept = not spans or self._file.append(encode(spans))
        return SpanExportResult.SUCCESS if kept else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Closes the file."""
        self._file.close()


def encode(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """The spans of one process as a TracesData message in OTLP/JSON."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(spans[0].resource.attributes)},
                "scopeSpans": [{"scope": {"name": "sluice"}, "spans": [_span(span) for span in spans]}],
            }
        ]
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    encoded: dict[str, Any] = {
        "traceId": format_trace_id(context.trace_id),
        "spanId": format_span_id(context.span_id),
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": _status(span),
    }
    if span.parent is not None:
        encoded["parentSpanId"] = format_span_id(span.parent.span_id)
    if span.events:
        encoded["events"] = [
            {
                "timeUnixNano": str(event.timestamp),
                "name": event.name,
                "attributes": _attributes(event.attributes or {}),
            }
            for event in span.events
        ]
    if span.links:
        encoded["links"] = [
            {
                "traceId": format_trace_id(link.context.trace_id),
                "spanId": format_span_id(link.context.span_id),
                "attributes": _attributes(link.attributes or {}),
            }
            for link in span.links
        ]
    return encoded


def _status(span: ReadableSpan) -> dict[str, Any]:
    status: dict[str, Any] = {"code": span.status.status_code.value}
    if span.status.description:
        status["message"] = span.status.description
    return status


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"arrayValue": {"values": [_value(each) for each in value]}}
