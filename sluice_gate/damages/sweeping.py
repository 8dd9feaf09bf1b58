"""What disjoint periods share, however long they may be: values to compare sets by, and sweeps in blocks.

A set of periods is better if it is worth more, and of equals if it has fewer periods. Both are one number,
worth x scale - periods, so that a sweep from the last time to the first needs nothing but maxima.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sluice_gate.damages.tariffs import Ints

Values = NDArray[Any]
"""int64 where that holds every value, else Python's integers: slower, and as exact."""
Progress = Callable[[str, int, int], None]
"""Is told what is going on, how much of it is done, and of how much."""

_ROOM = 2**61


class Scale:
    """Makes one number of worth and a period."""

    def __init__(self, most_worth: int, most_periods: int) -> None:
        """`most_worth`: of any set of periods; `most_periods`: that any set holds."""
        self._factor = most_periods + 1
        self._dtype: Any = np.int64 if (most_worth + 1) * self._factor < _ROOM else object

    def values(self, worth: Ints) -> Values:
        """Of single periods: more worth is better, and each period costs a little."""
        return self.of_posts(worth) - 1

    def of_posts(self, worth: Ints) -> Values:
        """Of worth alone."""
        return worth.astype(self._dtype) * self._factor


def blocks(following: Ints) -> Iterator[tuple[int, int]]:
    """Stretches [low, high) of starts, the last first, in which no start needs what follows another of them.

    `following` (never descending, each above its own index) names the first start that each one needs.
    """
    high = len(following)
    while high:
        low = int(np.searchsorted(following, high))
        yield low, high
        high = low


def settle(best: Values, low: int, taken: Values) -> None:
    """Fills `best` from `low` on for starts whose period, if it is taken, brings the values `taken`."""
    high = low + len(taken)
    upwards = np.append(best[high : high + 1], taken[::-1])
    best[low:high] = np.maximum.accumulate(upwards)[:0:-1]
