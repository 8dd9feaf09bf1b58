"""Keeps the sums by second, minute and hour in step, beside the calls."""

import asyncio
from typing import Protocol

import structlog

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey
from services.metering.domain.reservations import Revision

AFTER_FAULT_SECONDS = 30.0
"""A fault is likely to be there again; one line in the log for each time will do."""

_log = structlog.get_logger(__name__)


class Projections(Protocol):
    """The sums, as they are stored."""

    async def advance(self) -> bool:
        """Adds the next entries to them, or drops some first; whether there may be more.

        Of several processes one does it at a time; to the others there is no more for now.
        """
        ...

    async def drop(self, key: ReplayKey, now_us: int) -> Revision:
        """Has them dropped and made anew, once for each key; up to where they will be made."""
        ...


class Projector:
    """Adds what is new, whenever there is something."""

    name = "projector"

    def __init__(self, projections: Projections, *, interval_seconds: float) -> None:
        """`interval_seconds`: how long it rests when there is nothing to do."""
        self._projections = projections
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        failing = False
        while True:
            try:
                more = await self._projections.advance()
            except Refusal as refusal:
                if not failing:
                    _log.warning("sums of usage cannot be kept", reason=refusal.reason)
                failing, more = True, False
            except Exception:
                # Answers do without the sums, and decisions never need them: no reason to end the process.
                _log.exception("sums of usage cannot be kept")
                failing, more = True, False
                await asyncio.sleep(AFTER_FAULT_SECONDS)
            else:
                failing = False
            # Also with more to do others come first: their changes wait for the same writer.
            await asyncio.sleep(0 if more else self._interval_seconds)
