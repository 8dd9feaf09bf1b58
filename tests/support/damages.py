"""Claims worked out in the most obvious way, to compare with."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from services.metering.domain.damages.cells import Columns, Range
from services.metering.domain.damages.periods import Period
from services.metering.domain.damages.readings import Clause, Overlap, Reading
from services.metering.domain.windows import ROLLING_DAY_US

Accesses = Sequence[tuple[int, int]]
"""Times in microseconds with posts."""


class Listed:
    """Satisfies `cells.Counted` from a list of accesses."""

    def __init__(self, accesses: Accesses) -> None:
        self._accesses = accesses
        self.read = 0
        """Times that were read each for itself."""

    def sums(self, span_us: int, ranges: Sequence[Range]) -> Columns:
        return self._columns((at_us // span_us * span_us, posts) for at_us, posts in self._within(ranges))

    def moments(self, ranges: Sequence[Range]) -> Columns:
        columns = self._columns(self._within(ranges))
        self.read += len(columns[0])
        return columns

    def _within(self, ranges: Sequence[Range]) -> list[tuple[int, int]]:
        return [each for each in self._accesses if any(first <= each[0] < end for first, end in ranges)]

    @staticmethod
    def _columns(accesses: Iterable[tuple[int, int]]) -> Columns:
        sums: dict[int, int] = {}
        for at_us, posts in accesses:
            sums[at_us] = sums.get(at_us, 0) + posts
        times = sorted(sums)
        return np.array(times, np.int64), np.array([sums[at_us] for at_us in times], np.int64)


def claimed(accesses: Accesses, clause: Clause, reading: Reading) -> list[Period]:
    """The periods, by trying everything."""
    return _Trial(accesses, clause, reading).periods()


class _Trial:
    def __init__(self, accesses: Accesses, clause: Clause, reading: Reading) -> None:
        self.accesses, self.clause, self.reading = accesses, clause, reading
        self.tariff = clause.tariff(reading.rounding)
        self.times = sorted({at_us for at_us, _ in accesses})
        self.best = cache(self._best)

    def periods(self) -> list[Period]:
        if self.reading.overlap is Overlap.CALENDAR_DAYS:
            days = sorted({at_us // ROLLING_DAY_US * ROLLING_DAY_US for at_us in self.times})
            return self.worthy([self.period(day, day + ROLLING_DAY_US) for day in days])
        if self.reading.overlap is Overlap.ONE_PER_BREACH:
            breaches = self.breaches()
            return self.worthy([max(each, key=lambda one: (one.posts, -one.since_us)) for each in breaches])
        starts = [-start for start in self.best(-(2**62))[2]]
        following = [*starts[1:], 2**62][: len(starts)]
        return [
            self.period(start, min(start + self.clause.window_us, after))
            for start, after in zip(starts, following, strict=True)
        ]

    def period(self, since_us: int, until_us: int) -> Period:
        posts = sum(posts for at_us, posts in self.accesses if since_us <= at_us < until_us)
        return Period(since_us, until_us, posts)

    def worthy(self, periods: Iterable[Period]) -> list[Period]:
        return [period for period in periods if self.tariff.worth_of(period.posts)]

    def breaches(self) -> list[list[Period]]:
        found: list[list[Period]] = []
        for since_us in self.times:
            window = self.period(since_us, since_us + self.clause.window_us)
            if window.posts > self.clause.threshold:
                if found and since_us < found[-1][-1].until_us:
                    found[-1].append(window)
                else:
                    found.append([window])
        return found

    def ends(self, since_us: int) -> list[int]:
        whole = since_us + self.clause.window_us
        if self.reading.overlap is Overlap.DISJOINT:
            return [whole]
        return [at_us for at_us in self.times if since_us < at_us < whole] + [whole]

    def _best(self, after_us: int) -> tuple[int, int, tuple[int, ...]]:
        """Worth, less periods, and earlier starts: in all of these more is better."""
        found: tuple[int, int, tuple[int, ...]] = (0, 0, ())
        for since_us in self.times:
            for until_us in self.ends(since_us) if since_us >= after_us else []:
                if gain := self.tariff.worth_of(self.period(since_us, until_us).posts):
                    more, fewer, starts = self.best(until_us)
                    found = max(found, (more + gain, fewer - 1, (-since_us, *starts)))
        return found
