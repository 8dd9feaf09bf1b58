"""What is on record about subjects beside their choices (C4)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from services.chassis.refusals import Refusal
from services.consent.domain.outcomes import Imported, Rejected, rejected
from services.consent.domain.state_changes import StateChange, subject_after, subject_described
from services.consent.domain.subjects import Facts, Subject
from services.consent.domain.withdrawals import of_facts
from services.consent.storage.codec import encode_countries, encode_notices, signed
from services.consent.storage.head import Part, advance, read_head
from services.consent.storage.states import read_subjects, write_subjects
from services.consent.storage.tables import TABLES
from services.consent.storage.withdrawals import record_withdrawals

_SUBJECTS = TABLES["subjects"]
DESCRIBED = 0
"""The kind of a record that describes the whole subject; others are a `ChangeKind`."""


class Description(NamedTuple):
    """A subject as the platform has it."""

    facts: Facts
    as_of_us: int | None
    """By the platform's clock; None is now."""


class Row(NamedTuple):
    """A line of an import about a subject."""

    line: int
    subject_id: int
    said: Description | StateChange


def import_rows(connection: Connection, rows: Sequence[Row], now_us: int, by: str) -> Imported:
    """Records the rows that say something new, in their order."""
    stored = read_subjects(connection, {row.subject_id for row in rows})
    changed: dict[int, Subject] = {}
    fresh: list[tuple[Row, Facts | None, Facts]] = []
    refused: list[Rejected] = []
    for row in rows:
        subject = changed.get(row.subject_id) or stored.subjects.get(row.subject_id) or Subject()
        try:
            after = _after(subject, row.said, now_us)
        except Refusal as refusal:
            refused.append(rejected(row.line, refusal))
            continue
        if after is not None and after.facts is not None:
            changed[row.subject_id] = after
            fresh.append((row, subject.facts, after.facts))
    unchanged = len(rows) - len(fresh) - len(refused)
    if not fresh:
        return Imported(0, unchanged, tuple(refused), read_head(connection))
    taken = advance(connection, len(fresh), now_us, Part.SUBJECTS)
    numbered = list(enumerate(fresh, start=taken.before.number + 1))
    stamp = {"recorded_us": taken.at_us, "recorded_by": by}
    inserts = [_row(number, row, facts, now_us) | stamp for number, (row, _, facts) in numbered]
    connection.execute(insert(_SUBJECTS), inserts)
    found = ((number, of_facts(row.subject_id, before, after)) for number, (row, before, after) in numbered)
    record_withdrawals(connection, {number: each for number, each in found if each}, taken.at_us)
    write_subjects(connection, changed, stored, taken, len(fresh))
    return Imported(len(fresh), unchanged, tuple(refused), taken.last(len(fresh)))


def _after(subject: Subject, said: Description | StateChange, now_us: int) -> Subject | None:
    if isinstance(said, Description):
        return subject_described(subject, said.facts, said.as_of_us, now_us)
    return subject_after(subject, said, now_us)


def _row(revision: int, row: Row, facts: Facts, now_us: int) -> dict[str, Any]:
    said = row.said
    kind, occurred_us = (
        (DESCRIBED, said.as_of_us)
        if isinstance(said, Description)
        else (
            int(said.kind),
            said.occurred_us,
        )
    )
    return {
        "revision": revision,
        "subject_id": signed(row.subject_id),
        "jurisdiction": facts.jurisdiction,
        "states": facts.states,
        "notices": encode_notices(facts.notices),
        "withheld": encode_countries(facts.withheld),
        "kind": kind,
        "occurred_us": now_us if occurred_us is None else occurred_us,
    }
