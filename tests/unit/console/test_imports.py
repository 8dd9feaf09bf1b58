"""Imports of files: page by page, with every row accounted for."""

import contextlib
import csv
from pathlib import Path

import pytest
import typer

from services.chassis.refusals import Kind, Refusal, unavailable
from services.console.imports import Destination, Rows, Totals, conclude, import_chunks
from services.console.pages import Calls
from services.console.rows import BadRow, Chunk
from sluice.consent.v1.consent_service_pb2 import ImportSubjectsRequest, ImportSubjectsResponse
from sluice.consent.v1.rejection_pb2 import RejectedRow
from sluice.consent.v1.subject_pb2 import Subject
from sluice.type.v1.revision_pb2 import Revision


def a_chunk(*lines: int, bad: list[BadRow] | None = None, bytes_read: int = 0) -> Chunk[Subject]:
    rows = [(line, Subject(subject_id=line)) for line in lines]
    return Chunk(rows=rows, bad=bad or [], bytes_read=bytes_read)


class Consent:
    """Takes every row but those of line 3; refuses each request as often as told first."""

    def __init__(self, *refusals: Refusal) -> None:
        self.lines: list[int] = []
        self.request_ids: list[str] = []
        self.slept: list[float] = []
        self._refusals = list(refusals)

    def destination(self) -> Destination[Subject]:
        return Destination(self._request, lambda: contextlib.nullcontext(Calls(self._take)))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _request(self, rows: Rows[Subject]) -> ImportSubjectsRequest:
        return ImportSubjectsRequest(
            request_id=f"page of line {rows[0][0]}",
            rows=[ImportSubjectsRequest.Row(line=line, subject=subject) for line, subject in rows],
        )

    async def _take(self, request: ImportSubjectsRequest) -> ImportSubjectsResponse:
        self.request_ids.append(request.request_id)
        if self._refusals:
            raise self._refusals.pop(0)
        lines = [row.line for row in request.rows]
        self.lines += lines
        rejected = [RejectedRow(line=3, reason="BAD", message="bad")] if 3 in lines else []
        return ImportSubjectsResponse(
            accepted=len(lines) - len(rejected), rejected=rejected, revision=Revision(number=len(self.lines))
        )


async def test_chunks_are_sent_in_order_and_every_row_is_accounted_for() -> None:
    consent = Consent()
    chunks = [a_chunk(2, 3), a_chunk(5, bad=[BadRow(4, "CELL_MALFORMED", "no")]), a_chunk()]

    totals = await import_chunks(chunks, consent.destination())

    assert consent.lines == [2, 3, 5]
    assert totals.accepted == 2
    assert [(row.line, row.reason) for row in totals.bad] == [(3, "BAD"), (4, "CELL_MALFORMED")]
    assert totals.revision == 3


async def test_a_busy_service_is_asked_again_when_it_said() -> None:
    busy = Refusal(Kind.EXHAUSTED, "OVERLOADED", "too much at once", retry_after_us=250_000)
    consent = Consent(busy, busy)

    totals = await import_chunks([a_chunk(2)], consent.destination(), sleep=consent.sleep)

    assert consent.lines == [2]
    assert consent.slept == [0.25, 0.25]
    assert totals.accepted == 1


async def test_what_was_not_answered_is_the_same_request_again() -> None:
    consent = Consent(unavailable("COMMIT_UNKNOWN", "who knows"))

    await import_chunks([a_chunk(2), a_chunk(5)], consent.destination(), sleep=consent.sleep)

    assert consent.request_ids == ["page of line 2", "page of line 2", "page of line 5"]


async def test_any_other_refusal_ends_the_import() -> None:
    consent = Consent(Refusal(Kind.FORBIDDEN, "NOT_ADMITTED", "not you"))

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await import_chunks([a_chunk(2)], consent.destination())

    assert consent.lines == []


async def test_progress_is_told_in_bytes_of_the_file() -> None:
    told: list[int] = []
    chunks = [a_chunk(2, bytes_read=10), a_chunk(3, bytes_read=25)]

    await import_chunks(chunks, Consent().destination(), told.append)

    assert told == [10, 25]


def test_every_bad_row_is_written_to_a_file_and_the_exit_code_says_that_there_are_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.csv"
    bad = [BadRow(line, "CELL_MALFORMED", 'stance: "maybe", is not known') for line in range(2, 40)]

    with pytest.raises(typer.Exit) as ended:
        conclude(Totals(accepted=1, bad=bad), "choice", file, as_json=False)

    assert ended.value.exit_code == 1
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[:2] == [
        ["line", "reason", "message"],
        ["2", "CELL_MALFORMED", 'stance: "maybe", is not known'],
    ]
    assert len(rows) == 39
    said = capsys.readouterr()
    assert "1 choice taken, 0 unchanged, 38 rows refused." in said.out
    assert ["line", "reason", "message"] in [line.split() for line in said.out.splitlines()]
    assert f"... and 18 more rows; {file} lists them all." in said.err


def test_a_file_without_bad_rows_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        conclude(Totals(accepted=2), "choice", None, as_json=False)

    assert ended.value.exit_code == 0
    assert "2 choices taken" in capsys.readouterr().out
