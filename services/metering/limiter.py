"""Answers the gateway: is there room for this call in each of its limits? If so it is counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.chassis.refusals import precondition
from services.metering.domain.rates.fullness import Fullness
from services.metering.domain.rates.limits import Descriptor, Limited, RateLimit, RateLimits, limited
from services.metering.domain.rates.rulings import Asked, Ruling, Standing
from services.metering.metrics import LIMITED_CALLS, UNLIMITED_CALLS

MOST_FULL = 50_000
"""Limits that are known to be full: some 15 MB at most."""
MOST_SAID = 1_000
"""Kinds of descriptors without a limit that are named in the log, each once."""

_log = structlog.get_logger(__name__)


class Windows(Protocol):
    """The durable store: what was let through is counted there after any crash."""

    async def count(self, asked: Asked) -> Ruling:
        """Decides as `rulings.rule` says, after all that were decided before, whichever process did."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call."""

    standings: Sequence[Standing | None]
    """One for each descriptor; None where it has no limit, or where nobody looked at it."""
    denying: Sequence[Standing]
    """The limits that keep it out; none where it was counted."""
    now_us: int
    """When this was answered."""


class Limiter:
    """Counts calls from outside in the limits that a file says."""

    def __init__(
        self, windows: Windows, limits: Callable[[], RateLimits | None], now_us: Callable[[], int]
    ) -> None:
        """`limits` gives those that hold now, None where no file is set."""
        self._windows = windows
        self._limits = limits
        self._now_us = now_us
        self._full = Fullness(MOST_FULL)
        self._said: set[tuple[str, ...]] = set()

    async def ask(self, domain: str, descriptors: Sequence[Descriptor], calls: int) -> Answer:
        """Counts a call in the limits of all its descriptors, or in none.

        Raises Refusal LIMITS_NOT_SET, and those of the database: what cannot be counted is not let through.
        """
        limits = self._limits()
        if limits is None:
            message = "no file of limits is set (SLUICE_METERING_LIMITS_FILE)"
            raise precondition("LIMITS_NOT_SET", message)
        found = [self._find(limits, domain, descriptor) for descriptor in descriptors]
        own = {each.key: each for each in found if each is not None}
        ruling = await self._rule(Asked(tuple(own.values()), calls)) if own else Ruling({}, self._now_us())
        _tally(ruling)
        standings = [None if each is None else ruling.standings.get(each.key) for each in found]
        return Answer(standings, ruling.denying, self._now_us())

    async def _rule(self, asked: Asked) -> Ruling:
        if (known := self._full.rule(asked, self._now_us())) is not None:
            return known
        ruling = await self._windows.count(asked)
        self._full.learn(asked, ruling)
        return ruling

    def _find(self, limits: RateLimits, domain: str, descriptor: Descriptor) -> Limited | None:
        found = limits.find(domain, descriptor)
        if found is None:
            self._say_unlimited(domain, descriptor)
        return limited(domain, descriptor, found) if isinstance(found, RateLimit) else None

    def _say_unlimited(self, domain: str, descriptor: Descriptor) -> None:
        UNLIMITED_CALLS.inc()
        # Values are addresses and names of callers, of which nothing is told.
        kind = (domain, *(key for key, _ in descriptor))
        if kind not in self._said and len(self._said) < MOST_SAID:
            self._said.add(kind)
            _log.warning("no limit is set for a descriptor", domain=domain, keys=kind[1:])


def _tally(ruling: Ruling) -> None:
    is_denied = bool(ruling.denying)
    for each in ruling.standings.values():
        outcome = "denied" if each.denies else "would_deny" if each.is_over else "allowed"
        if outcome != "allowed" or not is_denied:
            LIMITED_CALLS.labels(each.limited.limit.name, outcome).inc()
