"""Looks at what waits in licensing's database to be told to others, for the figures of the service.

Read from the rows, so that it is the same whichever process sends them, and after a restart.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.licensing.metrics import (
    ANNOUNCEMENT_AGE_SECONDS,
    ANNOUNCEMENTS_WAITING,
    OUTBOX_AGE_SECONDS,
    OUTBOX_PARKED,
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
    oldest_message_us: int | None
    """When the first of them was written, microseconds UTC."""
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

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock

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
        OUTBOX_AGE_SECONDS.set(self._age_seconds(seen.oldest_message_us))
        ANNOUNCEMENTS_WAITING.set(seen.announcements)
        ANNOUNCEMENT_AGE_SECONDS.set(self._age_seconds(seen.oldest_announcement_us))

    def _age_seconds(self, since_us: int | None) -> float:
        # What another process wrote may be of a clock that is ahead.
        return 0.0 if since_us is None else max(0, self._clock.now_us() - since_us) / SECOND_US
