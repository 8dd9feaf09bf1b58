"""What a database keeps of itself for the day on which it is restored: its mark, and the restores (R5)."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    SmallInteger,
    String,
    Table,
    insert,
    select,
    update,
)

from services.chassis.action_rows import head_of
from services.chassis.database import Database
from services.chassis.heads import Head
from services.chassis.restores import Restore, Standing


class RestoreRows:
    """The two tables as each service has them in its own database, and its head row."""

    def __init__(self, metadata: MetaData, actions: Table) -> None:
        """`metadata` has a table `head` of one row with an epoch and a number; `actions` is the
        log of operators' actions."""
        self._head = metadata.tables["head"]
        self._actions = actions
        self._identity = Table(
            "identity",
            metadata,
            Column("id", SmallInteger, primary_key=True, autoincrement=False),
            Column("mark", String(32), nullable=False),
            Column("is_kept", Boolean, nullable=False),
        )
        self._restores = Table(
            "restores",
            metadata,
            Column("epoch", BigInteger, primary_key=True, autoincrement=False),
            Column("shared", BigInteger, nullable=False),
            Column("found_epoch", BigInteger, nullable=False),
            Column("found_number", BigInteger, nullable=False),
            Column("lost_epoch", BigInteger),
            Column("lost_number", BigInteger),
            Column("accepted_us", BigInteger, nullable=False),
            Column("accepted_by", String(160), nullable=False),
            Column("reason", String(500), nullable=False),
        )

    def standing(self, connection: Connection, action: int = 0) -> Standing:
        """What the database says of itself, and which entry it has where the kept log had ended."""
        epoch, number = connection.execute(select(self._head.c.epoch, self._head.c.number)).one()
        mark, is_kept = connection.execute(select(self._identity.c.mark, self._identity.c.is_kept)).one()
        last, then = head_of(connection, self._actions), head_of(connection, self._actions, action)
        return Standing(Head(epoch, number), mark, is_kept, last, then)

    def note_kept(self, connection: Connection) -> None:
        """Says, for good, that the head is kept outside."""
        connection.execute(update(self._identity).values(is_kept=True))

    def points(self, connection: Connection) -> tuple[Head, ...]:
        """(epoch, shared) of each restore, in order."""
        rows = connection.execute(
            select(self._restores.c.epoch, self._restores.c.shared).order_by(self._restores.c.epoch)
        )
        return tuple(Head(*row) for row in rows)

    def page(self, connection: Connection, below: int | None, limit: int) -> tuple[Restore, ...]:
        """At most `limit` restores with an epoch below one, newest first."""
        query = select(self._restores).order_by(self._restores.c.epoch.desc()).limit(limit)
        if below is not None:
            query = query.where(self._restores.c.epoch < below)
        return tuple(_restore(row) for row in connection.execute(query))

    def begin(self, connection: Connection, restore: Restore) -> None:
        """Begins the epoch of a restore, and records it; nobody else has the database open."""
        connection.execute(insert(self._restores), [_row(restore)])
        connection.execute(update(self._head).values(epoch=restore.epoch))


class SqlRestores:
    """The restores of one database, for whoever lists them."""

    def __init__(self, database: Database, rows: RestoreRows) -> None:
        self._database = database
        self._rows = rows

    async def page(self, below: int | None, limit: int) -> tuple[Restore, ...]:
        """At most `limit` with an epoch below one, newest first."""
        return await self._database.read(lambda connection: self._rows.page(connection, below, limit))


def _row(restore: Restore) -> dict[str, Any]:
    return {
        "epoch": restore.epoch,
        "shared": restore.shared,
        "found_epoch": restore.found.epoch,
        "found_number": restore.found.number,
        "lost_epoch": None if restore.lost is None else restore.lost.epoch,
        "lost_number": None if restore.lost is None else restore.lost.number,
        "accepted_us": restore.accepted_us,
        "accepted_by": restore.accepted_by,
        "reason": restore.reason,
    }


def _restore(row: Any) -> Restore:
    return Restore(
        row.epoch,
        row.shared,
        Head(row.found_epoch, row.found_number),
        None if row.lost_epoch is None else Head(row.lost_epoch, row.lost_number),
        row.accepted_us,
        row.accepted_by,
        row.reason,
    )
