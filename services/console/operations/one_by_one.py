"""Work that keeps a processor busy for a while: done in a thread of its own, one piece after the other."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.chassis.refusals import exhausted

T = TypeVar("T")

RETRY_AFTER_US = 1_000_000


class OneByOne:
    """One thread, and a queue before it that has an end: pages of others are answered meanwhile."""

    def __init__(self, name: str, most_waiting: int) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._most_waiting = most_waiting
        self._waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """What the work gives or raises; what nobody waits for any more is not begun.

        Raises Refusal (exhausted, PAGES_BUSY) where `most_waiting` pieces wait or are under way.
        """
        if self._waiting >= self._most_waiting:
            raise exhausted("PAGES_BUSY", "too much is asked for at once", retry_after_us=RETRY_AFTER_US)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1
