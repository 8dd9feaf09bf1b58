"""What waits to be told to others, in SQL."""

from sqlalchemy import ColumnElement, Connection, Select, func, select

from services.chassis.database import Database
from services.licensing.backlogs import Backlogs
from services.licensing.storage.ledger_tables import OutboxRow
from services.licensing.storage.webhook_tables import RecallAnnouncementRow

_OUTBOX = OutboxRow.metadata.tables[OutboxRow.__tablename__]
_ANNOUNCEMENTS = RecallAnnouncementRow.metadata.tables[RecallAnnouncementRow.__tablename__]


class BacklogStore:
    """Reads licensing's own database; raises what `Database.read` raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def backlogs(self, most: int) -> Backlogs:
        """What waits; `most` rows of a kind are counted."""
        return await self._database.read(lambda connection: _backlogs(connection, most))


def _backlogs(connection: Connection, most: int) -> Backlogs:
    waits = _OUTBOX.c.parked.is_(None)
    messages = select(_OUTBOX.c.seq).where(waits)
    parked = select(_OUTBOX.c.seq).where(~waits)
    announcements = select(_ANNOUNCEMENTS.c.number)
    return Backlogs(
        messages=_counted(connection, messages, most),
        oldest_message_us=_first_written_us(connection, waits),
        parked=_counted(connection, parked, most),
        announcements=_counted(connection, announcements, most),
        oldest_announcement_us=_least(connection, _ANNOUNCEMENTS.c.since_us),
    )


def _first_written_us(connection: Connection, waits: ColumnElement[bool]) -> int | None:
    """Of the first in the order in which they are sent, which the primary key finds."""
    first = select(_OUTBOX.c.written_at_us).where(waits).order_by(_OUTBOX.c.seq).limit(1)
    written_at_us: int | None = connection.execute(first).scalar_one_or_none()
    return written_at_us


def _counted(connection: Connection, rows: Select[tuple[int]], most: int) -> int:
    some = rows.limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def _least(connection: Connection, column: ColumnElement[int]) -> int | None:
    least: int | None = connection.execute(select(func.min(column))).scalar_one()
    return least
