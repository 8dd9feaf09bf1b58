"""DISJOINT: the set of disjoint periods [s, s+W) that is worth most, by a sweep from the last time back."""

import numpy as np

from sluice_gate.damages.counting import Counted, Period
from sluice_gate.damages.sweeping import Scale, blocks, settle
from sluice_gate.damages.tariffs import Tariff


def disjoint_periods(counted: Counted, tariff: Tariff, window_us: int) -> list[Period]:
    """The periods in order: worth most, of equals the fewest, of equals the earliest starts."""
    ends = counted.window_ends(window_us)
    posts = counted.before[ends] - counted.before[:-1]
    worth = tariff.worth(posts)
    starts = np.flatnonzero(worth)
    if not len(starts):
        return []
    following = np.searchsorted(starts, ends[starts])
    at_us = counted.at_us[starts]
    most_periods = min(len(starts), int(at_us[-1] - at_us[0]) // window_us + 1)
    values = Scale(tariff.most(counted.posts, most_periods), most_periods).values(worth[starts])
    best = np.zeros(len(starts) + 1, values.dtype)
    for low, high in blocks(following):
        values[low:high] += best[following[low:high]]
        settle(best, low, values[low:high])
    # Of equals the earliest start: whatever else is as good begins later.
    chosen = np.flatnonzero(values == best[:-1])
    periods, start = [], 0
    while (next_one := int(np.searchsorted(chosen, start))) < len(chosen):
        start = int(chosen[next_one])
        since_us = int(at_us[start])
        periods.append(Period(since_us, since_us + window_us, int(posts[starts[start]])))
        start = int(following[start])
    return periods
