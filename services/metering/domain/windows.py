"""Windows of time that end at a moment and reach back by their length (M1).

A window of length W that ends at t is (t-W, t], exact to the microsecond: what was counted at s is inside
from s until just before s+W, and has left at s+W. A length is in microseconds; 0 is a term, which nothing
ever leaves.
"""

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
ROLLING_DAY_US = 24 * HOUR_US
TERM = 0


def tail_us(at_us: int, window_us: int) -> int:
    """The latest time whose entries have left the window that ends at `at_us`; 0 where nothing leaves."""
    return max(0, at_us - window_us) if window_us else 0


def leaves_at_us(counted_at_us: int, window_us: int) -> int:
    """The first moment at which a window of this length no longer holds what was counted then."""
    return counted_at_us + window_us
