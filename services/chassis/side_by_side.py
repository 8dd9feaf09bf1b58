"""Works on what comes in on a stream side by side, and takes no more on than is worked on and taken away.

A place is given back only when its result was taken: one who sends and never takes is not read any further,
so what is kept for a stream has a bound, in numbers and, where items differ in weight, in that too.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.chassis.room import Room

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Shares(Generic[Item]):
    """How much what is begun may weigh."""

    weigh: Callable[[Item], int]
    own: int
    """Of the items of one stream whose results are not taken; one that weighs more is alone."""
    of_all: Room
    """Of the items of all streams that are worked on: nobody's result that is not taken keeps others out."""


async def side_by_side(
    items: AsyncIterator[Item],
    work: Callable[[Item], Awaitable[Result]],
    *,
    at_once: int,
    shares: Shares[Item] | None = None,
) -> AsyncGenerator[Result]:
    """Gives each result of `work` when it is there, in the order in which they come about.

    `at_once` are begun and not yet taken at most. Of an item more, one is read and waits for its share. To be
    closed by its user (`contextlib.aclosing`), which cancels what is under way and waits for its end. Raises
    what the items or `work` raise.
    """
    bounds = _Bounds(at_once, shares)
    ended: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    running: set[asyncio.Task[Any]] = set()

    def begin(awaited: Awaitable[Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(awaited)
        running.add(task)
        task.add_done_callback(ended.put_nowait)
        return task

    taking_on = begin(_take_on(items, bounds, lambda item: begin(work(item))))
    try:
        while running:
            task = await ended.get()
            running.discard(task)
            result = task.result()
            if task is not taking_on:
                yield result
                bounds.taken(task)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _take_on(
    items: AsyncIterator[Item], bounds: "_Bounds[Item]", begin: Callable[[Item], asyncio.Task[Any]]
) -> None:
    # Before the item is read, for what has been read must be kept.
    await bounds.place()
    async for item in items:
        await bounds.begin(item, begin)
        await bounds.place()


class _Bounds(Generic[Item]):
    """What one stream may still begin."""

    def __init__(self, at_once: int, shares: Shares[Item] | None) -> None:
        self._places = asyncio.Semaphore(at_once)
        # What weighs nothing always has its share.
        self._shares = shares or Shares(lambda _: 0, 0, Room(0))
        self._own = Room(self._shares.own)
        self._weights: dict[asyncio.Task[Any], int] = {}

    async def place(self) -> None:
        """Waits until one more may be read."""
        await self._places.acquire()

    async def begin(self, item: Item, begin: Callable[[Item], asyncio.Task[Any]]) -> None:
        """Begins an item as soon as there is its share."""
        weight, of_all = self._shares.weigh(item), self._shares.of_all
        await self._own.take(weight)
        await of_all.take(weight)
        # Given back by the task's end, which comes even to one that is cancelled before it has run.
        task = begin(item)
        self._weights[task] = weight
        task.add_done_callback(lambda _: of_all.give_back(weight))

    def taken(self, task: asyncio.Task[Any]) -> None:
        """The result of a task was taken."""
        self._own.give_back(self._weights.pop(task))
        self._places.release()
