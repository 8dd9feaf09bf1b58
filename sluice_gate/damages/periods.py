"""The periods of a claim under any reading of the clause (D1), over single times."""

from collections.abc import Iterable

import numpy as np

from sluice_gate.damages.counting import Counted, Period
from sluice_gate.damages.disjoint import disjoint_periods
from sluice_gate.damages.shorter import shorter_periods
from sluice_gate.damages.sweeping import Progress
from sluice_gate.damages.tariffs import Ints, Tariff

DISJOINT, SHORTER_ALLOWED, CALENDAR_DAYS, ONE_PER_BREACH = (
    "DISJOINT",
    "SHORTER_ALLOWED",
    "CALENDAR_DAYS",
    "ONE_PER_BREACH",
)
OVERLAPS = (CALENDAR_DAYS, DISJOINT, ONE_PER_BREACH, SHORTER_ALLOWED)
"""All of them, in order of words, as readings are listed."""
DAY_US = 86_400_000_000


def periods_of(
    counted: Counted, tariff: Tariff, overlap: str, window_us: int, progress: Progress
) -> list[Period]:
    """The periods in order; windows are `window_us` microseconds long, days are of UTC."""
    if not len(counted.at_us):
        return []
    if overlap == DISJOINT:
        return disjoint_periods(counted, tariff, window_us)
    if overlap == SHORTER_ALLOWED:
        return shorter_periods(counted, tariff, window_us, progress)
    if overlap == CALENDAR_DAYS:
        return _days(counted, tariff)
    return _breaches(counted, tariff, window_us)


def _days(counted: Counted, tariff: Tariff) -> list[Period]:
    days = counted.at_us // DAY_US
    firsts = _firsts(days[1:] != days[:-1])
    posts = counted.before[np.append(firsts[1:], len(days))] - counted.before[firsts]
    return _worthy(tariff, days[firsts] * DAY_US, DAY_US, posts)


def _breaches(counted: Counted, tariff: Tariff, window_us: int) -> list[Period]:
    posts = counted.before[counted.window_ends(window_us)] - counted.before[:-1]
    over = np.flatnonzero(posts > tariff.threshold)
    if not len(over):
        return []
    since_us, posts = counted.at_us[over], posts[over]
    firsts = _firsts(since_us[1:] >= since_us[:-1] + window_us)
    fullest = np.repeat(np.maximum.reduceat(posts, firsts), np.diff(np.append(firsts, len(posts))))
    full = np.flatnonzero(posts == fullest)
    # The earliest of the fullest of each breach: the first of them that is not before its first window.
    earliest = full[np.searchsorted(full, firsts)]
    return _worthy(tariff, since_us[earliest], window_us, posts[earliest])


def _firsts(is_new: np.ndarray) -> Ints:
    """Where runs begin, of which each but the first begins after an index at which `is_new`."""
    return np.append(0, np.flatnonzero(is_new) + 1)


def _worthy(tariff: Tariff, since_us: Ints, length_us: int, posts: Ints) -> list[Period]:
    kept = tariff.worth(posts) > 0
    pairs: Iterable[tuple[int, int]] = zip(since_us[kept].tolist(), posts[kept].tolist(), strict=True)
    return [Period(since, since + length_us, count) for since, count in pairs]
