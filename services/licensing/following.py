"""The follower: reads consent's withdrawals as they come, and moves the fence to the newest of them (W5).

What it has in hand is lost with the process and read again: the position that counts, `scanned`, is in the
database. The fence is what makes a scan complete: no release concludes on an older answer once it has moved.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Protocol, TypeVar

import structlog

from services.chassis.clock import Clock
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.recalls import AFTER_FAULT_SECONDS, PAUSE_SECONDS, Positions, log_fault

SECOND_US = 1_000_000

T = TypeVar("T")

_log = structlog.get_logger("follower")


class Withdrawals(Protocol):
    """Consent's stream."""

    def follow(self, after: Revision) -> AsyncGenerator[Withdrawal | Revision]:
        """Withdrawals after a position, in order, and positions up to which nothing was left out."""
        ...


class Rows(Protocol):
    """The positions inside one transaction."""

    def lock_head(self) -> int: ...
    def positions(self) -> Positions: ...
    def move_fence(self, to: Revision) -> None: ...


class Store(Protocol):
    """Where the positions are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class Follower:
    """Reads until it is cancelled."""

    name = "follower"

    def __init__(self, withdrawals: Withdrawals, store: Store, backlog: Backlog, clock: Clock) -> None:
        self._withdrawals = withdrawals
        self._store = store
        self.backlog = backlog
        self._clock = clock
        self._step_at_us = clock.now_us()

    def silent_seconds(self) -> float:
        """How long ago the stream has said anything, or this process began to read it.

        Consent says something once in a few seconds: whatever keeps a stream from being read shows here.
        """
        return max(0, self._clock.now_us() - self._step_at_us) / SECOND_US

    def unscanned_seconds(self) -> float:
        """How old the oldest withdrawal is that was read and not scanned; 0 where there is none."""
        oldest_us = self.backlog.oldest_at_us
        return 0.0 if oldest_us is None else max(0, self._clock.now_us() - oldest_us) / SECOND_US

    async def run(self) -> None:
        """Reads on where it was cut off."""
        while True:
            rest_seconds = PAUSE_SECONDS
            try:
                if not self.backlog.is_full:
                    await self.follow()
            except Exception as error:
                log_fault(_log, "withdrawals cannot be read", error)
                rest_seconds = AFTER_FAULT_SECONDS
            await asyncio.sleep(rest_seconds)

    async def follow(self) -> None:
        """One stream, until as much is in hand as may be: it is opened again when there is room.

        Raises what the stream and the database raise.
        """
        scanned = (await self._store.read(lambda rows: rows.positions())).scanned
        self.backlog.begin(scanned)
        async with contextlib.aclosing(self._withdrawals.follow(self.backlog.followed)) as stream:
            async for step in stream:
                self._step_at_us = self._clock.now_us()
                if isinstance(step, Revision):
                    self.backlog.reach(step)
                    continue
                self.backlog.add(step)
                if self.backlog.is_full:
                    return


class FenceMover:
    """Moves the fence at regular intervals, until it is cancelled."""

    name = "fence"

    def __init__(self, store: Store, backlog: Backlog, *, interval_seconds: float) -> None:
        """`interval_seconds`: each move has decisions that are on their way ask consent once more."""
        self._store = store
        self.backlog = backlog
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Moves it on."""
        while True:
            await self.backlog.in_hand.wait()
            try:
                await self.advance()
            except Exception as error:
                log_fault(_log, "the fence cannot be moved", error)
            await asyncio.sleep(self._interval_seconds)

    async def advance(self) -> None:
        """Moves the fence to the newest withdrawal in hand; raises what the database raises.

        In a transaction of its own: who scans begins to look only when this is committed.
        """
        newest = self.backlog.newest
        if newest is None or newest <= (await self._store.read(lambda rows: rows.positions())).fence:
            return

        def unit(rows: Rows) -> None:
            rows.lock_head()
            rows.move_fence(newest)

        await self._store.write(unit)
