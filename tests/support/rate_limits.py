"""Builders for limits on calls, windows that are kept in memory, and the slow truth to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.chassis.clock import Clock
from services.metering.domain.rates.limits import Limited, Line, RateLimit, RateLimits, Unit
from services.metering.domain.rates.rulings import Asked, Ruling, rule
from services.metering.domain.rates.windows import CallWindow

YAML = """
domain: gateway
descriptors:
  - key: principal
    rate_limit: {name: one caller, unit: second, requests_per_unit: 2}
    descriptors:
      - key: method
        value: /a/Slow
        rate_limit: {name: slow method, unit: minute, requests_per_unit: 1}
  - key: kind
    value: licensee
    rate_limit: {name: all licensees, unit: second, requests_per_unit: 3}
  - key: kind
    value: auditor
    rate_limit: {unlimited: true}
  - key: remote_prefix
    rate_limit: {name: one stranger, unit: minute, requests_per_unit: 1}
"""


def a_rate_limit(calls: int = 2, unit: Unit = Unit.SECOND, *, is_shadow: bool = False) -> RateLimit:
    """Two calls a second unless said."""
    return RateLimit(f"{calls} a {unit.name.lower()}", calls, unit, is_shadow)


def a_limited(
    key: str = "a", calls: int = 2, unit: Unit = Unit.SECOND, *, is_shadow: bool = False
) -> Limited:
    """The same, under a key."""
    return Limited(key, a_rate_limit(calls, unit, is_shadow=is_shadow))


def a_call(*limits: Limited, calls: int = 1) -> Asked:
    """A call to be counted, in one limit unless said."""
    return Asked(limits or (a_limited(),), calls)


def limits_by_key(**limits: RateLimit) -> RateLimits:
    """A limit for each key, whatever its value; of the domain "gateway"."""
    lines: Mapping[tuple[str, str | None], Line] = {
        (key, None): Line(each, {}) for key, each in limits.items()
    }
    return RateLimits("gateway", Line(None, lines))


@dataclass
class MemoryRateWindows:
    """Satisfies `limiter.Windows`; how often it was asked can be seen."""

    clock: Clock
    asked: int = 0
    _windows: dict[str, CallWindow] = field(default_factory=dict)

    async def count(self, asked: Asked) -> Ruling:
        """Decides at once."""
        self.asked += 1
        for each in asked.limits:
            self._windows.setdefault(each.key, CallWindow.empty(each.limit.unit.length_us))
        return rule(self._windows, asked, self.clock.now_us())


@dataclass
class EveryCall:
    """All calls that were ever let through, each looked at anew for each question."""

    calls: list[tuple[str, int, int]] = field(default_factory=list)
    """Key, moment, and as how many it counts."""

    def used(self, limited: Limited, at_us: int) -> int:
        """What is inside the window that ends then."""
        after_us = at_us - limited.limit.unit.length_us
        return sum(
            calls for key, moment, calls in self.calls if key == limited.key and after_us < moment <= at_us
        )

    def fits(self, limited: Limited, calls: int, at_us: int) -> bool:
        """Whether there is room."""
        return self.used(limited, at_us) + calls <= limited.limit.calls

    def fits_at_us(self, limited: Limited, calls: int, at_us: int) -> int | None:
        """The first moment at which there is: now, or one at which some call leaves."""
        length_us = limited.limit.unit.length_us
        leaving = sorted(moment + length_us for key, moment, _ in self.calls if key == limited.key)
        moments = [at_us, *(moment for moment in leaving if moment > at_us)]
        return next((moment for moment in moments if self.fits(limited, calls, moment)), None)

    def count(self, asked: Asked, at_us: int) -> bool:
        """Whether the call is let through; if so it is among them."""
        has_room = [each for each in asked.limits if self.fits(each, asked.calls, at_us)]
        if any(each not in has_room and not each.limit.is_shadow for each in asked.limits):
            return False
        self.calls += [(each.key, at_us, asked.calls) for each in has_room]
        return True

    def fullest(self, limited: Limited) -> int:
        """The most that any window has held: one that ends at some call."""
        return max((self.used(limited, moment) for _, moment, _ in self.calls), default=0)
