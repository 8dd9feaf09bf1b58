"""Windows as they stand in metering's own database, and what was counted since the look before.

The first look starts from the tally on record, or adds up the window where there is none. Each later one goes
on from the sums of the look before: it reads the entries with higher numbers, and those that have left since.
Numbers are in the order of commits, so that no entry is missed or read twice, whatever time it counts at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from services.chassis.database import Database
from services.metering.domain.allowances import Account, Moment, Posts, Tally
from services.metering.domain.gauges import Change, Fullest, Look, replay
from services.metering.domain.parties import FOREVER_US
from services.metering.domain.windows import tail_us
from services.metering.schema.tables import MeteringTable
from services.metering.storage.accounts import find_accounts
from services.metering.storage.head import read_head

NOT_THERE = 0, 0
"""Row id and latest time of an account in which nothing was ever counted; no row has this id."""

_tables = MeteringTable.metadata.tables
_entries, _tallies = _tables["entries"], _tables["tallies"]

_USED, _HELD = func.sum(_entries.c.used), func.sum(_entries.c.held)
_INSIDE = (
    _entries.c.account_id == bindparam("account"),
    _entries.c.counted_at_us > bindparam("after_us"),
    _entries.c.counted_at_us <= bindparam("until_us"),
    _entries.c.number <= bindparam("number"),
)
_TALLY = select(_tallies.c.used, _tallies.c.held, _tallies.c.tail_us).where(
    _tallies.c.account_id == bindparam("account"), _tallies.c.window_us == bindparam("window_us")
)
_WITHIN = select(func.coalesce(_USED, 0), func.coalesce(_HELD, 0)).where(*_INSIDE)
_MOMENTS = select(_entries.c.counted_at_us, _USED, _HELD).where(*_INSIDE).group_by(_entries.c.counted_at_us)
_CHANGES = (
    select(_entries.c.number, _entries.c.counted_at_us, _entries.c.used, _entries.c.held)
    .where(
        _entries.c.number > bindparam("after"),
        _entries.c.number <= bindparam("number"),
        # Not the bare column: few numbers are higher, and the entries of the account may be very many.
        _entries.c.account_id + 0 == bindparam("account"),
    )
    .order_by(_entries.c.number)
)


class SqlWindows:
    """Satisfies `watches.Windows`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, account: Account, window_us: int, at_us: int, before: Look | None) -> Look:
        """The window at a time, and what has been counted since the look before; None: the first one."""
        return await self._database.read(
            lambda connection: _look(connection, account, window_us, at_us, before)
        )


@dataclass(frozen=True, slots=True)
class _Entries:
    """Those of one account, as one snapshot has them."""

    connection: Connection
    account_id: int
    number: int
    """The latest one in the snapshot."""

    def tally(self, window_us: int) -> Tally | None:
        """The one on record."""
        given = {"account": self.account_id, "window_us": window_us}
        row = self.connection.execute(_TALLY, given).one_or_none()
        return None if row is None else Tally(*row)

    def within(self, after_us: int, until_us: int, number: int | None = None) -> Posts:
        """The sum of those in (after, until], up to a number."""
        if after_us >= until_us:
            return Posts(0, 0)
        used, held = self.connection.execute(_WITHIN, self._inside(after_us, until_us, number)).one()
        # PostgreSQL adds 64-bit numbers up to a decimal.
        return Posts(int(used), int(held))

    def moments(self, after_us: int, until_us: int, number: int) -> list[Moment]:
        """The same, by time."""
        if after_us >= until_us:
            return []
        rows = self.connection.execute(_MOMENTS, self._inside(after_us, until_us, number))
        return [Moment(at_us, Posts(int(used), int(held))) for at_us, used, held in rows]

    def changes(self, after: int) -> list[Change]:
        """Those with higher numbers, in order."""
        if after >= self.number:
            return []
        given = {"account": self.account_id, "after": after, "number": self.number}
        rows = self.connection.execute(_CHANGES, given)
        return [Change(number, at_us, Posts(used, held)) for number, at_us, used, held in rows]

    def moved(self, tally: Tally, until_us: int) -> Tally:
        """A tally of all of them, at a later tail."""
        return tally.moved_to(until_us, self.within(tally.tail_us, until_us))

    def _inside(self, after_us: int, until_us: int, number: int | None) -> dict[str, int]:
        number = self.number if number is None else number
        return {"account": self.account_id, "after_us": after_us, "until_us": until_us, "number": number}


def _look(connection: Connection, account: Account, window_us: int, at_us: int, before: Look | None) -> Look:
    head = read_head(connection)
    id, last_us = find_accounts(connection, [account]).get(account, NOT_THERE)
    entries = _Entries(connection, id, head.number)
    # As for whoever asks for room: where the clock is behind, the window ends at the account's latest time.
    at_us = max(at_us, last_us)
    if before is None or before.revision.epoch != head.epoch:
        # The first look, or a restore of the database was accepted: numbers may be those of other changes.
        counted = _begun(entries, window_us, last_us)
        return Look(head, at_us, entries.moved(counted, tail_us(at_us, window_us)), counted, None)
    at_us = max(at_us, before.at_us)
    changes = entries.changes(before.revision.number)
    counted, fullest = _counted_on(entries, window_us, before, changes)
    now = before.now
    for change in changes:
        now = now.changed(change.at_us, change.posts)
    return Look(
        revision=head,
        at_us=at_us,
        now=entries.moved(now, tail_us(at_us, window_us)),
        counted=entries.moved(counted, tail_us(last_us, window_us)),
        fullest=fullest,
    )


def _begun(entries: _Entries, window_us: int, last_us: int) -> Tally:
    """The window that ends at the latest time of the account."""
    tail = tail_us(last_us, window_us)
    known = entries.tally(window_us)
    # Where nobody has asked for room in it for long, less is inside of it than has left since.
    if known is not None and 0 <= tail - known.tail_us <= last_us - tail:
        return entries.moved(known, tail)
    inside = entries.within(tail, FOREVER_US)
    return Tally(inside.used, inside.held, tail)


def _counted_on(
    entries: _Entries, window_us: int, before: Look, changes: Sequence[Change]
) -> tuple[Tally, Fullest | None]:
    """The tally at the time of the last hold, and the fullest since; what left before the first at once."""
    tally, leaving = before.counted, list[Moment]()
    if tails := [tail_us(change.at_us, window_us) for change in changes if change.adds]:
        number = before.revision.number
        tally = tally.moved_to(tails[0], entries.within(tally.tail_us, tails[0], number))
        leaving = entries.moments(tails[0], tails[-1], number)
    return replay(tally, window_us, leaving, changes)
