"""Tallies at a later tail, made from the entries that have left since, or from all of an account (M1).

That may be many: of a window that nobody has asked about before, or not for long. While the writer adds up a
million entries nothing else is decided, so it adds up only so many itself. The rest is made ahead: on a
reader, as of the number of the head in its snapshot; the writer adds the entries that have a higher one.
Numbers are in the order of commits, so these are all that the snapshot did not have, whoever wrote them.

It is not made from the sums by second, minute and hour: they do not tell used from held, and they are
furthest behind where most tallies are missing, after a release that makes all of them anew.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from services.chassis.bulk import Question
from services.chassis.database import Database
from services.metering.domain.allowances import NO_POSTS, Posts, Tally
from services.metering.domain.parties import FOREVER_US
from services.metering.domain.windows import SECOND_US
from services.metering.schema.tables import MeteringTable
from services.metering.storage.head import read_head

MOST_AT_ONCE = 2_000
"""Entries that the writer adds up by itself: about a millisecond."""
SHORT_US = SECOND_US
"""Of so little time no account has so many entries that it is worth looking."""

_entries = MeteringTable.metadata.tables["entries"]
_tallies = MeteringTable.metadata.tables["tallies"]

_STRETCH = {"place": "bigint", "id": "bigint", "after_us": "bigint", "until_us": "bigint"}
_INSIDE = "e.account_id = given.id AND e.counted_at_us > given.after_us AND e.counted_at_us <= given.until_us"
_SUMS = Question(
    "SELECT given.place, SUM(e.used), SUM(e.held) FROM {given} CROSS JOIN entries e"  # noqa: S608
    f" WHERE {_INSIDE} GROUP BY given.place",
    **_STRETCH,
)


def longer_than(entries: int) -> Question:
    """Which stretches have more entries than so many; it reads no more of them than that."""
    return Question(
        "SELECT given.place FROM {given} WHERE (SELECT e.number FROM entries e"  # noqa: S608
        f" WHERE {_INSIDE} ORDER BY e.counted_at_us LIMIT 1 OFFSET {entries}) IS NOT NULL",
        **_STRETCH,
    )


_LONG = longer_than(MOST_AT_ONCE)
_SINCE = select(
    func.coalesce(func.sum(_entries.c.used), 0), func.coalesce(func.sum(_entries.c.held), 0)
).where(
    _entries.c.number > bindparam("number"),
    # Not the bare column: few numbers are higher, and the entries of the account may be very many.
    _entries.c.account_id + 0 == bindparam("id"),
    _entries.c.counted_at_us > bindparam("after_us"),
)
_KNOWN = select(_tallies.c.used, _tallies.c.held, _tallies.c.tail_us).where(
    _tallies.c.account_id == bindparam("id"), _tallies.c.window_us == bindparam("window_us")
)


class Window(NamedTuple):
    """A window of an account, by the account's row id."""

    account_id: int
    window_us: int


class Wish(NamedTuple):
    """A tally at a tail that is later than that of the one on record, if there is one."""

    window: Window
    known: Tally | None
    tail_us: int


class TakesLong(Exception):  # noqa: N818 - nothing is wrong; it is to be made ahead
    """More is to be added up for a tally than the writer should."""

    def __init__(self, wish: Wish) -> None:
        super().__init__("too many entries to add up")
        self.wish = wish


@dataclass(frozen=True, slots=True)
class Ahead:
    """A tally as it was when a number was the latest."""

    tally: Tally
    number: int

    def serves(self, wish: Wish) -> bool:
        """Whether the wish is nearer to it than to what is on record."""
        tail_us = self.tally.tail_us
        # Where the clock has gone back since, it is too late.
        return tail_us <= wish.tail_us and (wish.known is None or wish.known.tail_us < tail_us)


class LaterTallies:
    """Makes tallies from what is written, on an open transaction that has locked the head."""

    def __init__(self, connection: Connection, aheads: Mapping[Window, Ahead]) -> None:
        self._connection = connection
        self._aheads = aheads
        self._made: dict[tuple[Window, int], Tally | None] = {}

    def make(self, wishes: Iterable[Wish]) -> None:
        """Makes them all at once, as far as that is quick."""
        quick: list[Wish] = []
        looked_at: list[Wish] = []
        for wish in wishes:
            start = self._start(wish)
            if start is wish.known and _may_be_long(wish):
                looked_at.append(wish)
            else:
                quick.append(Wish(wish.window, start, wish.tail_us))
        long = _long(self._connection, looked_at)
        for place, wish in enumerate(looked_at):
            if place in long:
                self._made[wish.window, wish.tail_us] = None
            else:
                quick.append(wish)
        for wish, tally in zip(quick, added_up(self._connection, quick), strict=True):
            self._made[wish.window, wish.tail_us] = tally

    def tally(self, window: Window, known: Tally | None, tail_us: int) -> Tally:
        """One of them; raises TakesLong."""
        place = window, tail_us
        if place not in self._made:
            self.make([Wish(window, known, tail_us)])
        tally = self._made[place]
        if tally is None:
            raise TakesLong(Wish(window, known, tail_us))
        return tally

    def _start(self, wish: Wish) -> Tally | None:
        """The tally that is moved: the one on record, or one that was made ahead and is later."""
        ahead = self._aheads.get(wish.window)
        if ahead is None or not ahead.serves(wish):
            return wish.known
        since = {"number": ahead.number, "id": wish.window.account_id, "after_us": ahead.tally.tail_us}
        used, held = self._connection.execute(_SINCE, since).one()
        return Tally(ahead.tally.used + int(used), ahead.tally.held + int(held), ahead.tally.tail_us)


class TalliesAhead:
    """What was made on a reader, for the writer to go on from."""

    def __init__(self, database: Database) -> None:
        self.made: dict[Window, Ahead] = {}
        self._database = database
        # One after the other, and of many that wait for the same one the first makes it.
        self._lock = asyncio.Lock()

    async def make(self, wish: Wish) -> None:
        """Has the tally made; raises Refusal DATABASE_UNAVAILABLE."""
        async with self._lock:
            ahead = self.made.get(wish.window)
            if ahead is None or not ahead.serves(wish):
                # Urgent: no long read of anybody's is to stand before a decision.
                self.made[wish.window] = await self._database.read(_made_by(wish), urgent=True)

    def drop(self, windows: Iterable[Window]) -> None:
        """Forgets them: they have become the tallies on record, or were for nothing."""
        for window in windows:
            self.made.pop(window, None)


def _made_by(wish: Wish) -> Callable[[Connection], Ahead]:
    def read(connection: Connection) -> Ahead:
        row = connection.execute(_KNOWN, wish.window._asdict() | {"id": wish.window.account_id}).one_or_none()
        known = None if row is None else Tally(*row)
        number = read_head(connection).number
        if known is not None and known.tail_us >= wish.tail_us:
            return Ahead(known, number)
        (tally,) = added_up(connection, [wish._replace(known=known)])
        return Ahead(tally, number)

    return read


def _may_be_long(wish: Wish) -> bool:
    return wish.known is None or wish.tail_us - wish.known.tail_us > SHORT_US


def _long(connection: Connection, wishes: Sequence[Wish]) -> set[int]:
    return {place for (place,) in _LONG.ask(connection, _stretches(wishes))}


def added_up(connection: Connection, wishes: Sequence[Wish]) -> list[Tally]:
    """The tallies, each made from the one that is known."""
    sums = [NO_POSTS] * len(wishes)
    for place, used, held in _SUMS.ask(connection, _stretches(wishes)):
        # PostgreSQL adds 64-bit numbers up to a decimal.
        sums[place] = Posts(int(used), int(held))
    return [
        Tally(posts.used, posts.held, wish.tail_us)
        if wish.known is None
        else wish.known.moved_to(wish.tail_us, posts)
        for wish, posts in zip(wishes, sums, strict=True)
    ]


def _stretches(wishes: Sequence[Wish]) -> list[tuple[int, int, int, int]]:
    """What is to be added up: all that is inside, or what has left since the known one."""
    return [
        (place, wish.window.account_id, wish.tail_us, FOREVER_US)
        if wish.known is None
        else (place, wish.window.account_id, wish.known.tail_us, wish.tail_us)
        for place, wish in enumerate(wishes)
    ]
