"""Accepts a restore in SQL, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, insert, select

from services.chassis.database import Database
from services.licensing.domain.log.growth import Growth, NumberedReceipt, Place, Signed
from services.licensing.domain.restores import AcceptedRestore
from services.licensing.storage import log
from services.licensing.storage.head import begin_epoch, lock_head
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.restore_tables import AcceptedRestoreRow

T = TypeVar("T")

_TABLES = AcceptedRestoreRow.metadata.tables
_RESTORES = _TABLES[AcceptedRestoreRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]


class RestoreRows:
    """Satisfies `accepting.Rows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_head(self) -> tuple[int, int]:
        """The epoch and the next number, which nobody else changes before this transaction ends."""
        head = lock_head(self._connection)
        return head.epoch, head.next_number

    def newest(self) -> Signed | None:
        """The newest checkpoint."""
        return log.newest(self._connection)

    def signed_at(self, size: int) -> Signed | None:
        """The checkpoint of this size."""
        return log.signed_at(self._connection, size)

    def tiles(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        """The tiles at these places, as far as they are there."""
        return log.tiles_at(self._connection, places)

    def receipts(self, after: int, until: int) -> Sequence[NumberedReceipt]:
        """Those that are here with a number above `after`, up to `until`."""
        query = (
            select(_DECISIONS.c.number, _DECISIONS.c.receipt)
            .where(_DECISIONS.c.number > after, _DECISIONS.c.number <= until)
            .order_by(_DECISIONS.c.number)
        )
        return [NumberedReceipt(*row) for row in self._connection.execute(query)]

    def grow(self, growth: Growth) -> None:
        """Stores the tiles of a growth."""
        log.put_tiles(self._connection, growth)

    def sign(self, signed: Signed) -> None:
        """Stores a checkpoint."""
        log.put_checkpoint(self._connection, signed)

    def begin_epoch(self, restore: AcceptedRestore) -> None:
        """Puts the restore on record; numbers go on behind what was published. The head is locked."""
        begin_epoch(self._connection, restore.epoch, restore.published + 1)
        self._connection.execute(
            insert(_RESTORES),
            {
                "epoch": restore.epoch,
                "accepted_at_us": restore.accepted_at_us,
                "accepted_by": restore.accepted_by,
                "reason": restore.reason,
                "first_lost": restore.lost and restore.lost.first,
                "last_lost": restore.lost and restore.lost.last,
                "published": restore.published,
            },
        )


class RestoreStore:
    """Satisfies `accepting.Store`, in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[RestoreRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(RestoreRows(connection)))
