"""Windows of time that end at a moment and reach back by their length (M1).

A window of length W that ends at t is (t-W, t], exact to the microsecond: what was counted at s is inside
from s until just before s+W, and has left at s+W.
"""

import enum

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
ROLLING_DAY_US = 24 * 60 * MINUTE_US


class Window(enum.IntEnum):
    """The windows that allowances may have; the numbers are those of `sluice.type.v1.Window`."""

    SECOND = 1
    MINUTE = 2
    ROLLING_DAY = 3
    TERM = 4

    @property
    def length_us(self) -> int | None:
        """The length in microseconds; None for a term, which nothing ever leaves."""
        return _LENGTHS_US[self]


_LENGTHS_US = {
    Window.SECOND: SECOND_US,
    Window.MINUTE: MINUTE_US,
    Window.ROLLING_DAY: ROLLING_DAY_US,
    Window.TERM: None,
}


def tail_us(at_us: int, length_us: int | None) -> int:
    """The latest time whose entries have left the window that ends at `at_us`; 0 where nothing leaves."""
    return 0 if length_us is None else max(0, at_us - length_us)


def leaves_at_us(counted_at_us: int, length_us: int) -> int:
    """The first moment at which a window of this length no longer holds what was counted then."""
    return counted_at_us + length_us
