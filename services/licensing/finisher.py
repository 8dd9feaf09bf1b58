"""The finisher: carries out changes of affiliates whose callers went away, died, or could not wait (M6)."""

import asyncio

import structlog

from services.chassis.refusals import Refusal
from services.licensing.affiliates import AffiliateDesk


class Finisher:
    """Looks at regular intervals, until cancelled."""

    name = "finisher"

    def __init__(self, desk: AffiliateDesk, *, interval_seconds: float) -> None:
        self._desk = desk
        self._interval_seconds = interval_seconds
        self._log = structlog.get_logger(self.name)

    async def run(self) -> None:
        """Finishes until cancelled."""
        while True:
            try:
                await self.finish_all()
            except Refusal as refusal:
                self._log.warning("changes_not_read", reason=refusal.reason)
            await asyncio.sleep(self._interval_seconds)

    async def finish_all(self) -> None:
        """One look. What metering does not take stays, is reported, and holds up no other change.

        Raises Refusal (unavailable) when licensing's database cannot be read.
        """
        for change in await self._desk.unfinished():
            try:
                await self._desk.finish(change)
            except Refusal as refusal:
                self._log.warning("change_unfinished", number=change.number, reason=refusal.reason)
