"""Keeps the sums by second, minute and hour in step with the entries, some way behind them.

They are made in the order of numbers, each entry once, and the number of the last one is stored with them: so
whoever reads both knows which entries are still to be added. While they are dropped that number lies so far
behind that nobody uses them, in whatever process: what is left of them is dropped before any is made again.
"""

from sqlalchemy import Connection, Delete, bindparam, delete, select, text, tuple_, update

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

DROPPED_AT_ONCE = 2_000
"""Sums in one transaction: a few milliseconds too."""
DROPPING = -(2**62)
"""The position while sums are dropped: every entry is after it, and it is further behind than any may be."""

# Of all processes on one server, the one that holds it keeps the sums; no other lock has the number.
_TURN = 0x73756D73
_TRY_TURN = text("SELECT pg_try_advisory_xact_lock(:turn)").bindparams(turn=_TURN)

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


def drop_at_most(rows: int) -> Delete:
    """Drops so many sums, whichever."""
    key = _projections.primary_key.columns
    return delete(_projections).where(tuple_(*key).in_(select(*key).limit(rows).scalar_subquery()))


_DROP = drop_at_most(DROPPED_AT_ONCE)


def read_position(connection: Connection) -> int:
    """The number of the last entry that is in the sums; less than 0 while they are not to be used."""
    return int(connection.execute(_POSITION).scalar_one())


class SqlProjections:
    """Satisfies `projector.Projections`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self) -> bool:
        """Adds the next entries to the sums, or drops some first; whether there may be more.

        One process at a time: where another is at it, nothing is done, and there is no more for now.
        """
        # Most of the time there is nothing to do, and then nobody has to wait for it.
        if not await self._database.read(_is_to_do):
            return False
        return await self._database.write(_advance, weight=ENTRIES_AT_ONCE)

    async def drop(self, key: ReplayKey, now_us: int) -> Revision:
        """Has the sums dropped and made anew, once for each key; the head up to which they will be made."""

        def produce(connection: Connection) -> bytes:
            # Only says so: to drop them takes long, and whoever keeps the sums does it bit by bit.
            connection.execute(_MOVE, {"to": DROPPING})
            head = read_head(connection)
            return f"{head.epoch} {head.number}".encode()

        def unit(connection: Connection) -> Revision:
            answer = once(connection, REPLAYS, key, now_us, lambda: produce(connection))
            return Revision(*(int(part) for part in answer.split()))

        return await self._database.write(unit)


def _is_to_do(connection: Connection) -> bool:
    """Tries the turn before anybody waits for the head: who is at it holds both."""
    return read_position(connection) < read_head(connection).number and _has_turn(connection)


def _has_turn(connection: Connection) -> bool:
    """Takes the turn to the end of the transaction, if nobody else has it; a file has one process."""
    return connection.dialect.name != "postgresql" or bool(connection.execute(_TRY_TURN).scalar_one())


def _advance(connection: Connection) -> bool:
    if not _has_turn(connection):
        return False
    if read_position(connection) < 0:
        _drop_some(connection)
        return True
    return _add_some(connection)


def _drop_some(connection: Connection) -> None:
    if not connection.execute(_DROP).rowcount:
        connection.execute(_MOVE, {"to": 0})


def _add_some(connection: Connection) -> bool:
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
