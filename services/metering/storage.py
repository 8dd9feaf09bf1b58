"""The books of metering in its own database.

Rows are locked in one order: the reservation, the tallies by key, the head. What a number orders is written
after the head is locked. On SQLite one writer runs the units one after the other, so reading is locking; on
PostgreSQL `locking.py` locks for a whole group what its units claim.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from services.chassis.database import Database
from services.metering.domain.allowances import AllowanceKey, Entry, Posts, Tally
from services.metering.domain.reservations import Claim, Place, Reservation, Revision
from services.metering.rows import from_row, to_ending, to_row
from services.metering.schema.tables import MeteringTable

T = TypeVar("T")

TIMES_AT_ONCE = 256
"""Times read at once when looking for the one that frees enough: more than it takes as a rule, and few."""

_tables = MeteringTable.metadata.tables
_head, _reservations = _tables["head"], _tables["reservations"]
_tallies, _entries = _tables["tallies"], _tables["entries"]

# A literal, not a parameter: only so does the planner see that the partial indexes fit.
_IS_HELD = _reservations.c.state == literal_column("1")

_RESERVATION = select(_reservations).where(_reservations.c.reservation_id == bindparam("id"))
_RIVALS = (
    select(_reservations.c.reservation_id)
    .where(_IS_HELD, _reservations.c.request_key == bindparam("request_key"))
    .order_by(_reservations.c.number)
)
_LOCKED_TALLY = (
    select(_tallies.c.id, _tallies.c.used, _tallies.c.held, _tallies.c.last_us, _tallies.c.tail_us)
    .where(
        _tallies.c.scope == bindparam("scope"),
        _tallies.c.key == bindparam("key"),
        _tallies.c.window == bindparam("window"),
    )
    .with_for_update()
)
# PostgreSQL adds 64-bit numbers up to a decimal.
_USED = cast(func.coalesce(func.sum(_entries.c.used), 0), BigInteger)
_HELD = cast(func.coalesce(func.sum(_entries.c.held), 0), BigInteger)
_GONE = select(_USED, _HELD).where(
    _entries.c.tally_id == bindparam("tally_id"),
    _entries.c.counted_at_us > bindparam("after_us"),
    _entries.c.counted_at_us <= bindparam("until_us"),
)
_NEXT_TIMES = (
    select(_entries.c.counted_at_us, _USED, _HELD)
    .where(_entries.c.tally_id == bindparam("tally_id"), _entries.c.counted_at_us > bindparam("after_us"))
    .group_by(_entries.c.counted_at_us)
    .order_by(_entries.c.counted_at_us)
    .limit(TIMES_AT_ONCE)
)
_REVISION = select(_head.c.epoch, _head.c.number)
_NEXT_REVISION = update(_head).values(number=_head.c.number + 1).returning(_head.c.epoch, _head.c.number)
_NEW_RESERVATION = insert(_reservations)
_NEW_TALLY = insert(_tallies)
_NEW_ENTRY = insert(_entries)
_TALLY_SUMS = (
    update(_tallies)
    .where(_tallies.c.id == bindparam("tally_id"))
    .values({name: bindparam(f"new_{name}") for name in ("used", "held", "last_us", "tail_us")})
)
_ENDING = (
    update(_reservations)
    .where(_reservations.c.number == bindparam("of_number"))
    .values({name: bindparam(name) for name in ("state", "settled", "posts_settled", "posts_freed")})
)
_ENTRY_SUMS = (
    update(_entries)
    .where(
        _entries.c.tally_id == bindparam("of_tally"),
        _entries.c.counted_at_us == bindparam("at_us"),
        _entries.c.number == bindparam("of_number"),
    )
    .values(used=bindparam("used"), held=bindparam("held"))
)


class SqlPage:
    """One unit of work on an open transaction; made for it and left with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[AllowanceKey, int] = {}

    def reservation(self, reservation_id: str) -> Reservation | None:
        """The reservation, locked until the unit ends."""
        return _find(self._connection, reservation_id)

    def tallies(self, keys: Sequence[AllowanceKey]) -> dict[AllowanceKey, Tally]:
        """The tallies of the keys, which come in order, made where missing and locked in that order."""
        return {key: self._tally(key) for key in keys}

    def _tally(self, key: AllowanceKey) -> Tally:
        names = {"scope": int(key.scope), "key": key.id, "window": int(key.window)}
        row = self._connection.execute(_LOCKED_TALLY, names).one_or_none()
        if row is None:
            self._connection.execute(_NEW_TALLY, {**names, "used": 0, "held": 0, "last_us": 0, "tail_us": 0})
            row = self._connection.execute(_LOCKED_TALLY, names).one()
        self._ids[key], *sums = row
        return Tally(*sums)

    def gone(self, key: AllowanceKey, after_us: int, until_us: int) -> Posts:
        """The sum of the entries counted in (after_us, until_us]."""
        parameters = {"tally_id": self._ids[key], "after_us": after_us, "until_us": until_us}
        used, held = self._connection.execute(_GONE, parameters).one()
        return Posts(used, held)

    def entries(self, key: AllowanceKey, after_us: int) -> Iterator[Entry]:
        """What was counted after a time, oldest first, one entry a time; read as it is asked for."""
        while True:
            parameters = {"tally_id": self._ids[key], "after_us": after_us}
            times = self._connection.execute(_NEXT_TIMES, parameters).all()
            for counted_at_us, used, held in times:
                yield Entry(counted_at_us, used, held)
            if len(times) < TIMES_AT_ONCE:
                return
            after_us = times[-1][0]

    def rivals(self, request_key: str) -> tuple[str, ...]:
        """The ids of what is held for the request, in order of their numbers."""
        return tuple(self._connection.execute(_RIVALS, {"request_key": request_key}).scalars())

    def revision(self) -> Revision:
        """The head as it stands."""
        return Revision(*self._connection.execute(_REVISION).one())

    def next_revision(self) -> Revision:
        """Takes the next number from the head, which stays locked until the unit ends."""
        return Revision(*self._connection.execute(_NEXT_REVISION).one())

    def write_tallies(self, tallies: Mapping[AllowanceKey, Tally]) -> None:
        """Stores tallies that `tallies` gave."""
        rows = [
            {
                "tally_id": self._ids[key],
                "new_used": tally.used,
                "new_held": tally.held,
                "new_last_us": tally.last_us,
                "new_tail_us": tally.tail_us,
            }
            for key, tally in tallies.items()
        ]
        if rows:
            self._connection.execute(_TALLY_SUMS, rows)

    def hold(self, reservation: Reservation) -> None:
        """Stores a new reservation that holds, with an entry in the tally of each allowance."""
        self.keep(reservation)
        rows = [
            {
                "tally_id": self._ids[allowance.key],
                "counted_at_us": reservation.counted_at_us,
                "number": reservation.number,
                "used": 0,
                "held": reservation.posts_reserved,
            }
            for allowance in reservation.wanted.allowances
        ]
        if rows:
            self._connection.execute(_NEW_ENTRY, rows)

    def keep(self, reservation: Reservation) -> None:
        """Stores a new reservation that holds nothing."""
        self._connection.execute(_NEW_RESERVATION, to_row(reservation))

    def resolve(self, reservation: Reservation) -> None:
        """Stores how a hold ended, in the reservation and in its entries."""
        self._connection.execute(_ENDING, {"of_number": reservation.number, **to_ending(reservation)})
        rows = [
            {
                "of_tally": self._ids[allowance.key],
                "at_us": reservation.counted_at_us,
                "of_number": reservation.number,
                "used": reservation.posts_settled,
                "held": 0,
            }
            for allowance in reservation.wanted.allowances
        ]
        if rows:
            self._connection.execute(_ENTRY_SUMS, rows)


class SqlBooks:
    """The books in a database; units of work that arrive together share a commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, claim: Claim, unit: Callable[[SqlPage], T]) -> T:
        """Runs the unit on a page of its own; its result once it is on disk."""
        return await self._database.write(lambda connection: unit(SqlPage(connection)), claim=claim)

    async def find(self, reservation_id: str) -> Reservation | None:
        """One reservation as committed."""
        return await self._database.read(lambda connection: _find(connection, reservation_id))

    async def holds(self, before_us: int | None, after: Place | None, limit: int) -> list[Reservation]:
        """Holds counted before a time, from the place after `after`, oldest first, at most `limit`."""
        return await self._database.read(lambda connection: _holds(connection, before_us, after, limit))


def _find(connection: Connection, reservation_id: str) -> Reservation | None:
    row = connection.execute(_RESERVATION, {"id": reservation_id}).mappings().one_or_none()
    return None if row is None else from_row(row)


def _holds(
    connection: Connection, before_us: int | None, after: Place | None, limit: int
) -> list[Reservation]:
    place = tuple_(_reservations.c.counted_at_us, _reservations.c.number)
    wanted = select(_reservations).where(_IS_HELD)
    if before_us is not None:
        wanted = wanted.where(_reservations.c.counted_at_us < before_us)
    if after is not None:
        wanted = wanted.where(place > tuple_(after.counted_at_us, after.number))
    ordered = wanted.order_by(_reservations.c.counted_at_us, _reservations.c.number).limit(limit)
    return [from_row(row) for row in connection.execute(ordered).mappings()]
