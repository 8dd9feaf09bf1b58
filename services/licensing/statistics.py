"""Keeps the sums of decisions in step with the ledger, beside the calls.

A decision never waits for this, nor for those who read it: the sums may be behind, and whoever reads adds
what they lack, or comes back when they lack less.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey
from services.licensing.domain.statistics import Place, Row, Stretch

EVERY_SECONDS = 5.0
"""Between looks when there is nothing to add: a few hundred decisions then, which a read adds by itself."""
AFTER_FAULT_SECONDS = 30.0

_log = structlog.get_logger("statistics")


@dataclass(frozen=True)
class Question:
    """Which counts are wanted; times are microseconds UTC and lie at beginnings of stretches."""

    stretch: Stretch
    since_us: int | None
    """None: from the first decision."""
    until_us: int | None
    """None: up to the last one."""
    licensee_id: str | None
    """None: all of them."""
    after: Place | None
    """The place that the page before ended with."""
    limit: int
    """Rows."""
    together: bool = False
    """One row for each stretch, of all licensees and purposes that are asked for."""

    def is_after(self, place: Place) -> bool:
        """Whether a place comes after the page before."""
        if self.after is None:
            return True
        return place.since_us > self.after.since_us if self.together else place > self.after


@dataclass(frozen=True)
class Page:
    """Counts, and as of when."""

    rows: Sequence[Row]
    more: bool
    as_of_number: int
    """The number of the last receipt that is counted."""


class Sums(Protocol):
    """The sums, as they are stored."""

    async def advance(self) -> bool:
        """Adds the next decisions to them, or drops some first; whether there may be more to do."""
        ...

    async def page(self, question: Question) -> Page:
        """Exact counts; Refusal (STATS_BEHIND, STATS_BUSY) where that would take too long."""
        ...

    async def drop(self, key: ReplayKey, now_us: int) -> int:
        """Has them made anew, once for each key; the receipt number up to which they will be made."""
        ...


class Counting:
    """Adds what is new, for as long as the service runs."""

    name = "statistics"

    def __init__(self, sums: Sums) -> None:
        self._sums = sums

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            rest_seconds = await self._look()
            # Also with more to do others come first: their changes wait for the same writer.
            await asyncio.sleep(rest_seconds)

    async def _look(self) -> float:
        """Adds some; how many seconds to rest before the next look."""
        try:
            return 0 if await self._sums.advance() else EVERY_SECONDS
        except Refusal as refusal:
            _log.warning("decisions cannot be counted", reason=refusal.reason)
            return EVERY_SECONDS
        except Exception:
            # Answers do without the sums, and decisions never need them: no reason to end the process.
            _log.exception("decisions cannot be counted")
            return AFTER_FAULT_SECONDS
