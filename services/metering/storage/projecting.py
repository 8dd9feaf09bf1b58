"""Keeps the sums by second, minute and hour in step with the entries, some way behind them.

They are made in the order of numbers, each entry once, and the number of the last one is stored with them: so
whoever reads both knows which entries are still to be added.
"""

from sqlalchemy import Connection, bindparam, delete, select, update

from services.chassis.bulk import Insertion
from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.metering.domain.projections import Content, projected
from services.metering.domain.reservations import Revision
from services.metering.schema.tables import REPLAYS, MeteringTable
from services.metering.storage.head import read_head
from services.metering.storage.rows import counts_of

ENTRIES_AT_ONCE = 500
"""Entries in one transaction: a few milliseconds, for which nobody else writes."""

_tables = MeteringTable.metadata.tables
_entries, _projections, _projected = _tables["entries"], _tables["projections"], _tables["projected"]

_POSITION = select(_projected.c.number)
_MOVE = update(_projected).values(number=bindparam("to"))
_NEXT = (
    select(
        _entries.c.account_id,
        _entries.c.counted_at_us,
        _entries.c.access,
        _entries.c.counts,
        _entries.c.number,
    )
    .where(_entries.c.number > bindparam("after"), _entries.c.number <= bindparam("until"))
    .order_by(_entries.c.number)
)
_UNTIL = (
    select(_entries.c.number)
    .where(_entries.c.number > bindparam("after"))
    .order_by(_entries.c.number)
    .limit(1)
    .offset(ENTRIES_AT_ONCE - 1)
)
_ADD = Insertion(
    "projections",
    {
        "account_id": "bigint",
        "span_us": "bigint",
        "since_us": "bigint",
        "access": "smallint",
        "kind": "smallint",
        "media_flags": "smallint",
        "posts": "bigint",
    },
    "ON CONFLICT (account_id, span_us, since_us, access, kind, media_flags)"
    " DO UPDATE SET posts = projections.posts + excluded.posts",
)


def read_position(connection: Connection) -> int:
    """The number of the last entry that is in the sums."""
    return int(connection.execute(_POSITION).scalar_one())


class SqlProjections:
    """Satisfies `projector.Projections`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self) -> bool:
        """Adds the next entries to the sums; whether there may be more."""
        # Most of the time there is nothing to do, and then nobody has to wait for it.
        if not await self._database.read(_is_behind):
            return False
        return await self._database.write(_advance, weight=ENTRIES_AT_ONCE)

    async def drop(self, key: ReplayKey, now_us: int) -> Revision:
        """Forgets the sums, once for each key; the head up to which they will be made anew."""

        def produce(connection: Connection) -> bytes:
            connection.execute(delete(_projections))
            connection.execute(_MOVE, {"to": 0})
            head = read_head(connection)
            return f"{head.epoch} {head.number}".encode()

        def unit(connection: Connection) -> Revision:
            answer = once(connection, REPLAYS, key, now_us, lambda: produce(connection))
            return Revision(*(int(part) for part in answer.split()))

        return await self._database.write(unit)


def _is_behind(connection: Connection) -> bool:
    return read_position(connection) < read_head(connection).number


def _advance(connection: Connection) -> bool:
    after, head = read_position(connection), read_head(connection).number
    # All entries of a number together: up to that of the last one that fits.
    until = connection.execute(_UNTIL, {"after": after}).scalar_one_or_none()
    rows = connection.execute(_NEXT, {"after": after, "until": head if until is None else until}).all()
    sums = projected((row.account_id, row.counted_at_us, row.access, counts_of(row.counts)) for row in rows)
    _ADD.run(
        connection,
        [
            (place.account_id, place.span_us, place.since_us, *_columns(place.content), posts)
            for place, posts in sorted(sums.items())
        ],
    )
    connection.execute(_MOVE, {"to": head if until is None else until})
    return until is not None


def _columns(content: Content) -> tuple[int, int, int]:
    return content.access, content.kind, content.media_flags
