"""Ends the reading of streams that would go on for as long as their callers like.

What has been read is never lost by it: only the waiting for more is given up.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar

Item = TypeVar("Item")


class Ending:
    """The end of every stream that is read through it. For one event loop."""

    def __init__(self) -> None:
        self._has_come = False
        self._waits: set[asyncio.Timeout] = set()

    def come(self) -> None:
        """Ends them all, at once where they wait and after what they have just read where they do not."""
        self._has_come = True
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)

    async def until(
        self,
        items: AsyncIterator[Item],
        seconds: float | None = None,
        on_late: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[Item]:
        """The items up to the end, or for so many seconds if any are said; what is awaited then is cancelled.

        `on_late` is called where it was the seconds that ended it. Raises what the items and that raise.
        """
        now = asyncio.get_running_loop().time
        until = None if seconds is None else now() + seconds
        while not self._has_come:
            if until is not None and now() >= until:
                on_late()
                return
            try:
                async with asyncio.timeout_at(until) as wait:
                    self._waits.add(wait)
                    try:
                        item = await anext(items)
                    finally:
                        self._waits.discard(wait)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if not wait.expired():
                    raise
                if not self._has_come:
                    on_late()
                return
            yield item
