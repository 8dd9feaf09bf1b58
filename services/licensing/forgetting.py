"""Forgets what the sandbox has answered, once nobody can ask for it again.

An answer goes when its request id is too old to be asked with: what is asked again is answered as it was, or
refused, and never decided a second time.
"""

import asyncio
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.ids import MINUTE_US
from services.chassis.refusals import Refusal
from services.licensing.sandbox import OPERATION, REMEMBERED_US

AT_ONCE = 500
"""Answers in one transaction: whoever decides waits for the same writer."""
MARGIN_US = MINUTE_US
"""Kept for longer than requests are taken, for the clocks of other processes that take them."""


class Answers(Protocol):
    """Where answers are kept."""

    async def forget(self, operation: str, before_us: int, limit: int) -> int: ...


class Forgetting:
    """Looks at regular intervals, until cancelled."""

    name = "sandbox"

    def __init__(self, answers: Answers, clock: Clock, *, interval_seconds: float) -> None:
        self._answers = answers
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._log = structlog.get_logger(self.name)

    async def run(self) -> None:
        """Forgets until cancelled."""
        while True:
            try:
                await self.forget_all()
            except Refusal as refusal:
                self._log.warning("answers_not_forgotten", reason=refusal.reason)
            await asyncio.sleep(self._interval_seconds)

    async def forget_all(self) -> None:
        """One look. Raises Refusal (unavailable) when licensing's database cannot be reached."""
        before_us = self._clock.now_us() - REMEMBERED_US - MARGIN_US
        while await self._answers.forget(OPERATION, before_us, AT_ONCE) == AT_ONCE:
            continue
