"""The sweeper: settles releases whose permits ran out, and resolves holds that nobody else will.

Metering frees nothing by itself (M2), so a hold whose process died counts until licensing has looked at it.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.licensing.domain.attempts import OpenHold
from services.licensing.ledger import EXPIRED_AT_ONCE, Ledger
from services.licensing.metrics import HOLDS_OVERDUE, SWEPT
from services.licensing.resolving import Resolver

SECOND_US = 1_000_000


class Meter(Protocol):
    """Who knows the holds."""

    async def holds(self, before_us: int, page_token: str) -> tuple[Sequence[OpenHold], str]: ...


class Sweeper:
    """Looks at regular intervals, until cancelled."""

    name = "sweeper"

    def __init__(
        self,
        ledger: Ledger,
        resolver: Resolver,
        meter: Meter,
        clock: Clock,
        *,
        age_us: int,
        interval_seconds: float,
    ) -> None:
        """`age_us` is how old a hold must be; one still being decided is safe all the same, only wasted."""
        self._ledger = ledger
        self._resolver = resolver
        self._meter = meter
        self._clock = clock
        self._age_us = age_us
        self._interval_seconds = interval_seconds
        self._log = structlog.get_logger(self.name)

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                await self.sweep()
            except Refusal as refusal:
                self._log.warning("sweep_cut_short", reason=refusal.reason)
            await asyncio.sleep(self._interval_seconds)

    async def sweep(self) -> None:
        """One look. Raises Refusal (unavailable) when licensing's database or metering cannot be reached."""
        while await self._ledger.settle_expired() == EXPIRED_AT_ONCE:
            continue
        before_us, page_token = self._clock.now_us() - self._age_us, ""
        found = 0
        while True:
            holds, page_token = await self._meter.holds(before_us, page_token)
            found += len(holds)
            if holds:
                self._report(await self._resolver.resolve(holds))
            if not page_token:
                break
        HOLDS_OVERDUE.set(found)
        SWEPT.set(self._clock.now_us() / SECOND_US)

    def _report(self, lost: Sequence[OpenHold]) -> None:
        """Says of each that it counts in full, though nobody knows what it was for (R5)."""
        for hold in lost:
            self._log.warning(
                "hold_of_a_lost_decision",
                reservation_id=hold.reservation_id,
                posts=hold.posts,
                counted_at_us=hold.counted_at_us,
            )
