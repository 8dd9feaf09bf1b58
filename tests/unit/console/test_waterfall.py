"""Traces: found in files of OTLP JSON lines, and drawn."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from services.console import moments
from services.console.decisions import trace_of
from services.console.traces import Span, find_trace
from services.console.waterfall import arrange, bar, draw, label, short_name
from sluice.licensing.v1 import release_service_pb2 as pb

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"


def a_span(**changes: Any) -> Span:
    fields: dict[str, Any] = {
        "service": "licensing",
        "span_id": "a1",
        "parent_id": "",
        "name": "sluice.licensing.v1.ReleaseService/Decide",
        "start_ns": 1_000_000,
        "end_ns": 9_000_000,
        "status": 0,
        "message": "",
        "attributes": {},
    }
    return Span(**(fields | changes))


def a_line(trace_id: str, span_id: str, service: str = "consent", **changes: Any) -> str:
    span = {
        "traceId": trace_id,
        "spanId": span_id,
        "name": "work",
        "startTimeUnixNano": "5",
        "endTimeUnixNano": "9",
        "attributes": [{"key": "outcome", "value": {"stringValue": "partial"}}],
        "status": {"code": 2, "message": "no room"},
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": [span | changes]}]}]}
    )


def test_a_trace_is_gathered_from_the_files_of_all_services(tmp_path: Path) -> None:
    (tmp_path / "consent.jsonl").write_text(
        a_line(TRACE, "b1") + "\n" + a_line(OTHER, "b2") + "\n", encoding="utf-8"
    )
    (tmp_path / "licensing.jsonl").write_text(
        a_line(TRACE, "a1", "licensing", startTimeUnixNano="3") + "\n", encoding="utf-8"
    )

    spans = find_trace(tmp_path, TRACE)

    assert [(span.service, span.span_id) for span in spans] == [("licensing", "a1"), ("consent", "b1")]
    assert spans[1].attributes == {"outcome": "partial"}
    assert (spans[1].status, spans[1].message) == (2, "no room")


def test_a_torn_line_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "consent.jsonl").write_text(
        f'{a_line(TRACE, "b1")[:-9]}\n["{TRACE}"]\n{a_line(TRACE, "b2")}\n', encoding="utf-8"
    )

    assert [span.span_id for span in find_trace(tmp_path, TRACE)] == ["b2"]


def test_a_trace_that_is_not_there_has_no_spans(tmp_path: Path) -> None:
    assert find_trace(tmp_path, TRACE) == []
    assert find_trace(tmp_path / "absent", TRACE) == []


def test_values_of_every_kind_become_text(tmp_path: Path) -> None:
    attributes = [
        {"key": "n", "value": {"intValue": "12"}},
        {"key": "b", "value": {"boolValue": True}},
        {"key": "l", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "x"}]}}},
    ]
    (tmp_path / "x.jsonl").write_text(a_line(TRACE, "b1", attributes=attributes), encoding="utf-8")

    [span] = find_trace(tmp_path, TRACE)

    assert span.attributes == {"n": "12", "b": "True", "l": "1, x"}


def test_spans_stand_under_their_parents_in_the_order_of_their_starts() -> None:
    spans = [
        a_span(span_id="late", parent_id="root", start_ns=7),
        a_span(span_id="orphan", parent_id="lost", start_ns=8),
        a_span(span_id="early", parent_id="root", start_ns=3),
        a_span(span_id="inner", parent_id="early", start_ns=9),
        a_span(span_id="root", start_ns=2),
    ]

    lines = arrange(spans)

    assert [(line.span.span_id, line.depth, line.offset_ns) for line in lines] == [
        ("root", 0, 0),
        ("early", 1, 1),
        ("inner", 2, 7),
        ("late", 1, 5),
        ("orphan", 0, 6),
    ]


def test_spans_whose_parents_form_a_circle_are_drawn_from_the_earliest_on() -> None:
    spans = [
        a_span(span_id="root", start_ns=2),
        a_span(span_id="b", parent_id="a", start_ns=5),
        a_span(span_id="a", parent_id="b", start_ns=4),
        a_span(span_id="own parent", parent_id="own parent", start_ns=3),
        a_span(span_id="below", parent_id="b", start_ns=6),
    ]

    lines = arrange(spans)

    assert [(line.span.span_id, line.depth) for line in lines] == [
        ("root", 0),
        ("own parent", 0),
        ("a", 0),
        ("b", 1),
        ("below", 2),
    ]


def test_spans_that_were_written_twice_are_drawn_once_however_deep_they_lie() -> None:
    chain = [a_span(span_id=str(depth), parent_id=str(depth - 1), start_ns=depth) for depth in range(14)]

    lines = arrange([*chain, *chain])

    assert [(line.span.span_id, line.depth) for line in lines] == [(str(depth), depth) for depth in range(14)]


async def test_the_command_counts_and_draws_a_span_once(tmp_path: Path) -> None:
    twice = f"{a_line(TRACE, 'b1', parentSpanId='b2')}\n{a_line(TRACE, 'b2', parentSpanId='b1')}\n" * 2
    (tmp_path / "consent.jsonl").write_text(twice, encoding="utf-8")
    decision = pb.Decision(trace_id=TRACE, decided_at=moments.read("2026-01-31T12:00:00Z"))
    console = Console(width=160, record=True, force_terminal=False)

    spans = await trace_of(decision, tmp_path)
    console.print(draw(spans, width=8))

    assert [span.span_id for span in spans] == ["b1", "b2"]
    assert console.export_text().count("████████") == 2


@pytest.mark.parametrize(
    ("offset", "duration", "drawn"),
    [
        (0, 100, "██████████"),
        (0, 0, "█         "),
        (50, 25, "     ███  "),
        (99, 1, "         █"),
        (100, 0, "         █"),
    ],
)
def test_a_bar_stands_where_the_work_was(offset: int, duration: int, drawn: str) -> None:
    assert bar(offset, duration, 100, 10) == drawn


def test_a_trace_of_no_length_is_all_bar() -> None:
    assert bar(0, 0, 0, 4) == "████"


def test_an_rpc_is_named_without_its_package() -> None:
    assert short_name("sluice.licensing.v1.ReleaseService/Decide") == "ReleaseService/Decide"
    assert short_name("conclude") == "conclude"


def test_work_of_a_database_is_told_by_who_asked_for_it() -> None:
    asked_by = {"code.function.name": "services.licensing.storage.ledger.LedgerStore.read"}

    assert label(a_span(name="read licensing", attributes=asked_by)) == "read licensing: LedgerStore.read"
    assert label(a_span()) == "ReleaseService/Decide"


def test_the_drawing_shows_service_time_error_and_own_attributes() -> None:
    spans = [
        a_span(attributes={"sluice.outcome": "PARTIAL", "rpc.method": "x", "sluice.posts_asked": "9"}),
        a_span(
            service="metering",
            span_id="m1",
            parent_id="a1",
            name="sluice.metering.v1.MeteringService/Reserve",
            start_ns=5_000_000,
            end_ns=7_000_000,
            status=2,
            message="database unavailable",
            attributes={"error.type": "UNAVAILABLE"},
        ),
    ]
    console = Console(width=160, record=True, force_terminal=False)

    console.print(draw(spans, width=8))

    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines[1:] == [
        "licensing  ReleaseService/Decide       0.00  ████████  8.00",
        "metering     MeteringService/Reserve   4.00      ██    2.00  error",
        "  licensing ReleaseService/Decide: outcome PARTIAL, posts_asked 9",
        "  metering MeteringService/Reserve: UNAVAILABLE, database unavailable",
    ]
