"""The fullest rolling window: when it was, and how full (M1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Peak:
    """The fullest window that ends in (since, until]."""

    since_us: int
    until_us: int
    posts: int
    at_us: int | None
    """The first time at which a window that full ends; None where none holds any post."""


def peaks(times_us: Ints, posts: Ints, window_us: int, bounds_us: Ints) -> list[Peak]:
    """A peak for each part (bounds[i], bounds[i + 1]].

    `times_us` are sorted, each once, with what counts at each in `posts` (never less than 0); both reach back
    to one window before the first bound. A window ends just before what is a length later leaves it, so that
    it is fullest where something is counted, or at the very beginning of a part.
    """
    sums = np.concatenate(([0], np.cumsum(posts)))
    filled = sums[1:] - sums[np.searchsorted(times_us, times_us - window_us, side="right")]
    firsts = bounds_us[:-1] + 1
    at_first = sums[np.searchsorted(times_us, firsts, side="right")]
    carried = at_first - sums[np.searchsorted(times_us, firsts - window_us, side="right")]
    edges = np.searchsorted(times_us, bounds_us, side="right")
    return [
        _peak(times_us, filled, edges[part : part + 2], int(carried[part]), bounds_us[part : part + 2])
        for part in range(len(bounds_us) - 1)
    ]


def _peak(times_us: Ints, filled: Ints, edges: Ints, carried: int, bounds_us: Ints) -> Peak:
    first, end = edges
    since_us, until_us = int(bounds_us[0]), int(bounds_us[1])
    if end > first:
        place = int(first + np.argmax(filled[first:end]))
        if filled[place] > carried:
            return Peak(since_us, until_us, int(filled[place]), int(times_us[place]))
    return Peak(since_us, until_us, carried, since_us + 1 if carried else None)


def equal_parts(since_us: int, until_us: int, parts: int) -> Ints:
    """The bounds of so many parts of (since, until], as equal as whole microseconds allow; none is empty."""
    parts = min(parts, until_us - since_us)
    steps = [since_us + (until_us - since_us) * part // parts for part in range(parts + 1)]
    return np.array(steps, np.int64)
