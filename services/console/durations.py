"""Lengths of time as people write them: 90s, 15m, 24h, 7d. All of them are whole microseconds."""

import math
import re

_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_NAMES = {"us": "microsecond", "ms": "millisecond", "s": "second", "m": "minute", "h": "hour", "d": "day"}
_WRITTEN = re.compile(r"([0-9]{1,18})(us|ms|s|m|h|d)")

LONGEST_US = 315_576_000 * 1_000_000
"""Ten years, the longest window that the contract of usage takes."""


def read(text: str) -> int:
    """Microseconds, at least 1 and at most ten years; raises ValueError."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise ValueError(f"a duration like 90s, 15m, 24h or 7d is expected, not {text!r}")
    us = int(match[1]) * _UNITS_US[match[2]]
    if not 0 < us <= LONGEST_US:
        raise ValueError(f"a duration of more than nothing and at most ten years is expected, not {text!r}")
    return us


def patience(us: int) -> str:
    """For people who wait, rounded up: "0.5 s", "59 s", "12 minutes", "24 hours", "8 days"."""
    if us < 2 * _UNITS_US["m"]:
        return f"{math.ceil(us / 100_000) / 10:g} s"
    unit = "m" if us < 2 * _UNITS_US["h"] else "h" if us < 3 * _UNITS_US["d"] else "d"
    return f"{math.ceil(us / _UNITS_US[unit]):,} {_NAMES[unit]}s"


def words(us: int) -> str:
    """For people, in the largest unit that it is a whole number of: "24 hours", "1 second", "7 days"."""
    unit = next(unit for unit in reversed(_UNITS_US) if us % _UNITS_US[unit] == 0)
    count = us // _UNITS_US[unit]
    if (unit, count) == ("d", 1):
        # A day may be one of the calendar; a window never is (M1).
        unit, count = "h", 24
    return f"{count:,} {_NAMES[unit]}{'' if count == 1 else 's'}"
