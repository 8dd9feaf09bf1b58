"""The calls of one limit inside the window that ends now: (t-W, t], exact to the microsecond (M1)."""

import numpy as np
from numpy.typing import NDArray

from services.metering.domain.windows import leaves_at_us

Int64s = NDArray[np.int64]


class CallWindow:
    """When calls were counted; it is never asked about a time before one that it knows."""

    def __init__(self, length_us: int, moments: Int64s, calls: Int64s) -> None:
        """`moments` in microseconds UTC, rising, and `calls` at each of them; both are its own to change."""
        self._length_us = length_us
        self._moments = moments
        self._calls = calls
        self.used = int(calls.sum())
        """Calls inside."""
        self.as_of_us = int(moments[-1]) if len(moments) else 0
        """The latest moment that it was asked about or knows; 0 for none."""
        self.is_changed = False
        """Whether any was added."""

    @classmethod
    def empty(cls, length_us: int) -> "CallWindow":
        """One that has counted nothing."""
        return cls(length_us, np.empty(0, np.int64), np.empty(0, np.int64))

    @property
    def columns(self) -> Int64s:
        """Moments and calls, in this order: an array of 2 rows."""
        return np.stack((self._moments, self._calls))

    def move_to(self, at_us: int) -> None:
        """Drops what has left the window that ends at `at_us`, which is not before `as_of_us`."""
        self.as_of_us = at_us
        gone = int(np.searchsorted(self._moments, at_us - self._length_us, side="right"))
        if gone:
            self.used -= int(self._calls[:gone].sum())
            self._moments, self._calls = self._moments[gone:], self._calls[gone:]

    def add(self, calls: int) -> None:
        """Counts calls at the moment that it was moved to."""
        self.used += calls
        self.is_changed = True
        if len(self._moments) and self._moments[-1] == self.as_of_us:
            # Calls that are decided together share their moment.
            self._calls[-1] += calls
            return
        self._moments = np.append(self._moments, self.as_of_us)
        self._calls = np.append(self._calls, calls)

    def frees_at_us(self) -> int | None:
        """When the first of the calls inside leaves; None where there are none."""
        return leaves_at_us(int(self._moments[0]), self._length_us) if len(self._moments) else None

    def fits_at_us(self, most: int, calls: int, at_us: int) -> int | None:
        """From when on there is room for so many more under `most`, if no other comes before (M8).

        Not before `at_us`; None where there never is.
        """
        if calls > most:
            return None
        too_many = self.used + calls - most
        if too_many <= 0:
            return at_us
        leaving = int(np.searchsorted(np.cumsum(self._calls), too_many))
        return leaves_at_us(int(self._moments[leaving]), self._length_us)
