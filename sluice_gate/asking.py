"""Asks licensing until it answers: the same call again while that may help, for so long and no longer.

A repeated call carries the same id, so however often it is sent it is decided once and charged once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice_gate.answers import Answer
from sluice_gate.client import Licensing
from sluice_gate.clocks import Clock
from sluice_gate.errors import CallRefused

FIRST_PAUSE_US = 50_000
LONGEST_PAUSE_US = 2_000_000
DEFAULT_GIVE_UP_AFTER_US = 60_000_000

_Result = TypeVar("_Result")


class Asking:
    """Decisions and confirmations, with patience."""

    def __init__(
        self, licensing: Licensing, clock: Clock, give_up_after_us: int, stop: asyncio.Event
    ) -> None:
        """`give_up_after_us`: from the first failure of a call. `stop`: when set, nothing is repeated."""
        self._licensing = licensing
        self._clock = clock
        self._give_up_after_us = give_up_after_us
        self._stop = stop

    async def decide(self, request: DecideRequest) -> Answer:
        """The answer to a request. Raises CallRefused and AnswerInvalid."""

        async def once() -> Answer:
            if self._stop.is_set():
                raise CallRefused("INTERRUPTED", "the job was told to stop", passing=True)
            # Taken before each sending: the validity in a repeated answer counts from the repetition.
            sent_us = self._clock.elapsed_us()
            return Answer.read(request, await self._licensing.decide(request), sent_us)

        return await self._persist(once)

    async def confirm(self, decision_id: str, delivered: bytes) -> None:
        """Confirms a delivery. Raises CallRefused."""
        await self._persist(lambda: self._licensing.confirm(decision_id, delivered))

    async def pause(self, us: int) -> None:
        """Waits, but not longer than until the job is to stop."""
        waits = [asyncio.ensure_future(wait) for wait in (self._clock.sleep_us(us), self._stop.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _persist(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        failing_since: int | None = None
        pause_us = FIRST_PAUSE_US
        while True:
            try:
                return await call()
            except CallRefused as refusal:
                now_us = self._clock.elapsed_us()
                failing_since = now_us if failing_since is None else failing_since
                given_up = now_us - failing_since >= self._give_up_after_us
                if not refusal.passing or given_up or self._stop.is_set():
                    raise
                await self.pause(max(pause_us, min(refusal.retry_after_us or 0, LONGEST_PAUSE_US)))
            pause_us = min(2 * pause_us, LONGEST_PAUSE_US)
