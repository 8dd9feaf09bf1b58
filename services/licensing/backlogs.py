"""Looks at what waits in licensing's database to be told to others, for the figures of the service.

Read from the rows, so that it is the same whichever process sends them, and after a restart.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.licensing.metrics import (
    ANNOUNCEMENT_AGE_SECONDS,
    ANNOUNCEMENTS_WAITING,
    OUTBOX_PARKED,
    OUTBOX_STUCK_SECONDS,
    OUTBOX_WAITING,
)

EVERY_SECONDS = 10.0
"""Between looks; figures are fetched every 15 s or so."""
COUNTED = 10_000
"""Rows that are counted at most: more is as bad, and counting them all would not help."""
SECOND_US = 1_000_000


@dataclass(frozen=True)
class Backlogs:
    """What waits, as of one moment; numbers are `COUNTED` at most."""

    messages: int
    """To metering, to be sent."""
    oldest_message: int | None
    """Its number."""
    parked: int
    """To metering, refused for good."""
    announcements: int
    oldest_announcement_us: int | None
    """Since when it waits, microseconds UTC."""


class Rows(Protocol):
    """Where they wait."""

    async def backlogs(self, most: int) -> Backlogs: ...


class BacklogWatch:
    """Looks at regular intervals, until cancelled."""

    name = "backlogs"

    def __init__(self, rows: Rows, clock: Clock, tick: Callable[[], float]) -> None:
        """`tick` is a time in seconds that nobody sets, such as `time.monotonic`."""
        self._rows = rows
        self._clock = clock
        self._tick = tick
        self._oldest: tuple[int, float] | None = None
        """The oldest message, and when it was first seen to be that."""

    async def run(self) -> None:
        """Until it is cancelled."""
        log = structlog.get_logger(self.name)
        while True:
            try:
                await self.look()
            except Refusal as refusal:
                log.warning("backlogs_not_seen", reason=refusal.reason)
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Shows what waits. Raises Refusal (unavailable) when licensing's database cannot be reached."""
        seen = await self._rows.backlogs(COUNTED)
        OUTBOX_WAITING.set(seen.messages)
        OUTBOX_PARKED.set(seen.parked)
        OUTBOX_STUCK_SECONDS.set(self._stuck_seconds(seen.oldest_message))
        ANNOUNCEMENTS_WAITING.set(seen.announcements)
        since_us = seen.oldest_announcement_us
        age_us = 0 if since_us is None else max(0, self._clock.now_us() - since_us)
        ANNOUNCEMENT_AGE_SECONDS.set(age_us / SECOND_US)

    def _stuck_seconds(self, oldest: int | None) -> float:
        now = self._tick()
        if oldest is None:
            self._oldest = None
            return 0.0
        if self._oldest is None or self._oldest[0] != oldest:
            self._oldest = oldest, now
        return now - self._oldest[1]
