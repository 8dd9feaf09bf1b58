"""Choices on record, live and imported (C1)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Change, Revision
from services.consent.domain.choices import (
    Choice,
    Draft,
    check_claimed_time,
    check_subject,
    stamp_import,
    stamp_live,
)
from services.consent.domain.outcomes import Imported, Recorded, Rejected, rejected
from services.consent.domain.subjects import Subject
from services.consent.storage.codec import NO_TIME, signed
from services.consent.storage.head import advance, after, read_head
from services.consent.storage.states import chunks, read_subjects, write_subjects
from services.consent.storage.tables import TABLES

_CHOICES = TABLES["choices"]

Row = tuple[int, Draft]
"""Line and choice."""


def record(connection: Connection, draft: Draft, now_us: int, by: str) -> tuple[Recorded, Change]:
    """Records a live choice; raises Refusal SUBJECT_UNKNOWN."""
    subjects = read_subjects(connection, [draft.subject_id])
    subject = subjects.get(draft.subject_id, Subject())
    check_subject(draft, known=subject.facts is not None)
    stated_us = stamp_live(now_us, subject.last_stated_us)
    before = advance(connection, 1)
    choice = Choice(draft.stance, draft.scope, stated_us, before.number + 1)
    connection.execute(insert(_CHOICES), [_row(draft, choice, stated_us, now_us, by)])
    changed = {draft.subject_id: subject.with_choice(choice)}
    return Recorded(after(before, 1), stated_us), _change(connection, before, 1, changed, subjects)


def import_rows(
    connection: Connection, rows: Sequence[Row], now_us: int, by: str
) -> tuple[Imported, Change | None]:
    """Records the rows that can be, in their order; those on record already change nothing."""
    subjects = read_subjects(connection, {draft.subject_id for _, draft in rows})
    taken, refused = _sift(rows, subjects, now_us)
    fresh = _unrecorded(connection, taken)
    unchanged = len(taken) - len(fresh)
    if not fresh:
        return Imported(0, unchanged, refused, read_head(connection)), None
    before = advance(connection, len(fresh))
    changed: dict[int, Subject] = {}
    inserts = []
    for number, draft in enumerate(fresh, start=before.number + 1):
        choice = Choice(draft.stance, draft.scope, stamp_import(draft, now_us), number)
        subject = changed.get(draft.subject_id) or subjects.get(draft.subject_id) or Subject()
        changed[draft.subject_id] = subject.with_choice(choice)
        inserts.append(_row(draft, choice, draft.claimed_us, now_us, by))
    connection.execute(insert(_CHOICES), inserts)
    change = _change(connection, before, len(fresh), changed, subjects)
    return Imported(len(fresh), unchanged, refused, change.after), change


def _sift(
    rows: Sequence[Row], subjects: Mapping[int, Subject], now_us: int
) -> tuple[list[Draft], tuple[Rejected, ...]]:
    taken, refused = [], []
    for line, draft in rows:
        subject = subjects.get(draft.subject_id)
        try:
            check_claimed_time(draft, now_us)
            check_subject(draft, known=subject is not None and subject.facts is not None)
        except Refusal as refusal:
            refused.append(rejected(line, refusal))
        else:
            taken.append(draft)
    return taken, tuple(refused)


def _unrecorded(connection: Connection, drafts: Sequence[Draft]) -> list[Draft]:
    """Those that are not on record; of equal ones the first."""
    recorded: set[tuple[Any, ...]] = set()
    columns = (
        _CHOICES.c.subject_id,
        _CHOICES.c.claimed_us,
        _CHOICES.c.stance,
        _CHOICES.c.licensee,
        _CHOICES.c.purpose,
        _CHOICES.c.notice_digest,
    )
    for some in chunks(sorted({signed(draft.subject_id) for draft in drafts})):
        recorded.update(
            map(tuple, connection.execute(select(*columns).where(_CHOICES.c.subject_id.in_(some))))
        )
    fresh = []
    for draft in drafts:
        if (content := _content(draft)) not in recorded:
            recorded.add(content)
            fresh.append(draft)
    return fresh


def _content(draft: Draft) -> tuple[Any, ...]:
    """What makes two imported rows the same; not the stated time, which may have been clamped."""
    return (
        signed(draft.subject_id),
        NO_TIME if draft.claimed_us is None else draft.claimed_us,
        int(draft.stance),
        draft.scope.licensee,
        draft.scope.purpose,
        draft.notice_digest,
    )


def _row(draft: Draft, choice: Choice, claimed_us: int | None, now_us: int, by: str) -> dict[str, Any]:
    return {
        "revision": choice.revision,
        "subject_id": signed(draft.subject_id),
        "stance": draft.stance,
        "licensee": draft.scope.licensee,
        "purpose": draft.scope.purpose,
        "method": draft.method,
        "notice_digest": draft.notice_digest,
        "claimed_us": NO_TIME if claimed_us is None else claimed_us,
        "stated_us": choice.stated_us,
        "recorded_us": now_us,
        "recorded_by": by,
    }


def _change(
    connection: Connection,
    before: Revision,
    records: int,
    changed: Mapping[int, Subject],
    stored: Collection[int],
) -> Change:
    written = write_subjects(connection, changed, stored)
    return Change(before, after(before, records), written.placement, written.profiles)
