"""OTLP JSON lines: what is written is what the official encoder would send."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from services.chassis import otlp_lines
from services.chassis.otlp_lines import OtlpLines, encode


def some_spans() -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "echo", "ratio": 0.5}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("sluice")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER) as outer:
        outer.set_attributes({"count": 2**60, "yes": True, "half": 0.5, "words": ["a", "b"], "name": "x"})
        with tracer.start_as_current_span("inner", kind=SpanKind.CLIENT) as inner:
            inner.add_event("half way", {"left": 3})
            inner.set_status(Status(StatusCode.ERROR, "NOT_READY"))
    return list(memory.get_finished_spans())


def parsed(encoded: dict[str, Any]) -> TracesData:
    def to_base64(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: base64.b64encode(bytes.fromhex(value)).decode()
                if key in ("traceId", "spanId", "parentSpanId")
                else to_base64(value)
                for key, value in node.items()
            }
        return [to_base64(each) for each in node] if isinstance(node, list) else node

    return json_format.ParseDict(to_base64(encoded), TracesData())


def test_a_line_says_what_the_official_encoder_says() -> None:
    spans = some_spans()
    expected = TracesData(resource_spans=encode_spans(spans).resource_spans)
    for span in expected.resource_spans[0].scope_spans[0].spans:
        span.ClearField("flags")

    assert parsed(encode(spans)) == expected


def test_each_export_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "traces" / "echo.jsonl"
    exporter = OtlpLines(path)

    results = [exporter.export(some_spans()), exporter.export([]), exporter.export(some_spans())]
    exporter.shutdown()

    assert results == [SpanExportResult.SUCCESS] * 3
    names = [
        [span["name"] for span in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]]
        for line in path.read_text().splitlines()
    ]
    assert names == [["inner", "outer"]] * 2


def test_a_full_file_is_kept_once_and_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_lines, "LARGEST_FILE_BYTES", 100)
    exporter = OtlpLines(tmp_path / "echo.jsonl")

    for _ in range(3):
        exporter.export(some_spans())
    exporter.shutdown()

    assert len((tmp_path / "echo.previous.jsonl").read_text().splitlines()) == 1
    assert (tmp_path / "echo.jsonl").read_text() == ""


def test_a_full_disk_loses_spans_and_nothing_else() -> None:
    exporter = OtlpLines(Path("/dev/full"))

    assert exporter.export(some_spans()) is SpanExportResult.FAILURE
