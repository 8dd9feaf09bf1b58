"""Works on what comes in on a stream side by side, and takes no more on than is worked on and taken away.

A place is given back only when its result was taken: one who sends and never takes is not read any further,
so what is kept for a stream has a bound.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def side_by_side(
    items: AsyncIterator[Item],
    work: Callable[[Item], Awaitable[Result]],
    *,
    at_once: int,
    seconds: float | None = None,
) -> AsyncGenerator[Result]:
    """Gives each result of `work` when it is there, in the order in which they come about.

    `at_once` are begun and not yet taken at most. After `seconds`, if any are said, no more items are taken
    on; what is begun is finished. To be closed by its user (`contextlib.aclosing`), which cancels what is
    under way and waits for its end. Raises what the items or `work` raise.
    """
    places = asyncio.Semaphore(at_once)
    ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    running: set[asyncio.Task[Any]] = set()

    def begin(awaited: Awaitable[Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(awaited)
        running.add(task)
        task.add_done_callback(ended.put_nowait)
        return task

    taking_on = begin(_take_on(items, places, seconds, lambda item: begin(work(item))))
    try:
        while running:
            task = await ended.get()
            running.discard(task)
            result = task.result()
            if task is not taking_on:
                yield result
                places.release()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _take_on(
    items: AsyncIterator[Item],
    places: asyncio.Semaphore,
    seconds: float | None,
    begin: Callable[[Item], object],
) -> None:
    try:
        async with asyncio.timeout(seconds) as limit:
            # Before the item is read, for what has been read must be kept.
            await places.acquire()
            async for item in items:
                begin(item)
                await places.acquire()
    except TimeoutError:
        if not limit.expired():
            raise
