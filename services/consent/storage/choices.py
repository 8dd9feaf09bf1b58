"""Choices on record, live and imported (C1)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, insert

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Revision
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
from services.consent.domain.subjects import Subject, check_not_erased
from services.consent.domain.withdrawals import of_choice
from services.consent.storage.codec import NO_TIME, signed
from services.consent.storage.head import Part, advance, read_head
from services.consent.storage.states import read_subjects, write_subjects
from services.consent.storage.tables import TABLES
from services.consent.storage.withdrawals import record_withdrawals

_CHOICES = TABLES["choices"]
_ADD = insert(_CHOICES)

_CONTENTS_A_STATEMENT = 1_000
_VALUES = 6
# The latest of each by one step in the index, which ends with the stated time.
_LATEST = """
WITH asked (subject_id, claimed_us, stance, licensee, purpose, notice_digest) AS (VALUES {rows})
SELECT subject_id, claimed_us, stance, licensee, purpose, notice_digest, (
    SELECT max(stated_us) FROM choices
    WHERE choices.subject_id = asked.subject_id AND choices.claimed_us = asked.claimed_us
    AND choices.stance = asked.stance AND choices.licensee = asked.licensee
    AND choices.purpose = asked.purpose AND choices.notice_digest = asked.notice_digest
) FROM asked
"""

Row = tuple[int, Draft]
"""Line and choice."""
Content = tuple[int, int, int, str, int, bytes]
"""Subject (signed), claimed time, stance, licensee, purpose and digest of the notice."""


class _Intake:
    """Choices that are taken one after the other, and what they make of their subjects."""

    def __init__(self, connection: Connection, subject_ids: Collection[int]) -> None:
        """Expects the head to be locked, for what a choice comes to depends on its revision."""
        self._connection = connection
        self._stored = read_subjects(connection, subject_ids)
        self._changed: dict[int, Subject] = {}
        self._before = read_head(connection)
        self._taken: list[tuple[Draft, Choice]] = []

    @property
    def accepted(self) -> int:
        """Choices taken so far."""
        return len(self._taken)

    def subject(self, subject_id: int) -> Subject:
        """As of the choices taken so far."""
        return self._changed.get(subject_id) or self._stored.subjects.get(subject_id) or Subject()

    def has_stored(self, subject_id: int) -> bool:
        """Whether there is a state of the subject from before."""
        return subject_id in self._stored.subjects

    def take(self, draft: Draft, stated_us: int) -> None:
        """Takes one more."""
        revision = self._before.number + len(self._taken) + 1
        choice = Choice(draft.stance, draft.scope, stated_us, revision)
        self._changed[draft.subject_id] = self.subject(draft.subject_id).with_choice(choice)
        self._taken.append((draft, choice))

    def take_live(self, draft: Draft, now_us: int) -> int:
        """Takes one that is made now; its stated time. Raises Refusal as `record` does."""
        subject = self.subject(draft.subject_id)
        _check(draft, subject)
        stated_us = stamp_live(now_us, subject.last_stated_us)
        # What is live has no time of its source's: it is on record with the one that it was given.
        self.take(replace(draft, claimed_us=stated_us), stated_us)
        return stated_us

    def write(self, now_us: int, by: str) -> Revision:
        """Records all that was taken; returns the revision after it."""
        if not self._taken:
            return self._before
        taken = advance(self._connection, self.accepted, now_us, Part.SUBJECTS)
        assert taken.before == self._before
        rows = [_row(draft, choice, taken.at_us, by) for draft, choice in self._taken]
        self._connection.execute(_ADD, rows)
        withdrawals = {
            choice.revision: withdrawal
            for draft, choice in self._taken
            if (withdrawal := of_choice(draft.subject_id, choice.stance, choice.scope))
        }
        record_withdrawals(self._connection, withdrawals, taken.at_us)
        write_subjects(self._connection, self._changed, self._stored, taken, self.accepted)
        return taken.last(self.accepted)


def record(connection: Connection, draft: Draft, now_us: int, by: str) -> Recorded:
    """Records a live choice; raises Refusal SUBJECT_UNKNOWN, SUBJECT_ERASED, TOO_MANY_SCOPES."""
    intake = _Intake(connection, [draft.subject_id])
    stated_us = intake.take_live(draft, now_us)
    return Recorded(intake.write(now_us, by), stated_us)


def record_all(
    connection: Connection, drafts: Sequence[Draft], now_us: int, by: str
) -> tuple[Revision, tuple[int, ...]]:
    """Records live choices together; their revision, and that of each. Raises Refusal as `record` does."""
    intake = _Intake(connection, {draft.subject_id for draft in drafts})
    for draft in drafts:
        intake.take_live(draft, now_us)
    revision = intake.write(now_us, by)
    return revision, tuple(range(revision.number - len(drafts) + 1, revision.number + 1))


def import_rows(connection: Connection, rows: Sequence[Row], now_us: int, by: str) -> Imported:
    """Records the rows that can be, in their order; those on record already change nothing."""
    subject_ids = {draft.subject_id for _, draft in rows}
    intake, refused = _Intake(connection, subject_ids), list[Rejected]()
    # Whoever has no state has no choice on record, as nobody has when a platform comes over.
    recorded = _recorded(
        connection, {_content(draft) for _, draft in rows if intake.has_stored(draft.subject_id)}
    )
    for line, draft in rows:
        try:
            stated_us = _stamp(draft, intake.subject(draft.subject_id), recorded.get(_content(draft)), now_us)
        except Refusal as refusal:
            refused.append(rejected(line, refusal))
            continue
        if stated_us is not None:
            recorded[_content(draft)] = stated_us
            intake.take(draft, stated_us)
    revision = intake.write(now_us, by)
    return Imported(intake.accepted, len(rows) - intake.accepted - len(refused), tuple(refused), revision)


def _check(draft: Draft, subject: Subject) -> None:
    check_not_erased(subject)
    check_subject(draft, known=subject.known)
    check_room(draft, subject.choices)


def _stamp(draft: Draft, subject: Subject, recorded_us: int | None, now_us: int) -> int | None:
    """The stated time of an imported choice, None where it changes nothing.

    Raises Refusal STATED_TIME_MISSING, STATED_IN_THE_FUTURE, SUBJECT_UNKNOWN, SUBJECT_ERASED,
    TOO_MANY_SCOPES.
    """
    check_claimed_time(draft, now_us)
    _check(draft, subject)
    if recorded_us is None:
        return stamp_import(draft, now_us)
    return stamp_repeated(draft, recorded_us, subject.choices, now_us)


def _recorded(connection: Connection, contents: Collection[Content]) -> dict[Content, int]:
    """The latest stated time of each of these contents, where it is on record.

    Each is looked up by the index of contents, however long the history of its subject is.
    """
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    one = f"({', '.join([mark] * _VALUES)})"
    rest, recorded = iter(contents), dict[Content, int]()
    while some := list(islice(rest, _CONTENTS_A_STATEMENT)):
        # As text: building a statement with so many values costs more than running it.
        query = _LATEST.format(rows=", ".join([one] * len(some)))
        rows = connection.exec_driver_sql(query, tuple(chain.from_iterable(some)))
        recorded.update((_as_content(row[:-1]), row[-1]) for row in rows if row[-1] is not None)
    return recorded


def _as_content(row: Sequence[Any]) -> Content:
    subject_id, claimed_us, stance, licensee, purpose, notice_digest = row
    return subject_id, claimed_us, stance, licensee, purpose, bytes(notice_digest)


def _content(draft: Draft) -> Content:
    """What makes two imported rows the same; not the stated time, which may have been clamped."""
    return (
        signed(draft.subject_id),
        NO_TIME if draft.claimed_us is None else draft.claimed_us,
        int(draft.stance),
        draft.scope.licensee,
        draft.scope.purpose,
        draft.notice_digest,
    )


def _row(draft: Draft, choice: Choice, at_us: int, by: str) -> dict[str, Any]:
    return {
        "revision": choice.revision,
        "subject_id": signed(draft.subject_id),
        "stance": draft.stance,
        "licensee": draft.scope.licensee,
        "purpose": draft.scope.purpose,
        "method": draft.method,
        "notice_digest": draft.notice_digest,
        "claimed_us": NO_TIME if draft.claimed_us is None else draft.claimed_us,
        "stated_us": choice.stated_us,
        "recorded_us": at_us,
        "recorded_by": by,
    }
