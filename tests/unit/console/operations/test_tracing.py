"""The trace of a decision on a page."""

from pathlib import Path
from typing import Any

from services.console import moments
from services.console.operations.tracing import SCALE, Traces, bars_of
from services.console.traces import ERROR, OK, Span
from sluice.licensing.v1 import release_service_pb2 as pb

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOW_US = moments.read("2026-01-31T12:00:00Z").ToMicroseconds()


def a_span(span_id: str, parent_id: str, start_ns: int, end_ns: int, **fields: Any) -> Span:
    usual: dict[str, Any] = {"service": "licensing", "status": OK, "message": "", "attributes": {}}
    return Span(
        span_id=span_id,
        parent_id=parent_id,
        name="work",
        start_ns=start_ns,
        end_ns=end_ns,
        **(usual | fields),
    )


def a_decision(age_us: int = 10_000_000, trace_id: str = TRACE) -> pb.Decision:
    return pb.Decision(trace_id=trace_id, decided_at=moments.from_us(NOW_US - age_us))


def test_bars_lie_where_their_spans_do() -> None:
    bars = bars_of([a_span("a", "", 0, 1000), a_span("b", "a", 250, 500, service="consent")])

    assert [(bar.depth, bar.begin, bar.length, bar.colour) for bar in bars] == [
        (0, 0, SCALE, 0),
        (1, SCALE // 4, SCALE // 4, 1),
    ]


def test_a_bar_is_seen_however_short_its_span_is_and_never_leaves_the_drawing() -> None:
    bars = bars_of([a_span("a", "", 0, 10**9), a_span("b", "a", 10**9, 10**9)])

    assert [(bar.begin, bar.length) for bar in bars] == [(0, SCALE), (SCALE - 1, 1)]


def test_a_span_that_failed_is_marked_and_says_why() -> None:
    (bar,) = bars_of([a_span("a", "", 0, 5, status=ERROR, message="consent did not answer")])

    assert bar.is_failed
    assert "consent did not answer" in bar.remarks


async def test_a_decision_outside_of_any_trace_has_none(tmp_path: Path) -> None:
    assert (await Traces(tmp_path, "").look(a_decision(trace_id=""), NOW_US)).trace_id == ""


async def test_what_is_not_there_is_not_made_up(tmp_path: Path) -> None:
    late = await Traces(tmp_path, "").look(a_decision(), NOW_US)
    early = await Traces(tmp_path, "").look(a_decision(age_us=1), NOW_US)

    assert (late.bars, late.is_kept_here, late.is_early) == ([], True, False)
    assert early.is_early


async def test_files_that_cannot_be_read_are_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "consent.jsonl").mkdir()

    assert (await Traces(tmp_path, "").look(a_decision(), NOW_US)).is_unreadable


async def test_traces_that_are_elsewhere_are_linked_to() -> None:
    trace = await Traces(None, "https://traces.example/{trace_id}").look(a_decision(), NOW_US)

    assert trace.link == f"https://traces.example/{TRACE}"
    assert not trace.is_kept_here
