"""Recalls in SQL as licensees and operators meet them: issued ones, and what was answered to them."""

from collections.abc import Callable, Sequence, Set
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Row, bindparam, func, select, true, update

from services.chassis.database import Database
from services.licensing.domain.recalls.reading import OnRecord
from services.licensing.domain.recalls.recalls import (
    Attestation,
    Recall,
    RecallState,
    Resolution,
)
from services.licensing.storage.head import HeadRow, lock_head, positions
from services.licensing.storage.recall_entries import EntryRows
from services.licensing.storage.recall_tables import COLLECTING, RecallRecheckRow, RecallRow

T = TypeVar("T")

_TABLES = RecallRow.metadata.tables
_HEAD = _TABLES[HeadRow.__tablename__]
_RECALLS = _TABLES[RecallRow.__tablename__]
_RECHECKS = _TABLES[RecallRecheckRow.__tablename__]

_ISSUED = _RECALLS.c.number.is_not(None)
_RECALL = select(_RECALLS).where(_RECALLS.c.recall_id == bindparam("recall_id"), _ISSUED)
_NEXT = select(_HEAD.c.next_recall)


class RecallAnswerRows(EntryRows):
    """Issued recalls inside one transaction."""

    def lock_head(self) -> None:
        """Makes this transaction the only one that writes here, until it ends."""
        lock_head(self._connection)

    def recall(self, recall_id: str) -> Recall | None:
        """An issued recall by its id."""
        row = self._connection.execute(_RECALL, {"recall_id": recall_id}).one_or_none()
        return recall_of(row) if row else None

    def put_answer(self, recall: Recall) -> None:
        """Writes what an answer changes; the head is locked."""
        named = _RECALLS.c.recall_id == recall.recall_id
        self._connection.execute(update(_RECALLS).where(named), _answer_columns(recall))

    def recalls(
        self, licensee_id: str | None, states: Set[RecallState], below: int, limit: int
    ) -> Sequence[Recall]:
        """Issued recalls below a place, newest first, in these states or any; of one licensee, or all.

        A place is a recall's number among those of its licensee; or among all recalls, where it is about all.
        """
        place, theirs = _places(licensee_id)
        page = select(_RECALLS).where(theirs, place < below)
        if states:
            page = page.where(_RECALLS.c.state.in_(sorted(states)))
        rows = self._connection.execute(page.order_by(place.desc()).limit(limit))
        return [recall_of(row) for row in rows]

    def recalls_after(self, licensee_id: str | None, after: int, limit: int) -> tuple[Sequence[Recall], int]:
        """Issued recalls above a place, oldest first, and the newest place there is (0: none)."""
        place, theirs = _places(licensee_id)
        page = select(_RECALLS).where(theirs, place > after)
        rows = self._connection.execute(page.order_by(place).limit(limit))
        return [recall_of(row) for row in rows], self._newest(licensee_id)

    def _newest(self, licensee_id: str | None) -> int:
        if licensee_id is None:
            return newest_number(self._connection)
        place, theirs = _places(licensee_id)
        return self._connection.execute(select(func.max(place)).where(theirs)).scalar_one() or 0

    def on_record(self) -> OnRecord:
        """The positions, and what is still under way."""
        fence, scanned = positions(self._connection)
        collecting = select(func.count()).select_from(_RECALLS).where(COLLECTING)
        checked = select(func.count()).select_from(_RECHECKS).where(_RECHECKS.c.done_at_us.is_(None))
        return OnRecord(
            fence=fence,
            scanned=scanned,
            rechecks_open=self._connection.execute(checked).scalar_one(),
            recalls_collecting=self._connection.execute(collecting).scalar_one(),
        )


class RecallAnswerStore:
    """Recalls in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[RecallAnswerRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(RecallAnswerRows(connection)))

    async def read(self, query: Callable[[RecallAnswerRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises."""
        return await self._database.read(lambda connection: query(RecallAnswerRows(connection)))

    async def recalls_after(
        self, licensee_id: str | None, after: int, limit: int
    ) -> tuple[Sequence[Recall], int]:
        """As of the rows, on one snapshot; nothing in it can be lost by a failover."""

        def query(connection: Connection) -> tuple[Sequence[Recall], int]:
            return RecallAnswerRows(connection).recalls_after(licensee_id, after, limit)

        page, newest = await self._database.read(query)
        if newest <= after:
            return page, newest
        # A number that was shown and lost would be given again, and whoever keeps it would miss that recall.
        # Confirmed only where there is news, for that may take a commit, and there may be many who look.
        return await self._database.read(query, confirmed=True)


def _places(licensee_id: str | None) -> tuple[Column[Any], ColumnElement[bool]]:
    """What tells the order of a licensee's recalls, or of all (None), and which these are."""
    if licensee_id is None:
        return _RECALLS.c.number, true()
    return _RECALLS.c.licensee_number, _RECALLS.c.licensee_id == licensee_id


def newest_number(connection: Connection) -> int:
    """Of the recall that was issued last; 0 where none was."""
    return int(connection.execute(_NEXT).scalar_one_or_none() or 1) - 1


def recall_of(row: Row[Any]) -> Recall:
    """A row of the table of recalls."""
    return Recall(
        recall_id=row.recall_id,
        licensee_id=row.licensee_id,
        state=RecallState(row.state),
        collecting_since_us=row.collecting_since_us,
        withdrawals=row.withdrawals,
        posts=row.posts,
        number=row.licensee_number,
        place=row.number,
        issued_at_us=row.issued_at_us,
        due_at_us=row.due_at_us,
        acknowledged_at_us=row.acknowledged_at_us,
        overdue_at_us=row.overdue_at_us,
        resolution=_resolution_of(row),
    )


def _resolution_of(row: Row[Any]) -> Resolution | None:
    if row.outcome is None:
        return None
    digest = b"" if row.document_digest is None else bytes(row.document_digest)
    attestation = Attestation(row.attested_name, row.attested_role, row.statement, digest)
    return Resolution(RecallState(row.outcome), attestation, row.resolved_at_us, row.resolved_by)


def _answer_columns(recall: Recall) -> dict[str, object]:
    standing: dict[str, object] = {
        "state": int(recall.state),
        "acknowledged_at_us": recall.acknowledged_at_us,
        "overdue_at_us": recall.overdue_at_us,
    }
    if (resolution := recall.resolution) is None:
        return standing
    attestation = resolution.attestation
    return standing | {
        "outcome": int(resolution.outcome),
        "attested_name": attestation.name,
        "attested_role": attestation.role,
        "statement": attestation.statement,
        "document_digest": attestation.document_digest or None,
        "resolved_at_us": resolution.resolved_at_us,
        "resolved_by": resolution.resolved_by,
    }
