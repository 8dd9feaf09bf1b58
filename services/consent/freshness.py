"""A read that many share, and none of them joins late: it starts after each of them has asked (C9).

What cannot be read cannot be decided: where the read fails, all who shared it have no answer (C10).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """One read for all who ask before it starts; whoever asks later gets the next one. One runs at a time."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What a read finds that starts after this call; raises what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
            self._next.add_done_callback(_look_at)
        # A caller who goes away takes nothing from the others.
        return await asyncio.shield(self._next)

    async def _run(self) -> T:
        async with self._running:
            self._next = None
            return await self._read()


def _look_at(task: "asyncio.Task[object]") -> None:
    """Marks a failure as seen, for everyone who asked may have gone away."""
    if not task.cancelled():
        task.exception()
