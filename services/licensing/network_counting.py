"""Anonymous calls to content, counted by network and told to metering as accesses seen elsewhere (M7).

Each row has an id of this process, so that however often it is told it is counted once. What has not been
told when the process dies is lost: an interval, and whatever metering did not take before.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.licensing.domain.doors.tallies import Row, Tally

MOST_NETWORKS = 20_000
"""Counts that wait: some MB. Beyond it the oldest are counted together."""
NAMED = 500
"""Networks of an interval that are told by name, the busiest: each is a row that metering keeps for good. At
60 s an interval that is 720,000 rows a day at the very most; those who read much are among them."""
LARGEST_ROW = 2**31 - 1
"""Posts in one row, as metering takes them."""
ROWS_A_PAGE = 2_000
LAST_SECONDS = 2.0
"""How long a process that ends tries to tell what it has."""

_log = structlog.get_logger("networks")


class Meter(Protocol):
    """Who is told."""

    async def report(self, rows: Sequence[Row]) -> Sequence[str]: ...


class NetworkCounter:
    """Counts, and tells in the background until it is cancelled."""

    name = "networks"

    def __init__(
        self, meter: Meter, clock: Clock, show: Callable[[str, int], None], *, interval_seconds: float
    ) -> None:
        """`show` is told how many calls were "told", "merged" under
        `OTHER`, or "refused" by metering."""
        self._meter = meter
        self._clock = clock
        self._show = show
        self._interval_seconds = interval_seconds
        self._tally = Tally(MOST_NETWORKS, LARGEST_ROW, NAMED)
        self._merged = 0

    def count(self, network: str) -> None:
        """One call."""
        self._tally.count(network, self._clock.now_us())

    async def run(self) -> None:
        """Tells at each interval; once more at the end, when no calls come any more."""
        try:
            while True:
                await asyncio.sleep(self._interval_seconds)
                await self._try_to_tell()
        except asyncio.CancelledError:
            try:
                async with asyncio.timeout(LAST_SECONDS):
                    await self._try_to_tell()
            except TimeoutError:
                _log.warning("anonymous calls were not told in time")
            raise

    async def tell(self) -> None:
        """Closes the interval and tells all that waits. Raises Refusal where metering does not take it; it is
        told again then.
        """
        self._tally.close()
        self._show("merged", self._tally.merged - self._merged)
        self._merged = self._tally.merged
        while rows := self._tally.page(ROWS_A_PAGE):
            reasons = await self._meter.report(rows)
            self._tally.told()
            self._account(rows, reasons)

    async def _try_to_tell(self) -> None:
        try:
            await self.tell()
        except Refusal as refusal:
            _log.warning("anonymous calls wait to be counted", reason=refusal.reason)
        except Exception:
            _log.exception("anonymous calls wait to be counted")

    def _account(self, rows: Sequence[Row], reasons: Sequence[str]) -> None:
        for row, reason in zip(rows, reasons, strict=True):
            self._show("refused" if reason else "told", row.tallied.calls)
        if refused := sorted({reason for reason in reasons if reason}):
            _log.error("anonymous calls were not counted", reasons=refused)
