"""Accepts a restore in SQL, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, insert, select

from services.chassis.database import Database
from services.chassis.head_keeping import Found, find, keep_accepted
from services.chassis.kept_heads import HeadFile
from services.chassis.restores import Acceptance, Restore, is_behind
from services.licensing.domain.log.growth import Growth, NumberedReceipt, Place, Signed
from services.licensing.domain.restores import AcceptedRestore
from services.licensing.storage import log
from services.licensing.storage.head import leave_out, lock_head, note_log_shown, was_log_shown
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.restore_tables import RESTORES, AcceptedRestoreRow

T = TypeVar("T")

_TABLES = AcceptedRestoreRow.metadata.tables
_RESTORES = _TABLES[AcceptedRestoreRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]


class AcceptanceRows:
    """Satisfies `accepting.Rows`."""

    def __init__(self, connection: Connection, found: Found) -> None:
        self._connection = connection
        self._found = found

    def lock_head(self) -> int:
        """The next receipt number, which nobody else takes before this transaction ends."""
        return lock_head(self._connection).next_number

    def is_behind(self) -> bool:
        """Whether the database had come further when its head was kept outside."""
        return is_behind(self._found.standing, self._found.kept)

    def was_log_shown(self) -> bool:
        """Whether the folder of the log has ever had a checkpoint of this database."""
        return was_log_shown(self._connection)

    def note_log_shown(self) -> None:
        """Says, for good, that it has been."""
        note_log_shown(self._connection)

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

    def begin_epoch(self, acceptance: Acceptance, now_us: int, *, refused_anyway: bool) -> Restore:
        """Begins the next epoch; raises Refusal as `Found.restore`. The head is locked."""
        restore = self._found.restore("licensing", acceptance, now_us, refused_anyway=refused_anyway)
        RESTORES.begin(self._connection, restore)
        return restore

    def record(self, restore: AcceptedRestore) -> None:
        """Puts on record what it means for the log, behind which numbers go on. The head is locked."""
        leave_out(self._connection, restore.epoch, restore.published + 1)
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
    """Satisfies `accepting.Store`, in licensing's own database, which nobody else has open."""

    def __init__(self, database: Database, head: HeadFile) -> None:
        self._database = database
        self._head = head

    async def accept(self, unit: Callable[[AcceptanceRows], T]) -> T:
        """Runs `unit` in a transaction and keeps the head that it leaves.

        Raises what `unit` and `Database.write` raise, and Refusal (precondition): HEAD_UNREADABLE,
        HEAD_UNWRITABLE.
        """
        # Before the transaction, which raises the number that is compared.
        found = await find(self._database, RESTORES, self._head)
        result = await self._database.write(lambda connection: unit(AcceptanceRows(connection, found)))
        await keep_accepted(self._database, RESTORES, self._head, found)
        return result
