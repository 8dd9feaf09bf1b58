"""The greatest of any stretch of an array that is filled from its end."""

import numpy as np

from sluice_gate.damages.sweeping import Values
from sluice_gate.damages.tariffs import Ints

_LEAST = -(2**62)


class Maxima:
    """Maxima of pairs, of pairs of these, and so on: twice the size of the array in all."""

    def __init__(self, values: Values) -> None:
        """Only size and type are taken from `values`; nothing is known yet."""
        size = 1 << max(0, len(values) - 1).bit_length()
        self._levels = []
        while size:
            self._levels.append(np.full(size, _LEAST, values.dtype))
            size //= 2

    def put(self, low: int, values: Values) -> None:
        """Makes values known from index `low` on."""
        high = low + len(values)
        self._levels[0][low:high] = values
        for finer, level in zip(self._levels, self._levels[1:], strict=False):
            low, high = low // 2, (high + 1) // 2
            level[low:high] = np.maximum(finer[2 * low : 2 * high : 2], finer[2 * low + 1 : 2 * high : 2])

    def over(self, first: Ints, end: Ints) -> Values:
        """The greatest in each [first, end); something far below all values where that is empty."""
        found = np.full(len(first), _LEAST, self._levels[0].dtype)
        lanes = np.flatnonzero(first < end)
        first, end = first[lanes], end[lanes]
        for level in self._levels:
            if not len(lanes):
                break
            self._take(found, lanes, level, first, (first & 1) == 1)
            self._take(found, lanes, level, end - 1, (end & 1) == 1)
            first, end = (first + 1) >> 1, end >> 1
            going = first < end
            lanes, first, end = lanes[going], first[going], end[going]
        return found

    @staticmethod
    def _take(found: Values, lanes: Ints, level: Values, index: Ints, where: Values) -> None:
        found[lanes[where]] = np.maximum(found[lanes[where]], level[index[where]])
