"""Brings the index to the head, for all who ask at once, and keeps the figures of how far it was behind.

What is awaited begins after the call that awaits it (C9); what fails, fails for all of them (C10).
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from services.chassis.clock import Clock
from services.consent.domain.changes import Follower, Revision
from services.consent.freshness import SharedRead
from services.consent.index import Index
from services.consent.metrics import (
    CHOICE_TO_EFFECT_SECONDS,
    DATABASE,
    INDEX_CURRENT,
    INDEX_LAG,
    INDEX_WAIT_SECONDS,
)

SECOND_US = 1_000_000
EXPECTED_AT_MOST = 10_000
"""Choices that are timed at once; of more the oldest are not, which have waited longest for a database that
cannot be read."""


class History(Protocol):
    """Where the head is."""

    async def follow(self, follower: Follower) -> None: ...


class Following:
    """One for each index; `tick` is a time in seconds that nobody sets."""

    def __init__(
        self, history: History, index: Index, clock: Clock, tick: Callable[[], float] = time.perf_counter
    ) -> None:
        self._history = history
        self._index = index
        self._clock = clock
        self._tick = tick
        self._looks = SharedRead(self._look)
        self._expected = deque[tuple[Revision, float]](maxlen=EXPECTED_AT_MOST)

    async def catch_up(self) -> None:
        """Returns when the index is at a head read after this call; raises what cannot be read."""
        await self._looks.get()

    async def catch_up_for_check(self) -> None:
        """The same, for somebody who waits for an answer."""
        began = self._tick()
        await self._looks.get()
        INDEX_WAIT_SECONDS.observe(self._tick() - began)

    def expect(self, revision: Revision) -> None:
        """A choice was committed just now: how long until the index has it?"""
        self._expected.append((revision, self._tick()))

    async def _look(self) -> None:
        before, began_us = self._index.revision, self._clock.now_us()
        await self._history.follow(self._index)
        INDEX_CURRENT.labels(DATABASE).set(began_us / SECOND_US)
        after = self._index.view().revision
        # Of the whole history, read at the start or in another epoch, nothing can be said to be behind.
        behind = after.number - before.number if before is not None and before.epoch == after.epoch else 0
        INDEX_LAG.set(behind)
        while self._expected and self._expected[0][0] <= after:
            _, committed = self._expected.popleft()
            CHOICE_TO_EFFECT_SECONDS.observe(self._tick() - committed)
