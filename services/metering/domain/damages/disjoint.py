"""The disjoint periods of one window's length that come to the most (D1, the default).

Of the sets of periods [s, s+W) that are worth the same, the one with the fewest periods; each starts at a
time at which something was counted, and of equals the earliest one counts.
"""

import numpy as np

from services.metering.domain.damages.cells import Cells, Ints
from services.metering.domain.damages.periods import Found, Period, doubts
from services.metering.domain.damages.tariffs import Tariff
from services.metering.domain.damages.weights import COST, first_where, gain_of


def search(cells: Cells, tariff: Tariff, window_us: int) -> Found:
    """The best periods, if all that is unsure is as good as it can be."""
    ends = cells.begin_before(cells.last_us + window_us)
    gain = gain_of(tariff.worth(cells.before[ends] - cells.before[:-1]))
    starts = np.flatnonzero(gain > -COST)
    gain = gain[starts]
    after = np.searchsorted(starts, cells.end_before(cells.first_us[starts] + window_us))
    best, total = _best(gain, after)
    chain: list[int] = []
    place = 0
    while best[place] > 0:
        place = first_where(total, best[place], place)
        chain.append(int(starts[place]))
        place = int(after[place])
    return _found(cells, chain, window_us)


def _best(gain: Ints, after: Ints) -> tuple[Ints, Ints]:
    """What the best periods from each start on come to, and those that begin with it.

    Backwards, as many starts at once as do not follow one another.
    """
    best, total = np.zeros(len(gain) + 1, np.int64), np.zeros(len(gain), np.int64)
    end = len(gain)
    while end:
        begin = int(np.searchsorted(after, end))
        total[begin:end] = gain[begin:end] + best[after[begin:end]]
        carried = np.append(total[begin:end], best[end])
        best[begin:end] = np.maximum.accumulate(carried[::-1])[::-1][:-1]
        end = begin
    return best, total


def _found(cells: Cells, chain: list[int], window_us: int) -> Found:
    starts = np.array(chain, np.int64)
    since = cells.first_us[starts]
    posts = cells.before[cells.begin_before(since + window_us)] - cells.before[starts]
    periods = [
        Period(first, first + window_us, count)
        for first, count in zip(since.tolist(), posts.tolist(), strict=True)
    ]
    return Found(periods, doubts(cells, starts, window_us))
