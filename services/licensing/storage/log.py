"""The log in SQL: tiles that grow, checkpoints that are added or signed again, and receipts that wait."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from services.chassis.bulk import Insertion, Question
from services.chassis.database import Database
from services.licensing.domain.log.growth import Growth, Head, NumberedReceipt, Place, Signed, edge_of
from services.licensing.proving import Logged
from services.licensing.publishing import Waiting
from services.licensing.storage.head import lock_head, note_log_shown, was_log_shown
from services.licensing.storage.known import known_of
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.log_tables import CheckpointRow
from services.licensing.storage.restore_queries import is_lost

_TABLES = CheckpointRow.metadata.tables
_CHECKPOINTS = _TABLES[CheckpointRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]

_NEWEST = select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.size.desc()).limit(1)
_RECEIPTS = select(_DECISIONS.c.number, _DECISIONS.c.decided_at_us, _DECISIONS.c.receipt).order_by(
    _DECISIONS.c.number
)
_LOGGED = select(
    _DECISIONS.c.decision_id,
    _DECISIONS.c.number,
    _DECISIONS.c.principal_kind,
    _DECISIONS.c.principal,
    _DECISIONS.c.licensee_id,
)
_TILES = Question(
    "SELECT log_tiles.level, log_tiles.tile, log_tiles.hashes FROM {given}"
    " JOIN log_tiles ON log_tiles.level = given.level AND log_tiles.tile = given.tile",
    level="integer",
    tile="bigint",
)
_PUT_TILES = Insertion(
    "log_tiles",
    {"level": "integer", "tile": "bigint", "hashes": "bytea"},
    "ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes",
)


class LogStore:
    """Satisfies `publishing.Store` and `proving.Store`, in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = known_of(database)

    async def waiting(self, limit: int) -> Waiting:
        """The receipts that the log does not have, at most `limit`, none of which a failover could lose.

        Raises Behind too where another file has taken the place of the database's (R5): that shows here while
        nobody writes.
        """
        await self._database.check_place()
        waiting = await self._database.read(lambda connection: _waiting(connection, limit), confirmed=True)
        self._remember(waiting.newest)
        return waiting

    async def append(self, growth: Growth, sign: Callable[[Head], Signed]) -> bool:
        """Signs and stores a growth, unless the log has grown otherwise meanwhile; whether it was stored.

        `sign` is called while nobody else can sign, and what it gives is stored or never seen.
        """
        return await self._database.write(lambda connection: _append(connection, growth, sign))

    async def sign_again(self, head: Head, sign: Callable[[Head], Signed]) -> Signed:
        """Signs and stores a head once more, unless it is no longer the newest; the newest, signed."""
        return await self._database.write(lambda connection: _sign_again(connection, head, sign))

    async def newest(self) -> Signed | None:
        """The newest checkpoint, one that no failover can lose."""
        last = await self._database.read(newest, confirmed=True)
        self._remember(last)
        return last

    async def signed_at(self, size: int) -> Signed | None:
        """The checkpoint of this size."""
        return await self._database.read(lambda connection: signed_at(connection, size), confirmed=True)

    async def was_shown(self) -> bool:
        """Whether the folder has ever had a checkpoint of this log."""
        return await self._database.read(was_log_shown, confirmed=True)

    async def note_shown(self) -> None:
        """Says, for good, that it has."""
        await self._database.write(_note_shown)

    async def tiles(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        """The tiles at these places, as far as they are there."""
        return await self._database.read(lambda connection: tiles_at(connection, places))

    async def by_decision(self, decision_id: str) -> Logged | None:
        """The receipt of a decision."""
        return await self._logged(_DECISIONS.c.decision_id == decision_id)

    async def by_number(self, number: int) -> Logged | None:
        """The receipt with a number; of one that a restore has lost only the number is known."""
        if logged := await self._logged(_DECISIONS.c.number == number):
            return logged
        lost = await self._database.read(lambda connection: is_lost(connection, number))
        return Logged.lost(number) if lost else None

    def _remember(self, last: Signed | None) -> None:
        if self._known and last:
            self._known.has(last.head.size)

    async def _logged(self, which: ColumnElement[bool]) -> Logged | None:
        query = _LOGGED.where(which)
        row = await self._database.read(
            lambda connection: connection.execute(query).one_or_none(), confirmed=True
        )
        return None if row is None else Logged(*row)


def _waiting(connection: Connection, limit: int) -> Waiting:
    last = newest(connection)
    size = last.head.size if last else 0
    rows = connection.execute(_RECEIPTS.where(_DECISIONS.c.number > size).limit(limit)).all()
    return Waiting(
        newest=last,
        receipts=[NumberedReceipt(row.number, row.receipt) for row in rows],
        since_us=rows[0].decided_at_us if rows else None,
        edge=tiles_at(connection, [(tile.level, tile.index) for tile in edge_of(size)]) if rows else {},
    )


def _append(connection: Connection, growth: Growth, sign: Callable[[Head], Signed]) -> bool:
    lock_head(connection)
    last = newest(connection)
    if (last.head.size if last else 0) != growth.before.size:
        return False
    put_tiles(connection, growth)
    put_checkpoint(connection, sign(growth.head))
    return True


def _sign_again(connection: Connection, head: Head, sign: Callable[[Head], Signed]) -> Signed:
    lock_head(connection)
    last = newest(connection)
    assert last is not None, "checkpoints are never taken away"
    if last.head != head:
        return last
    signed = sign(head)
    renewed = {"note": signed.note, "published_at_us": signed.published_at_us}
    connection.execute(update(_CHECKPOINTS).where(_CHECKPOINTS.c.size == head.size), renewed)
    return signed


def _note_shown(connection: Connection) -> None:
    lock_head(connection)
    note_log_shown(connection)


def put_tiles(connection: Connection, growth: Growth) -> None:
    """Stores what is new in a growth; what the tiles had before they still begin with."""
    _PUT_TILES.run(connection, [(tile.level, tile.index, content) for tile, content in growth.tiles])


def put_checkpoint(connection: Connection, signed: Signed) -> None:
    """Stores a checkpoint of a size that has none."""
    connection.execute(
        insert(_CHECKPOINTS),
        {
            "size": signed.head.size,
            "root": signed.head.root,
            "note": signed.note,
            "published_at_us": signed.published_at_us,
        },
    )


def signed_at(connection: Connection, size: int) -> Signed | None:
    """The checkpoint of this size."""
    return _signed(connection.execute(select(_CHECKPOINTS).where(_CHECKPOINTS.c.size == size)).one_or_none())


def newest(connection: Connection) -> Signed | None:
    """The newest checkpoint."""
    return _signed(connection.execute(_NEWEST).one_or_none())


def tiles_at(connection: Connection, places: Sequence[Place]) -> dict[Place, bytes]:
    """The tiles at these places, as far as they are there."""
    return {(level, tile): bytes(hashes) for level, tile, hashes in _TILES.ask(connection, places)}


def _signed(row: Row[Any] | None) -> Signed | None:
    if row is None:
        return None
    return Signed(Head(row.size, bytes(row.root)), bytes(row.note), row.published_at_us)
