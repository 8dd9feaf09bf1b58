"""What stretches count, as columns: by second, minute or hour, or moment by moment; all from one snapshot.

Sums are exact however far the projections are behind: what is not in them is added from the entries, and
with much of that all is made of the entries. Read in pieces, between which whoever waits can be given up.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Connection, Select, bindparam, select

from services.chassis.bulk import ColumnQuestion, Row
from services.metering.domain.peaks import Ints
from services.metering.domain.usage import Stretch
from services.metering.domain.windows import MINUTE_US
from services.metering.schema.tables import MeteringTable
from services.metering.storage.accounts import find_accounts
from services.metering.storage.head import read_head
from services.metering.storage.projecting import read_position

FURTHEST_BEHIND = 20_000
"""Entries that are not yet in the sums; with more it is quicker to leave the sums alone."""
ROWS_AT_ONCE = 100_000
"""Entries in one statement: some 20 ms of the engine's."""
SPANS_AT_ONCE = 30_720
"""Spans in one statement, as many as there may be: some 20 ms of the engine's."""
MOST_ROWS = 50_000
"""Ranges of accounts that are looked up for one answer; with more, those that are near are read as one."""
SHORT_US = 10 * MINUTE_US
"""Ranges of at most so long are read together, for a statement each would take longer than what it reads."""
LENGTH_AT_ONCE_US = 120 * MINUTE_US
"""What short ranges come to that are read together."""

_entries = MeteringTable.metadata.tables["entries"]

_SUMS = ColumnQuestion(
    "projections p",
    ("p.since_us", "p.posts"),
    "p.account_id = given.account_id AND p.span_us = given.span_us"
    " AND p.since_us >= given.since_us AND p.since_us < given.until_us"
    " AND (given.accesses >> p.access) & 1 = 1",
    account_id="bigint",
    since_us="bigint",
    until_us="bigint",
    span_us="bigint",
    accesses="bigint",
)
_MOMENTS = ColumnQuestion(
    "entries e",
    ("e.counted_at_us", "e.used + e.held"),
    "e.account_id = given.account_id"
    " AND e.counted_at_us >= given.since_us AND e.counted_at_us < given.until_us"
    " AND (given.accesses >> e.access) & 1 = 1",
    account_id="bigint",
    since_us="bigint",
    until_us="bigint",
    accesses="bigint",
)
_BEHIND = ColumnQuestion(
    "entries e",
    ("e.account_id", "e.counted_at_us", "e.used + e.held"),
    "e.number > given.after AND (given.accesses >> e.access) & 1 = 1",
    after="bigint",
    accesses="bigint",
)
_Pair = tuple[Ints, Ints]
"""Times, and posts or ends of each."""
_Rows = tuple[Ints, Ints, Ints]
"""Row ids of accounts with a range [since, until) of each."""
_NOTHING = np.empty(0, np.int64)


def last_of_page(rows: int) -> Select[int]:
    """The time of the last of so many entries; none where there are fewer."""
    return (
        # Of one account that is named, so that they come in the order of the primary key.
        select(_entries.c.counted_at_us)
        .where(
            _entries.c.account_id == bindparam("account_id"),
            _entries.c.counted_at_us >= bindparam("since_us"),
            _entries.c.counted_at_us < bindparam("until_us"),
        )
        .order_by(_entries.c.counted_at_us)
        .limit(1)
        .offset(rows - 1)
    )


_LAST_OF_PAGE = last_of_page(ROWS_AT_ONCE)


class SqlCounted:
    """Satisfies `fullest.Counted` for an open read transaction."""

    def __init__(
        self,
        connection: Connection,
        stretches: Sequence[Stretch],
        accesses: Sequence[int],
        go_on: Callable[[], object] = lambda: None,
    ) -> None:
        """`go_on` is called between statements and may raise."""
        self._connection = connection
        self._accesses = sum(1 << access for access in set(accesses))
        self._go_on = go_on
        found = find_accounts(connection, {stretch.account for stretch in stretches})
        known = [(found[each.account][0], each) for each in stretches if each.account in found]
        self._ids = np.array([id for id, _ in known], np.int64)
        self._firsts = np.array([stretch.since_us + 1 for _, stretch in known], np.int64)
        self._ends = np.array([stretch.until_us + 1 for _, stretch in known], np.int64)
        after = read_position(connection)
        self._has_sums = read_head(connection).number - after <= FURTHEST_BEHIND
        self._behind = _BEHIND.ask(connection, [(after, self._accesses)] if self._has_sums else [])

    def sums(self, span_us: int, since_us: Ints, until_us: Ints) -> _Pair:
        """Sums by span of the ranges [since, until), which begin and end with a span."""
        ids, first, end = rows = self._rows(since_us, until_us)
        if not self._has_sums:
            return _added_up(self._pages(rows), span_us)
        begin = np.minimum(-(-first // span_us) * span_us, end)
        stop = np.maximum(end // span_us * span_us, begin)
        pieces = (
            self._whole_spans((ids, begin, stop), span_us),
            self._not_yet_in((ids, begin, stop)),
            self._pages((ids, first, begin)),
            self._pages((ids, stop, end)),
        )
        return _added_up(itertools.chain(*pieces), span_us)

    def moments(self, since_us: Ints, until_us: Ints) -> _Pair:
        """Moments of the ranges [since, until), which are in order and apart."""
        return _added_up(self._pages(self._rows(since_us, until_us)), 1)

    def _rows(self, since_us: Ints, until_us: Ints) -> _Rows:
        """What of the ranges is in each stretch."""
        since_us, until_us = _fewer(since_us, until_us, max(1, MOST_ROWS // max(1, len(self._ids))))
        shape = len(self._ids), len(since_us)
        ids = np.repeat(self._ids, shape[1])
        since = np.maximum(self._firsts[:, None], since_us).reshape(-1)
        until = np.minimum(self._ends[:, None], until_us).reshape(-1)
        some = since < until
        return ids[some], since[some], until[some]

    def _whole_spans(self, rows: _Rows, span_us: int) -> Iterator[_Pair]:
        """Sums of whole spans, so many at once as make a statement of some milliseconds."""
        ids, since, until = _cut(rows, SPANS_AT_ONCE * span_us)
        for batch in _batches((until - since) // span_us, SPANS_AT_ONCE):
            self._go_on()
            columns = (column[batch].tolist() for column in (ids, since, until))
            given = [(*row, span_us, self._accesses) for row in zip(*columns, strict=True)]
            times, posts = _SUMS.ask(self._connection, given)
            yield times, posts

    def _not_yet_in(self, rows: _Rows) -> Iterator[_Pair]:
        """What the sums of whole spans lack."""
        ids, since, until = rows
        accounts, times, posts = self._behind
        for account in np.intersect1d(accounts, ids):
            theirs, mine = ids == account, accounts == account
            at_us = times[mine]
            begun = np.searchsorted(np.sort(since[theirs]), at_us, side="right")
            ended = np.searchsorted(np.sort(until[theirs]), at_us, side="right")
            yield at_us, posts[mine] * (begun - ended)

    def _pages(self, rows: _Rows) -> Iterator[_Pair]:
        """Entries: many short ranges at once, long ones page by page."""
        is_short = rows[2] - rows[1] <= SHORT_US
        short = [column[is_short & (rows[1] < rows[2])] for column in rows]
        for batch in _batches(short[2] - short[1], LENGTH_AT_ONCE_US):
            columns = (column[batch].tolist() for column in short)
            yield self._entries([(*row, self._accesses) for row in zip(*columns, strict=True)])
        for id, since, until in zip(*(column[~is_short].tolist() for column in rows), strict=True):
            while since < until:
                place = {"account_id": id, "since_us": since, "until_us": until}
                last: int | None = self._connection.execute(_LAST_OF_PAGE, place).scalar()
                # All entries of a time together.
                end = until if last is None else last + 1
                yield self._entries([(id, since, end, self._accesses)])
                since = end  # noqa: PLW2901 - it goes on from there

    def _entries(self, given: Sequence[Row]) -> _Pair:
        self._go_on()
        times, posts = _MOMENTS.ask(self._connection, given)
        return times, posts


def _fewer(since_us: Ints, until_us: Ints, most: int) -> _Pair:
    """The ranges, or so many at most that hold them: the narrowest gaps are read too."""
    gaps = since_us[1:] - until_us[:-1]
    if len(gaps) < most:
        return since_us, until_us
    kept = np.sort(np.argsort(gaps, kind="stable")[len(gaps) - (most - 1) :])
    return since_us[np.append(0, kept + 1)], until_us[np.append(kept, -1)]


def _cut(rows: _Rows, length_us: int) -> _Rows:
    """The same in rows of at most a length."""
    ids, since, until = rows
    counts = -(-(until - since) // length_us)
    offsets = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = np.repeat(since, counts) + offsets * length_us
    return np.repeat(ids, counts), begin, np.minimum(begin + length_us, np.repeat(until, counts))


def _batches(sizes: Ints, most: int) -> list[Ints]:
    """Places in order, in batches that come to about so much."""
    batches = np.cumsum(sizes) // most
    return np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(batches)) + 1) if len(sizes) else []


def _added_up(pieces: Iterable[_Pair], span_us: int) -> _Pair:
    """All by span, in order and each once, without those that come to nothing."""
    summed = [_summed(times // span_us * span_us, posts) for times, posts in pieces]
    if not summed:
        return _NOTHING, _NOTHING
    times, posts = _summed(*(np.concatenate(column) for column in zip(*summed, strict=True)))
    some = posts != 0
    return times[some], posts[some]


def _summed(times: Ints, posts: Ints) -> _Pair:
    if not len(times):
        return times, posts
    # Quick for what is in order already, as it is where there is one account.
    order = np.argsort(times, kind="stable")
    times = times[order]
    begins = np.flatnonzero(np.append(True, times[1:] != times[:-1]))
    return times[begins], np.add.reduceat(posts[order], begins)
