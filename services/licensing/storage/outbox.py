"""The outbox in SQL."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from services.chassis.database import Database
from services.licensing.domain.deliveries import Message, Said
from services.licensing.storage.ledger_tables import OutboxRow

_OUTBOX = OutboxRow.metadata.tables[OutboxRow.__tablename__]


class OutboxStore:
    """Messages to metering in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, limit: int) -> Sequence[Message]:
        """The oldest messages that are not parked; none of what a failover could lose.

        Metering would cancel a hold for a tombstone that nobody finds again.
        """
        statement = select(_OUTBOX).where(_OUTBOX.c.parked.is_(None)).order_by(_OUTBOX.c.seq).limit(limit)
        return await self._database.read(
            lambda connection: [_message(row) for row in connection.execute(statement)], confirmed=bool
        )

    async def remove(self, sent: Sequence[int], parked: Sequence[tuple[int, str]]) -> None:
        """Forgets what metering has answered and parks what it refused, each with the reason."""

        def unit(connection: Connection) -> None:
            connection.execute(delete(_OUTBOX).where(_OUTBOX.c.seq.in_(sent)))
            for seq, reason in parked:
                connection.execute(update(_OUTBOX).where(_OUTBOX.c.seq == seq).values(parked=reason))

        await self._database.write(unit)


def _message(row: Row[Any]) -> Message:
    counts = tuple((kind, media_flags, posts) for kind, media_flags, posts in json.loads(row.delivered))
    said = Said.CANCEL if row.cancels else Said.REDUCE if row.reduces else Said.SETTLE
    return Message(row.seq, row.reservation_id, said, counts)
