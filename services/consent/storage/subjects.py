"""What is on record about subjects beside their choices (C4)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert

from services.consent.domain.changes import Change
from services.consent.domain.outcomes import Imported
from services.consent.domain.subjects import Facts, Subject
from services.consent.storage.codec import encode_notices, signed
from services.consent.storage.head import advance, after, read_head
from services.consent.storage.states import read_subjects, write_subjects
from services.consent.storage.tables import TABLES

_SUBJECTS = TABLES["subjects"]

Row = tuple[int, Facts]
"""Subject id and what is true of them now."""


def import_rows(
    connection: Connection, rows: Sequence[Row], now_us: int, by: str
) -> tuple[Imported, Change | None]:
    """Records the rows that say something new, in their order."""
    stored = read_subjects(connection, {subject_id for subject_id, _ in rows})
    changed: dict[int, Subject] = {}
    fresh: list[Row] = []
    for subject_id, facts in rows:
        subject = changed.get(subject_id) or stored.subjects.get(subject_id) or Subject()
        if subject.facts != facts:
            changed[subject_id] = subject.with_facts(facts)
            fresh.append((subject_id, facts))
    unchanged = len(rows) - len(fresh)
    if not fresh:
        return Imported(0, unchanged, (), read_head(connection)), None
    before = advance(connection, len(fresh))
    inserts = [_row(number, row, now_us, by) for number, row in enumerate(fresh, start=before.number + 1)]
    connection.execute(insert(_SUBJECTS), inserts)
    written = write_subjects(connection, changed, stored)
    change = written.change(before, after(before, len(fresh)))
    return Imported(len(fresh), unchanged, (), change.after), change


def _row(revision: int, row: Row, now_us: int, by: str) -> dict[str, Any]:
    subject_id, facts = row
    return {
        "revision": revision,
        "subject_id": signed(subject_id),
        "jurisdiction": facts.jurisdiction,
        "states": facts.states,
        "notices": encode_notices(facts.notices),
        "recorded_us": now_us,
        "recorded_by": by,
    }
