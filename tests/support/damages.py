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
    tariff = clause.tariff(reading.rounding)
    times = sorted({at_us for at_us, _ in accesses})

    def posts_in(since_us: int, until_us: int) -> int:
        return sum(posts for at_us, posts in accesses if since_us <= at_us < until_us)

    def period(since_us: int, until_us: int) -> Period:
        return Period(since_us, until_us, posts_in(since_us, until_us))

    def worth(since_us: int, until_us: int) -> int:
        return tariff.worth_of(posts_in(since_us, until_us))

    def ends(since_us: int) -> list[int]:
        whole = since_us + clause.window_us
        if reading.overlap is Overlap.DISJOINT:
            return [whole]
        return [at_us for at_us in times if since_us < at_us < whole] + [whole]

    @cache
    def best(after_us: int) -> tuple[int, int, tuple[int, ...]]:
        """Worth, less periods, and earlier starts: in all of these more is better."""
        found: tuple[int, int, tuple[int, ...]] = (0, 0, ())
        for since_us in times:
            for until_us in ends(since_us) if since_us >= after_us else []:
                if gain := worth(since_us, until_us):
                    more, fewer, starts = best(until_us)
                    found = max(found, (more + gain, fewer - 1, (-since_us, *starts)))
        return found

    if reading.overlap is Overlap.CALENDAR_DAYS:
        days = sorted({at_us // ROLLING_DAY_US * ROLLING_DAY_US for at_us in times})
        return [period(day, day + ROLLING_DAY_US) for day in days if worth(day, day + ROLLING_DAY_US)]
    if reading.overlap is Overlap.ONE_PER_BREACH:
        breaches: list[list[Period]] = []
        for since_us in times:
            window = period(since_us, since_us + clause.window_us)
            if window.posts > clause.threshold:
                if breaches and since_us < breaches[-1][-1].until_us:
                    breaches[-1].append(window)
                else:
                    breaches.append([window])
        fullest = [max(breach, key=lambda window: (window.posts, -window.since_us)) for breach in breaches]
        return [window for window in fullest if tariff.worth_of(window.posts)]
    starts = [-start for start in best(-(2**62))[2]]
    following = [*starts[1:], 2**62][: len(starts)]
    return [
        period(start, min(start + clause.window_us, after))
        for start, after in zip(starts, following, strict=True)
    ]
