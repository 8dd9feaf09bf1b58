"""One claim for each breach, or for each day: the readings under which no periods are chosen (D1)."""

from collections.abc import Iterator

import numpy as np

from services.metering.domain.damages.cells import Cells, Ints
from services.metering.domain.damages.periods import Found, Period, doubts
from services.metering.domain.damages.tariffs import Tariff
from services.metering.domain.windows import ROLLING_DAY_US


def search_breaches(cells: Cells, tariff: Tariff, window_us: int) -> Found:
    """Each breach by its fullest window, the earliest of equals.

    A window is [s, s+W) from a time s at which something was counted; those with more posts than the
    threshold that overlap, one with the next, are one breach.
    """
    most = cells.before[cells.begin_before(cells.last_us + window_us)] - cells.before[:-1]
    least = cells.before[cells.end_before(cells.first_us + window_us)] - cells.before[:-1]
    starts = np.flatnonzero(most > tariff.threshold)
    unsure = starts[least[starts] <= tariff.threshold]
    doubtful, periods, fullest = [doubts(cells, unsure, window_us)], list[Period](), list[int]()
    for breach in _overlapping(cells, starts, window_us, doubtful):
        fullest.append(int(breach[np.argmax(most[breach])]))
        since_us, posts = int(cells.first_us[fullest[-1]]), int(most[fullest[-1]])
        if tariff.worth_of(posts):
            periods.append(Period(since_us, since_us + window_us, posts))
    doubtful.append(doubts(cells, np.array(fullest, np.int64), window_us))
    return Found(periods, np.concatenate(doubtful))


def _overlapping(cells: Cells, starts: Ints, window_us: int, doubtful: list[Ints]) -> Iterator[Ints]:
    """The starts of each breach; notes the cells of which it is not sure that their windows overlap."""
    if not len(starts):
        return
    surely = cells.last_us[starts[1:]] - cells.first_us[starts[:-1]] < window_us
    maybe = cells.first_us[starts[1:]] - cells.last_us[starts[:-1]] < window_us
    unsure = np.flatnonzero(surely != maybe)
    doubtful.append(np.concatenate([starts[unsure], starts[unsure + 1]]))
    yield from np.split(starts, np.flatnonzero(~maybe) + 1)


def search_days(cells: Cells, tariff: Tariff) -> Found:
    """Each day of the calendar, UTC, that is a breach."""
    days, begins = np.unique(cells.first_us // ROLLING_DAY_US, return_index=True)
    posts = np.add.reduceat(cells.posts, begins) if len(days) else np.array([], np.int64)
    worth = tariff.worth(posts)
    periods = [
        Period(day * ROLLING_DAY_US, (day + 1) * ROLLING_DAY_US, count)
        for day, count in zip(days[worth > 0].tolist(), posts[worth > 0].tolist(), strict=True)
    ]
    return Found(periods, np.array([], np.int64))
