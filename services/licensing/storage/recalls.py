"""Recalls in SQL: what is written of them, always while the head is locked."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, TextClause, and_, func, insert, select, update

from services.chassis.database import Database
from services.licensing.domain.answers import Revision
from services.licensing.domain.history import Change
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Ids
from services.licensing.domain.recalls.deleted import Deleted
from services.licensing.domain.recalls.entries import Counted
from services.licensing.domain.recalls.recalls import Recall, RecallState
from services.licensing.domain.recalls.releases import Cargo, Release
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.domain.released import KeyKind
from services.licensing.domain.terms import Terms
from services.licensing.storage.contracts import ContractRows
from services.licensing.storage.head import (
    RECALLS_AN_EPOCH,
    Positions,
    lock_head,
    move_fence,
    move_scanned,
    positions,
    take_recall_number,
)
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.recall_parts import PartRows, of_withdrawal
from services.licensing.storage.recall_reads import (
    cargoes_of,
    deleted_of,
    releases_of,
    releases_to,
    terms_of,
)
from services.licensing.storage.recall_tables import (
    COLLECTING,
    OVERDUE,
    UNRESOLVED,
    RecallEntryRow,
    RecallLicenseRow,
    RecallRecheckRow,
    RecallRow,
)
from services.licensing.storage.rechecks import RecheckRows
from services.licensing.storage.release_index import find

T = TypeVar("T")

_TABLES = RecallRow.metadata.tables
_RECALLS = _TABLES[RecallRow.__tablename__]
_LICENSES = _TABLES[RecallLicenseRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_ENTRIES = _TABLES[RecallEntryRow.__tablename__]
_RECHECKS = _TABLES[RecallRecheckRow.__tablename__]

# The first part of what a recheck has found is put into a recall before the others.
_FILLED = (
    select(_ENTRIES.c.part)
    .join(
        _RECHECKS,
        and_(
            _RECHECKS.c.consent_epoch == _ENTRIES.c.consent_epoch,
            _RECHECKS.c.revision == _ENTRIES.c.revision,
            _RECHECKS.c.licensee_id == _ENTRIES.c.licensee_id,
        ),
    )
    .where(_RECHECKS.c.done_at_us.is_(None), _ENTRIES.c.part == 0)
    .where(_ENTRIES.c.recall_id == _RECALLS.c.recall_id)
)


class RecallRows(PartRows, RecheckRows):
    """Recalls, their entries and rechecks, and the positions in the stream, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._contracts = ContractRows(connection)

    def lock_head(self) -> int:
        """Makes this transaction the only one that writes here; the latest cut-off that was billed as of."""
        return lock_head(self._connection).cut_off_us

    def positions(self) -> Positions:
        """How far the withdrawals have been read (W5)."""
        return positions(self._connection)

    def move_fence(self, to: Revision) -> None:
        """Moves the fence up, never back."""
        move_fence(self._connection, to)

    def move_scanned(self, start: Revision, to: Revision) -> bool:
        """Moves what is scanned; whether it stood at `start` still."""
        return move_scanned(self._connection, start, to)

    def last_number(self) -> int:
        """The highest receipt number; 0 before the first."""
        return int(self._connection.execute(select(func.max(_DECISIONS.c.number))).scalar_one() or 0)

    def collecting(self, licensee_id: str) -> str | None:
        """The recall that collects for a licensee."""
        mine = _RECALLS.c.licensee_id == licensee_id
        query = select(_RECALLS.c.recall_id).where(mine, COLLECTING)
        return self._connection.execute(query).scalar_one_or_none()

    def begin(self, recall_id: str, licensee_id: str, now_us: int) -> None:
        """Begins to collect for a licensee for whom nothing does."""
        self._connection.execute(
            insert(_RECALLS),
            {
                "recall_id": recall_id,
                "licensee_id": licensee_id,
                "state": int(RecallState.COLLECTING),
                "collecting_since_us": now_us,
                "withdrawals": 0,
                "posts": 0,
            },
        )

    def extend(self, recall_id: str, counted: Counted) -> None:
        """Counts what withdrawals take back into a recall, with the licenses that say when it is due."""
        more = {
            "withdrawals": _RECALLS.c.withdrawals + counted.withdrawals,
            "posts": _RECALLS.c.posts + counted.posts,
        }
        self._connection.execute(update(_RECALLS).where(_RECALLS.c.recall_id == recall_id).values(more))
        known = set(self.licenses(recall_id))
        rows = [
            {"recall_id": recall_id, "license_id": license_id, "license_version": version}
            for license_id, version in sorted(counted.licenses - known)
        ]
        if rows:
            self._connection.execute(insert(_LICENSES), rows)

    def licenses(self, recall_id: str) -> Sequence[tuple[str, int]]:
        """Ids and versions of the licenses that a recall's posts were released under."""
        columns = select(_LICENSES.c.license_id, _LICENSES.c.license_version)
        rows = self._connection.execute(columns.where(_LICENSES.c.recall_id == recall_id))
        return [(row.license_id, row.license_version) for row in rows]

    def terms(self, versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Terms]:
        """The terms of versions of licenses, as far as they are there."""
        return terms_of(self._connection, versions)

    def collected(self, since_us: int, limit: int) -> Sequence[Recall]:
        """Recalls that have been collecting since that time or earlier, the oldest first.

        None that a recheck has put only some of what it found into: a withdrawal is in one recall (W2).
        """
        ready = and_(_RECALLS.c.collecting_since_us <= since_us, ~_FILLED.exists())
        return self._page(COLLECTING, ready, order=_RECALLS.c.collecting_since_us, limit=limit)

    def filling(self, withdrawal: Withdrawal, licensee_id: str) -> str | None:
        """The recall that has some of what a recheck has found already."""
        first = _ENTRIES.c.part == 0
        query = select(_ENTRIES.c.recall_id).where(of_withdrawal(withdrawal, licensee_id), first)
        return self._connection.execute(query).scalar_one_or_none()

    def issue(self, recall_id: str, issued_at_us: int, due_at_us: int) -> int:
        """Issues a recall that collects, under the next number, which it gives."""
        number = take_recall_number(self._connection)
        issued = {
            "state": int(RecallState.ISSUED),
            "number": number,
            "licensee_number": self._next_of_licensee(recall_id, number),
            "issued_at_us": issued_at_us,
            "due_at_us": due_at_us,
        }
        self._connection.execute(update(_RECALLS).where(_RECALLS.c.recall_id == recall_id).values(issued))
        return number

    def _next_of_licensee(self, recall_id: str, number: int) -> int:
        mine = select(_RECALLS.c.licensee_id).where(_RECALLS.c.recall_id == recall_id).scalar_subquery()
        query = select(func.max(_RECALLS.c.licensee_number)).where(_RECALLS.c.licensee_id == mine)
        newest = self._connection.execute(query).scalar_one() or 0
        # Numbers go on in another range after a restore; none is given again that was told before it (R5).
        return int(max(newest, number - number % RECALLS_AN_EPOCH)) + 1

    def overdue(self, now_us: int, limit: int) -> Sequence[Recall]:
        """Recalls whose time is over and that are not resolved, the longest first."""
        over = _RECALLS.c.due_at_us <= now_us
        return self._page(UNRESOLVED, over, order=_RECALLS.c.due_at_us, limit=limit)

    def mark_overdue(self, recall_id: str, now_us: int) -> None:
        """Says that a recall is overdue."""
        over = {"state": int(RecallState.OVERDUE), "overdue_at_us": now_us}
        self._connection.execute(update(_RECALLS).where(_RECALLS.c.recall_id == recall_id).values(over))

    def license(self, license_id: str) -> License | None:
        """The license as it stands now."""
        return self._contracts.license(license_id)

    def put_license(self, license: License, change: Change) -> None:
        """Writes where a license stands now, and the change into its history."""
        self._contracts.put_license(license, change)

    def recalls_collecting(self) -> int:
        """How many collect."""
        return self._count(COLLECTING)

    def recalls_overdue(self) -> int:
        """How many are overdue."""
        return self._count(OVERDUE)

    def _count(self, where: TextClause) -> int:
        query = select(func.count()).select_from(_RECALLS).where(where)
        return self._connection.execute(query).scalar_one()

    def _page(self, *where: Any, order: Any, limit: int) -> Sequence[Recall]:
        query = select(_RECALLS).where(*where).order_by(order, _RECALLS.c.recall_id).limit(limit)
        return [_unresolved(row) for row in self._connection.execute(query)]


class RecallStore:
    """Recalls in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[RecallRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(RecallRows(connection)))

    async def read(self, query: Callable[[RecallRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises."""
        return await self._database.read(lambda connection: query(RecallRows(connection)))

    async def find(self, kind: KeyKind, keys: Ids) -> Sequence[Sequence[int]]:
        """For each key the numbers of all decisions that released some of it; raises as the index does."""
        found = await self._database.read(lambda connection: find(connection, kind, keys))
        return [numbers.tolist() for numbers in found]

    async def releases(self, numbers: Sequence[int]) -> dict[int, Release]:
        """Those of the decisions with these receipt numbers that released something."""
        return await self._database.read(lambda connection: releases_of(connection, numbers))

    async def releases_to(self, licensee_id: str, after: int, until: int, limit: int) -> dict[int, Release]:
        """The next releases to a licensee, by receipt number, in the order of those."""
        return await self._database.read(
            lambda connection: releases_to(connection, licensee_id, after, until, limit)
        )

    async def cargoes(self, numbers: Sequence[int]) -> dict[int, Cargo]:
        """What these decisions released, and what is known of the delivery by now."""
        return await self._database.read(lambda connection: cargoes_of(connection, numbers))

    async def deleted(self, licensee_id: str, after: int, until: int) -> Deleted:
        """What the licensee attested to have deleted of the releases with numbers in (after, until]."""
        return await self._database.read(lambda connection: deleted_of(connection, licensee_id, after, until))


def _unresolved(row: Row[Any]) -> Recall:
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
    )
