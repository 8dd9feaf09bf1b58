"""What is asked about accepted restores while licensing serves."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from services.chassis.database import Database
from services.chassis.restores import Restore
from services.licensing.domain.restores import AcceptedRestore, Lost
from services.licensing.storage.restore_tables import RESTORES, AcceptedRestoreRow

_RESTORES = AcceptedRestoreRow.metadata.tables[AcceptedRestoreRow.__tablename__]


def restored_us(connection: Connection) -> int | None:
    """When the latest restore was accepted; None where there was none."""
    latest: int | None = connection.execute(select(func.max(_RESTORES.c.accepted_at_us))).scalar_one()
    return latest


def is_lost(connection: Connection, number: int) -> bool:
    """Whether a receipt of this number was published and lost."""
    query = select(_RESTORES.c.epoch).where(_RESTORES.c.first_lost <= number, _RESTORES.c.last_lost >= number)
    return connection.execute(query.limit(1)).first() is not None


def lost_numbers(connection: Connection) -> tuple[range, ...]:
    """Of the receipts that were published and lost, by restore."""
    query = select(_RESTORES.c.first_lost, _RESTORES.c.last_lost).where(_RESTORES.c.first_lost.is_not(None))
    rows = connection.execute(query.order_by(_RESTORES.c.epoch))
    return tuple(range(first, last + 1) for first, last in rows)


class RestoreList:
    """The restores that were accepted, and what each means for the log; satisfies `rpc.log.Restores`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, below: int | None, limit: int) -> Sequence[tuple[Restore, AcceptedRestore]]:
        """At most `limit` with an epoch below one, newest first; what `Database.read` raises."""
        return await self._database.read(lambda connection: _page(connection, below, limit))


def _page(connection: Connection, below: int | None, limit: int) -> list[tuple[Restore, AcceptedRestore]]:
    restores = RESTORES.page(connection, below, limit)
    epochs = [restore.epoch for restore in restores]
    rows = connection.execute(select(_RESTORES).where(_RESTORES.c.epoch.in_(epochs)))
    of_log = {row.epoch: _accepted_restore(row) for row in rows}
    return [(restore, of_log[restore.epoch]) for restore in restores]


def _accepted_restore(row: Row[Any]) -> AcceptedRestore:
    lost = None if row.first_lost is None else Lost(row.first_lost, row.last_lost)
    return AcceptedRestore(row.epoch, row.accepted_at_us, row.accepted_by, row.reason, lost, row.published)
