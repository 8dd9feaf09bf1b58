"""What was counted of some accounts in some stretches, as columns: for claims over tens of millions of posts.

Whole hours and seconds are read from the sums, with the entries that are not yet in them, and the edges of
stretches from the entries.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from services.chassis.bulk import Question, Row
from services.metering.domain.damages.cells import Columns, Ints, Range
from services.metering.storage.head import read_head
from services.metering.storage.projecting import read_position

FURTHEST_BEHIND = 200_000
"""Entries that are not yet in the sums; with more of them the sums are left alone."""

_GIVEN = {"account": "bigint", "since_us": "bigint", "until_us": "bigint", "accesses": "bigint"}
_SUMS = Question(
    "SELECT p.since_us, p.posts FROM {given} CROSS JOIN projections p"
    " WHERE p.account_id = given.account AND p.span_us = given.span_us"
    " AND p.since_us >= given.since_us AND p.since_us < given.until_us"
    " AND ((given.accesses >> p.access) & 1) = 1",
    **_GIVEN,
    span_us="bigint",
)
_ENTRIES = Question(
    "SELECT e.counted_at_us, e.used + e.held FROM {given} CROSS JOIN entries e"
    " WHERE e.account_id = given.account"
    " AND e.counted_at_us >= given.since_us AND e.counted_at_us < given.until_us"
    " AND ((given.accesses >> e.access) & 1) = 1",
    **_GIVEN,
)
_ADDED = Question(
    "SELECT e.counted_at_us / given.span_us * given.span_us, sum(e.used + e.held)"
    " FROM {given} CROSS JOIN entries e WHERE e.account_id = given.account"
    " AND e.counted_at_us >= given.since_us AND e.counted_at_us < given.until_us"
    " AND ((given.accesses >> e.access) & 1) = 1 GROUP BY 1",
    **_GIVEN,
    span_us="bigint",
)
_BEHIND = Question(
    "SELECT e.account_id, e.counted_at_us, e.access, e.used + e.held"
    " FROM {given} CROSS JOIN entries e WHERE e.number > given.after",
    after="bigint",
)


@dataclass(frozen=True, slots=True)
class Part:
    """An account in [since, until)."""

    account_id: int
    since_us: int
    until_us: int


class Behind:
    """The entries that are not yet in the sums, as of one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._after = read_position(connection)
        self.is_near = self._after >= 0 and read_head(connection).number - self._after <= FURTHEST_BEHIND
        rows = _BEHIND.ask(connection, [(self._after,)]) if self.is_near else []
        columns = np.array(rows, np.int64).reshape(-1, 4)
        order = np.argsort(columns[:, 1], kind="stable")
        self._account, self._at, self._access, self._posts = columns[order].T

    def within(self, parts: Iterable[Part], accesses: int) -> Iterator[tuple[Ints, Ints]]:
        """Times with posts, of those with an access that is in the mask."""
        for part in parts:
            begin, end = np.searchsorted(self._at, [part.since_us, part.until_us])
            here = slice(begin, end)
            wanted = (self._account[here] == part.account_id) & (((accesses >> self._access[here]) & 1) == 1)
            yield self._at[here][wanted], self._posts[here][wanted]


class SqlCounted:
    """Satisfies `cells.Counted`, on an open read transaction."""

    def __init__(
        self, connection: Connection, parts: Sequence[Part], accesses: Iterable[int], behind: Behind
    ) -> None:
        self._connection = connection
        self._parts = parts
        self._accesses = sum(1 << access for access in accesses)
        self._behind = behind

    def sums(self, span_us: int, ranges: Sequence[Range]) -> Columns:
        """By hour or second."""
        parts = list(self._within(ranges))
        if not self._behind.is_near:
            return _columns([_read(_ADDED.ask(self._connection, self._asked(parts, span_us)))])
        whole = [Part(each.account_id, *_whole(each, span_us)) for each in parts]
        edges = [edge for each in parts for edge in _edges(each, span_us)]
        whole = [each for each in whole if each.since_us < each.until_us]
        found = [_read(_SUMS.ask(self._connection, self._asked(whole, span_us)))]
        found += self._behind.within(whole, self._accesses)
        found.append(_read(_ENTRIES.ask(self._connection, self._asked(edges))))
        return _columns([(times // span_us * span_us, posts) for times, posts in found])

    def moments(self, ranges: Sequence[Range]) -> Columns:
        """Each time for itself."""
        parts = list(self._within(ranges))
        return _columns([_read(_ENTRIES.ask(self._connection, self._asked(parts)))])

    def _within(self, ranges: Sequence[Range]) -> Iterator[Part]:
        for part in self._parts:
            for first_us, end_us in ranges:
                since_us, until_us = max(part.since_us, first_us), min(part.until_us, end_us)
                if since_us < until_us:
                    yield Part(part.account_id, since_us, until_us)

    def _asked(self, parts: Iterable[Part], *more: int) -> list[Row]:
        return [(each.account_id, each.since_us, each.until_us, self._accesses, *more) for each in parts]


def _whole(part: Part, span_us: int) -> tuple[int, int]:
    """Where its whole spans begin and end; nowhere where there are none."""
    begin_us, end_us = -(-part.since_us // span_us) * span_us, part.until_us // span_us * span_us
    return begin_us, max(begin_us, end_us)


def _edges(part: Part, span_us: int) -> Iterator[Part]:
    begin_us, end_us = _whole(part, span_us)
    if begin_us >= end_us:
        yield part
        return
    if part.since_us < begin_us:
        yield Part(part.account_id, part.since_us, begin_us)
    if end_us < part.until_us:
        yield Part(part.account_id, end_us, part.until_us)


def _read(rows: Sequence[Row]) -> tuple[Ints, Ints]:
    # PostgreSQL gives sums as decimals.
    times = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    return times, np.fromiter((int(row[1]) for row in rows), np.int64, len(rows))


def _columns(found: Sequence[tuple[Ints, Ints]]) -> Columns:
    """Each time once, in order, without those at which nothing is left."""
    times = np.concatenate([each for each, _ in found])
    posts = np.concatenate([each for _, each in found])
    order = np.argsort(times, kind="stable")
    times, posts = times[order], posts[order]
    begins = np.flatnonzero(np.diff(times, prepend=times[:1] - 1))
    if not len(begins):
        return times, posts
    added = np.add.reduceat(posts, begins)
    return times[begins][added != 0], added[added != 0]
