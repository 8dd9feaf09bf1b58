"""Follows a stream from a position on, and goes on after the connection was lost."""

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

from services.chassis.refusals import Refusal, unavailable
from services.chassis.terms import has_run_out
from services.console.pages import Sleep, pause_us

P = TypeVar("P")
S = TypeVar("S")


class Watching(Generic[P, S]):
    """Tells every step of a stream once, and knows how far it came."""

    def __init__(
        self,
        position: P,
        tell: Callable[[S], None],
        place: Callable[[S], tuple[P, bool]],
        *,
        once: bool,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`place`: the position of a step, and whether it says that all up to there was sent.

        `once`: only up to the first step that says so.
        """
        self.position = position
        self._tell = tell
        self._place = place
        self._once = once
        self._sleep = sleep
        self._failures = 0

    async def run(self, follow: Callable[[P], AbstractAsyncContextManager[AsyncIterable[S]]]) -> None:
        """Tells every step; raises the Refusal that no patience helps against."""
        while True:
            try:
                async with follow(self.position) as steps:
                    return await self._tell_all(steps)
            except Refusal as refusal:
                self._failures += not has_run_out(refusal)
                await self._sleep(pause_us(refusal, self._failures) / 1_000_000)

    async def _tell_all(self, steps: AsyncIterable[S]) -> None:
        async for step in steps:
            self._failures = 0
            self._tell(step)
            self.position, is_all = self._place(step)
            if is_all and self._once:
                return
        raise unavailable("STREAM_ENDED", "the service has ended the stream")
