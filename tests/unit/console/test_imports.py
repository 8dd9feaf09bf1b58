"""Imports of files: chunk by chunk, with patience, and with every row accounted for."""

import pytest

from services.chassis.refusals import Kind, Refusal, unavailable
from services.console.imports import Rows, import_chunks
from services.console.rows import BadRow, Chunk
from sluice.consent.v1.consent_service_pb2 import ImportSubjectsResponse
from sluice.consent.v1.rejection_pb2 import RejectedRow
from sluice.consent.v1.subject_pb2 import Subject
from sluice.type.v1.revision_pb2 import Revision


def a_chunk(*lines: int, bad: list[BadRow] | None = None) -> Chunk[Subject]:
    return Chunk(rows=[(line, Subject(subject_id=line)) for line in lines], bad=bad or [])


class Consent:
    """Takes every row but those of line 3; refuses each request as often as told first."""

    def __init__(self, *refusals: Refusal) -> None:
        self.lines: list[int] = []
        self._refusals = list(refusals)

    async def __call__(self, rows: Rows[Subject]) -> ImportSubjectsResponse:
        if self._refusals:
            raise self._refusals.pop(0)
        self.lines += [line for line, _ in rows]
        rejected = [RejectedRow(line=3, reason="BAD", message="bad")] if 3 in self.lines[-len(rows) :] else []
        return ImportSubjectsResponse(
            accepted=len(rows) - len(rejected), rejected=rejected, revision=Revision(number=len(self.lines))
        )


def busy() -> Refusal:
    return Refusal(Kind.EXHAUSTED, "OVERLOADED", "too much at once", retry_after_us=1)


async def test_chunks_are_sent_in_order_and_every_row_is_accounted_for() -> None:
    consent = Consent()
    chunks = [a_chunk(2, 3), a_chunk(5, bad=[BadRow(4, "CELL_MALFORMED", "no")]), a_chunk()]

    totals = await import_chunks(chunks, consent)

    assert consent.lines == [2, 3, 5]
    assert totals.accepted == 2
    assert [(row.line, row.reason) for row in totals.bad] == [(3, "BAD"), (4, "CELL_MALFORMED")]
    assert totals.revision == 3


async def test_a_busy_service_is_asked_again_when_it_said() -> None:
    consent = Consent(busy(), busy())

    totals = await import_chunks([a_chunk(2)], consent)

    assert consent.lines == [2]
    assert totals.accepted == 1


async def test_any_other_refusal_ends_the_import() -> None:
    consent = Consent(unavailable("DATABASE_UNAVAILABLE", "out of reach"))

    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await import_chunks([a_chunk(2)], consent)

    assert consent.lines == []


async def test_progress_is_told_in_bytes_of_the_file() -> None:
    told: list[int] = []
    chunks = [a_chunk(2), a_chunk(3)]
    chunks[0].bytes_read, chunks[1].bytes_read = 10, 25

    await import_chunks(chunks, Consent(), told.append)

    assert told == [10, 25]
