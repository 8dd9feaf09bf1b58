"""The disjoint periods of at most one window's length that come to the most (an alternative reading, D1).

A period [s, e) may end before s+W, so that another one can begin. Of the sets that are worth the same, the
one with the fewest periods; of equals the earliest starts. A period ends where the next one starts, or at
s+W.
"""

from dataclasses import dataclass

import numpy as np

from services.metering.domain.damages.cells import Cells, Ints
from services.metering.domain.damages.periods import Found, GoOn, Period
from services.metering.domain.damages.tariffs import Tariff
from services.metering.domain.damages.weights import COST, SCALE, first_where, gain_of

NEVER = -(2**62)
"""Less than anything comes to."""


@dataclass(frozen=True)
class _Link:
    """One period of the answer, by its cells."""

    start: int
    last: int
    """The last cell that it needs."""


class _Search:
    """Cells with what can start in each; a start is told by its place among the starts."""

    def __init__(self, cells: Cells, tariff: Tariff, window_us: int, go_on: GoOn) -> None:
        self.cells, self.tariff, self._go_on = cells, tariff, go_on
        reached = cells.before[cells.begin_before(cells.last_us + window_us)] - cells.before[:-1]
        worth = tariff.worth(reached)
        self.starts = np.flatnonzero(worth > 0)
        self.worth = worth[self.starts]
        self.base = cells.before[self.starts]
        self.ends = cells.begin_before(cells.last_us[self.starts] + window_us)
        places = np.arange(len(cells) + 1)
        self.later = np.searchsorted(self.starts, places + 1)
        # A start within the last cell of a period may follow it, unless that is a single time.
        self.following = np.where(
            np.append(cells.points, [False]), self.later, np.searchsorted(self.starts, places)
        )
        self.best = np.zeros(len(self.starts) + 1, np.int64)
        self.total = np.zeros(len(self.starts), np.int64)

    def run(self) -> list[_Link]:
        """Backwards, as many starts at once as do not follow one another."""
        least = self._reaching(self.tariff.threshold + 1)
        after = self.following[least]
        end = len(self.starts)
        while end:
            self._go_on()
            begin = int(np.searchsorted(after, end))
            self.total[begin:end] = self._totals(slice(begin, end))
            carried = np.append(self.total[begin:end], self.best[end])
            self.best[begin:end] = np.maximum.accumulate(carried[::-1])[::-1][:-1]
            end = begin
        return self._chain()

    def _reaching(self, posts: int, which: slice = slice(None)) -> Ints:
        """The cell in which so many posts are reached, counted from each start."""
        return np.searchsorted(self.cells.before[1:], self.base[which] + posts)

    def _totals(self, which: slice) -> Ints:
        return self._in_units(which) if self.tariff.in_units else self._in_posts(which)

    def _in_units(self, which: slice) -> Ints:
        """By units or by the cells that a period can end in, whichever are fewer."""
        totals = np.full(len(self.base[which]), NEVER)
        least, ends = self._reaching(self.tariff.threshold + 1, which), self.ends[which]
        most_units, most_cells = int(self.worth[which].max()), int((ends - least).max())
        if most_units - self._fewest < most_cells:
            for units in range(self._fewest, most_units + 1):
                self._go_on()
                np.maximum(totals, self._with(units, which), out=totals)
            return totals
        for further in range(most_cells):
            self._go_on()
            np.maximum(totals, self._ending(least + further, which), out=totals)
        return totals

    def _ending(self, last: Ints, which: slice) -> Ints:
        """A period that ends after a cell, for each start, and the best that follows."""
        possible = last < self.ends[which]
        last = np.where(possible, last, 0)
        units = self.tariff.worth(self.cells.before[last + 1] - self.base[which])
        possible &= units > 0
        return np.where(possible, gain_of(units) + self.best[self.following[last]], NEVER)

    @property
    def _fewest(self) -> int:
        return max(1, self.tariff.worth_of(self.tariff.threshold + 1))

    def _with(self, units: int, which: slice) -> Ints:
        """A period of so many units, which ends as early as it can, and the best that follows."""
        last = self._reaching(self.tariff.needed(units), which)
        possible = last < self.ends[which]
        following = self.best[self.following[last]]
        return np.where(possible, units * SCALE - COST + following, NEVER)

    def _in_posts(self, which: slice) -> Ints:
        least, ends = self._reaching(self.tariff.threshold + 1, which), self.ends[which]
        first = int(least[0])
        highest = _highest(self._ended(first, int(ends[-1])), least - first, ends - first)
        return highest + gain_of(-self.base[which] - self.tariff.free)

    def _ended(self, first: int, end: int) -> Ints:
        """For each of these cells: posts up to where a period ends in it, and the best that follows.

        Where the next one starts in the same cell the two share its posts: however cut, they count once.
        """
        cells = slice(first, end)
        later = self.cells.before[first + 1 : end + 1] * SCALE + self.best[self.later[cells]]
        within = (
            self.cells.before[cells] * SCALE
            + self.total[self.following[cells].clip(max=len(self.starts) - 1)]
        )
        return np.where(self.following[cells] < self.later[cells], np.maximum(later, within), later)

    def _chain(self) -> list[_Link]:
        links: list[_Link] = []
        place = 0
        while self.best[place] > 0:
            place = first_where(self.total, self.best[place], place)
            links.append(_Link(int(self.starts[place]), self._last(place)))
            place = int(self.following[links[-1].last])
        return links

    def _last(self, place: int) -> int:
        """The earliest cell at which the period from a start can end for the best."""
        which, best = slice(place, place + 1), self.total[place]
        if not self.tariff.in_units:
            first = int(self._reaching(self.tariff.threshold + 1, which)[0])
            wanted = best - int(gain_of(-self.base[which] - self.tariff.free)[0])
            return first_where(self._ended(first, int(self.ends[place])), wanted, 0) + first
        first = int(self._reaching(self.tariff.threshold + 1, which)[0])
        lasts = np.arange(first, int(self.ends[place]))
        units = self.tariff.worth(self.cells.before[lasts + 1] - self.base[place])
        total = np.where(units > 0, gain_of(units) + self.best[self.following[lasts]], NEVER)
        return first_where(total, int(best), 0) + first


def search(cells: Cells, tariff: Tariff, window_us: int, go_on: GoOn) -> Found:
    """The best periods, if all that is unsure is as good as it can be."""
    # Within a cell that is a breach by itself, one period could follow another.
    heavy = np.flatnonzero((cells.posts > tariff.threshold) & ~cells.points)
    if len(heavy):
        return Found([], heavy)
    links = _Search(cells, tariff, window_us, go_on).run()
    periods, doubtful = [], [np.array([], np.int64)]
    for index, link in enumerate(links):
        since_us = int(cells.first_us[link.start])
        until_us = since_us + window_us
        if index + 1 < len(links):
            until_us = min(until_us, int(cells.first_us[links[index + 1].start]))
        end = int(cells.begin_before(np.array([until_us]))[0])
        unsure = np.append(cells.straddling(until_us), [link.start, link.last])
        doubtful.append(unsure[~cells.points[unsure]])
        periods.append(Period(since_us, until_us, int(cells.before[end] - cells.before[link.start])))
    return Found(periods, np.concatenate(doubtful))


def _highest(values: Ints, begins: Ints, ends: Ints) -> Ints:
    """The highest value in each [begin, end), NEVER where that is empty: by a sparse table."""
    lengths = ends - begins
    levels = np.frexp(np.maximum(lengths, 1).astype(np.float64))[1] - 1
    highest = np.full(len(begins), NEVER)
    table, width = values, 1
    for level in range(int(levels.max()) + 1):
        here = (levels == level) & (lengths > 0)
        highest[here] = np.maximum(table[begins[here]], table[ends[here] - width])
        if len(table) > width:
            table = np.maximum(table[:-width], table[width:])
        width *= 2
    return highest
