"""Limits on calls, and which of them a descriptor of the gateway is counted in.

The lines of a file of limits are a tree, as those of envoyproxy/ratelimit are: a descriptor is followed from
its first entry on, and has the limit of the line that its last entry leads to, if there is one. A line of a
key and a value goes before one of the key alone, and under the latter each value has a limit of its own.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US

Entry = tuple[str, str]
"""Key and value."""
Descriptor = tuple[Entry, ...]
"""What a call is counted by, from the widest to the narrowest."""


class Unit(enum.IntEnum):
    """Length of a window, numbered as in Envoy's contract."""

    SECOND = 1
    MINUTE = 2
    HOUR = 3
    DAY = 4

    @property
    def length_us(self) -> int:
        """In microseconds."""
        return _LENGTHS_US[self]


_LENGTHS_US = {
    Unit.SECOND: SECOND_US,
    Unit.MINUTE: MINUTE_US,
    Unit.HOUR: HOUR_US,
    Unit.DAY: ROLLING_DAY_US,
}


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many calls in any window of this length (M1)."""

    name: str
    """For people, logs and figures; nothing is counted by it."""
    calls: int
    unit: Unit
    is_shadow: bool = False
    """Only tried out: it counts and never denies."""


class Unlimited(enum.Enum):
    """Said of a descriptor in the file: that it has no limit is no oversight."""

    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Line:
    """What the file says of one entry, and of those that follow it."""

    limit: RateLimit | Unlimited | None
    below: Mapping[tuple[str, str | None], "Line"]
    """By key and value; None stands for every value that has no line of its own."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """A file of limits."""

    domain: str
    root: Line

    def find(self, domain: str, descriptor: Descriptor) -> RateLimit | Unlimited | None:
        """The limit of a descriptor; None where the file has no line for it."""
        if domain != self.domain:
            return None
        line = self.root
        for key, value in descriptor:
            following = line.below.get((key, value)) or line.below.get((key, None))
            if following is None:
                return None
            line = following
        return line.limit


@dataclass(frozen=True, slots=True)
class Limited:
    """A limit as it is for one descriptor."""

    key: str
    """What its calls are counted under: SHA-256 in hex, so that no address or name is stored."""
    limit: RateLimit


def limited(domain: str, descriptor: Descriptor, limit: RateLimit) -> Limited:
    """The limit of a descriptor.

    The key names the unit: a window that becomes longer would lack what has left the shorter one, so it
    begins anew. It does not name the number of calls, which may be changed at any time.
    """
    named = json.dumps([domain, descriptor, limit.unit], separators=(",", ":"))
    return Limited(hashlib.sha256(named.encode()).hexdigest(), limit)
