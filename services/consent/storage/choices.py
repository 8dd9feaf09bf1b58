"""Choices on record, live and imported (C1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, select

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Change, Revision
from services.consent.domain.choices import (
    Choice,
    Draft,
    check_claimed_time,
    check_room,
    check_subject,
    stamp_import,
    stamp_live,
    stamp_repeated,
)
from services.consent.domain.outcomes import Imported, Recorded, Rejected, rejected
from services.consent.domain.subjects import Subject
from services.consent.storage.codec import NO_TIME, signed
from services.consent.storage.head import advance, after
from services.consent.storage.states import Stored, chunks, read_subjects, write_subjects
from services.consent.storage.tables import TABLES

_CHOICES = TABLES["choices"]

Row = tuple[int, Draft]
"""Line and choice."""


def record(connection: Connection, draft: Draft, now_us: int, by: str) -> tuple[Recorded, Change]:
    """Records a live choice; raises Refusal SUBJECT_UNKNOWN, TOO_MANY_SCOPES."""
    stored = read_subjects(connection, [draft.subject_id])
    subject = stored.subjects.get(draft.subject_id, Subject())
    check_subject(draft, known=subject.facts is not None)
    check_room(draft, subject.choices)
    stated_us = stamp_live(now_us, subject.last_stated_us)
    before = advance(connection, 1)
    choice = Choice(draft.stance, draft.scope, stated_us, before.number + 1)
    connection.execute(insert(_CHOICES), [_row(draft, choice, stated_us, now_us, by)])
    changed = {draft.subject_id: subject.with_choice(choice)}
    return Recorded(after(before, 1), stated_us), _change(connection, before, 1, changed, stored)


@dataclass
class _Intake:
    """What an import comes to, row by row."""

    changed: dict[int, Subject] = field(default_factory=dict)
    inserts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)


def import_rows(
    connection: Connection, rows: Sequence[Row], now_us: int, by: str
) -> tuple[Imported, Change | None]:
    """Records the rows that can be, in their order; those on record already change nothing."""
    # Holds the head from here on, for what becomes of a row depends on the revisions of those before it.
    before = advance(connection, 0)
    stored = read_subjects(connection, {draft.subject_id for _, draft in rows})
    recorded = _recorded(connection, {draft.subject_id for _, draft in rows})
    intake = _Intake()
    for line, draft in rows:
        subject = intake.changed.get(draft.subject_id) or stored.subjects.get(draft.subject_id) or Subject()
        try:
            stated_us = _stamp(draft, subject, recorded.get(_content(draft)), now_us)
        except Refusal as refusal:
            intake.refused.append(rejected(line, refusal))
            continue
        if stated_us is not None:
            recorded[_content(draft)] = stated_us
            revision = before.number + len(intake.inserts) + 1
            choice = Choice(draft.stance, draft.scope, stated_us, revision)
            intake.changed[draft.subject_id] = subject.with_choice(choice)
            intake.inserts.append(_row(draft, choice, draft.claimed_us, now_us, by))
    return _take(connection, intake, len(rows), before, stored)


def _take(
    connection: Connection, intake: _Intake, rows: int, before: Revision, stored: Stored
) -> tuple[Imported, Change | None]:
    accepted, refused = len(intake.inserts), tuple(intake.refused)
    imported = Imported(accepted, rows - accepted - len(refused), refused, after(before, accepted))
    if not accepted:
        return imported, None
    advance(connection, accepted)
    connection.execute(insert(_CHOICES), intake.inserts)
    return imported, _change(connection, before, accepted, intake.changed, stored)


def _stamp(draft: Draft, subject: Subject, recorded_us: int | None, now_us: int) -> int | None:
    """The stated time of an imported choice, None where it changes nothing.

    Raises Refusal STATED_TIME_MISSING, STATED_IN_THE_FUTURE, SUBJECT_UNKNOWN, TOO_MANY_SCOPES.
    """
    check_claimed_time(draft, now_us)
    check_subject(draft, known=subject.facts is not None)
    check_room(draft, subject.choices)
    if recorded_us is None:
        return stamp_import(draft, now_us)
    return stamp_repeated(draft, recorded_us, subject.choices, now_us)


def _recorded(connection: Connection, subject_ids: Collection[int]) -> dict[tuple[Any, ...], int]:
    """The latest stated time of each choice on record, by its content."""
    content = (
        _CHOICES.c.subject_id,
        _CHOICES.c.claimed_us,
        _CHOICES.c.stance,
        _CHOICES.c.licensee,
        _CHOICES.c.purpose,
        _CHOICES.c.notice_digest,
    )
    latest = select(*content, func.max(_CHOICES.c.stated_us)).group_by(*content)
    recorded: dict[tuple[Any, ...], int] = {}
    for some in chunks(sorted(map(signed, subject_ids))):
        rows = connection.execute(latest.where(_CHOICES.c.subject_id.in_(some)))
        recorded.update((tuple(row[:-1]), row[-1]) for row in rows)
    return recorded


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
    stored: Stored,
) -> Change:
    return write_subjects(connection, changed, stored).change(before, after(before, records))
