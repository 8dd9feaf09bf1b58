"""What comes in is worked on side by side, within bounds, and nothing is left running."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from services.chassis.side_by_side import side_by_side


class Numbers:
    """Counts up for ever, and knows how far it was read."""

    def __init__(self, count: int | None = None) -> None:
        self.read = 0
        self._count = count

    async def each(self) -> AsyncIterator[int]:
        while self.read != self._count:
            self.read += 1
            yield self.read


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def settled() -> None:
    """Lets everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_every_item_gets_its_result() -> None:
    results = [each async for each in side_by_side(Numbers(100).each(), double, at_once=7)]

    assert sorted(results) == [2 * number for number in range(1, 101)]


async def test_results_come_as_they_are_there_and_not_in_the_order_of_their_items() -> None:
    gates = {number: asyncio.Event() for number in (1, 2, 3)}

    async def wait(number: int) -> int:
        await gates[number].wait()
        return number

    async with contextlib.aclosing(side_by_side(Numbers(3).each(), wait, at_once=3)) as results:
        order = []
        for number in (2, 3, 1):
            gates[number].set()
            order.append(await anext(results))

    assert order == [2, 3, 1]


async def test_nothing_is_read_beyond_what_is_begun_and_not_yet_taken() -> None:
    numbers = Numbers()

    async with contextlib.aclosing(side_by_side(numbers.each(), double, at_once=3)) as results:
        await anext(results)
        await settled()
        read_while_one_is_looked_at = numbers.read
        await anext(results)
        await settled()

    assert (read_while_one_is_looked_at, numbers.read) == (3, 4)


async def test_a_stream_that_has_lasted_long_enough_is_read_no_further_and_what_is_begun_is_finished() -> (
    None
):
    idle, begun = asyncio.Event(), asyncio.Event()

    async def one_and_then_nothing() -> AsyncIterator[int]:
        yield 1
        begun.set()
        await idle.wait()

    async def slowly(number: int) -> int:
        await begun.wait()
        await settled()
        return number

    results = [each async for each in side_by_side(one_and_then_nothing(), slowly, at_once=2, seconds=0.05)]

    assert results == [1]


async def test_who_stops_taking_leaves_nothing_running() -> None:
    cancelled: list[int] = []

    async def hang(number: int) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    results = side_by_side(Numbers().each(), hang, at_once=3)
    waiting = asyncio.ensure_future(anext(results))
    await settled()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert sorted(cancelled) == [1, 2, 3]


async def test_a_fault_of_what_is_read_reaches_whoever_takes() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise LookupError("torn")

    with pytest.raises(LookupError, match="torn"):
        [each async for each in side_by_side(broken(), double, at_once=2)]
