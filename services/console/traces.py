"""The spans of one trace, found in the OTLP JSON lines that the services of a local installation write.

Traces may be lost or cut short; a line that cannot be read says nothing and stops nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OK, ERROR = 1, 2
"""Status codes of OTLP; 0 is unset."""


@dataclass(frozen=True)
class Span:
    """One piece of work of one service. Times in nanoseconds since the epoch."""

    service: str
    span_id: str
    parent_id: str
    """"" where it has none."""
    name: str
    start_ns: int
    end_ns: int
    status: int
    message: str
    """What a span with an error says about it."""
    attributes: Mapping[str, str]


def find_trace(folder: Path, trace_id: str) -> list[Span]:
    """The spans of a trace in all files of `folder`, by start; none where it is not there.

    One for each id: an exporter that had no answer may have written a span again.
    """
    spans: dict[str, Span] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for span in _spans_in(path, trace_id):
            spans.setdefault(span.span_id, span)
    return sorted(spans.values(), key=lambda span: span.start_ns)


def _spans_in(path: Path, trace_id: str) -> Iterator[Span]:
    with path.open("rb") as file:
        for line in file:
            # Parsing only the lines that may have it makes a large file quick to search.
            if trace_id.encode() in line:
                yield from _spans_of(line, trace_id)


def _spans_of(line: bytes, trace_id: str) -> list[Span]:
    try:
        batch = json.loads(line)
        return [
            _span(span, _service(resource))
            for resource in batch["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
            if span["traceId"] == trace_id
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _span(span: Mapping[str, Any], service: str) -> Span:
    status = span.get("status", {})
    return Span(
        service=service,
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        name=span["name"],
        start_ns=int(span["startTimeUnixNano"]),
        end_ns=int(span["endTimeUnixNano"]),
        status=int(status.get("code", 0)),
        message=status.get("message", ""),
        attributes=_attributes(span.get("attributes", [])),
    )


def _service(resource: Mapping[str, Any]) -> str:
    return _attributes(resource["resource"]["attributes"]).get("service.name", "?")


def _attributes(pairs: list[dict[str, Any]]) -> dict[str, str]:
    return {pair["key"]: _value(pair["value"]) for pair in pairs}


def _value(value: Mapping[str, Any]) -> str:
    if "arrayValue" in value:
        return ", ".join(_value(each) for each in value["arrayValue"].get("values", []))
    return str(next(iter(value.values()), ""))
