"""What comes in is worked on side by side, within bounds, and nothing is left running."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from services.chassis.room import Room
from services.chassis.side_by_side import Shares, side_by_side
from tests.support.waiting import PATIENCE_SECONDS


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


def shares(own: int, of_all: Room) -> Shares[int]:
    """Each item weighs what it says."""
    return Shares(lambda number: number, own, of_all)


async def test_nothing_is_begun_beyond_what_its_stream_may_have_in_weight_and_has_not_taken() -> None:
    # 1, 2 and 3 fit; 4 is read, and waits until the first three were taken away: the last of them weighs 3.
    numbers, bound = Numbers(), shares(6, Room(100))
    begun = []

    async def work(number: int) -> int:
        begun.append(number)
        return number

    async with contextlib.aclosing(side_by_side(numbers.each(), work, at_once=99, shares=bound)) as results:
        seen = []
        for _ in range(4):
            await anext(results)
            await settled()
            seen.append((list(begun), numbers.read))

    assert seen == [([1, 2, 3], 4), ([1, 2, 3], 4), ([1, 2, 3], 4), ([1, 2, 3, 4], 5)]


async def test_streams_share_what_is_worked_on_and_not_what_is_not_taken() -> None:
    room = Room(6)
    working = most = 0

    async def work(number: int) -> int:
        nonlocal working, most
        working += number
        most = max(most, working)
        await asyncio.sleep(0)
        working -= number
        return number

    async with contextlib.aclosing(
        side_by_side(Numbers(3).each(), work, at_once=9, shares=shares(6, room))
    ) as untaken:
        # Its other results stay where they are, and keep nobody out.
        await anext(untaken)
        await settled()
        taken = await asyncio.gather(
            *(
                results_of(side_by_side(Numbers(4).each(), work, at_once=9, shares=shares(6, room)))
                for _ in range(5)
            )
        )

    assert taken == [[1, 2, 3, 4]] * 5
    assert 0 < most <= 6


async def results_of(results: AsyncIterator[int]) -> list[int]:
    return sorted([each async for each in results])


async def test_who_stops_taking_leaves_the_room_of_all_as_it_was() -> None:
    room = Room(6)

    async def hang(number: int) -> int:
        await asyncio.Event().wait()
        return number

    for _ in range(3):
        results = side_by_side(Numbers().each(), hang, at_once=3, shares=shares(100, room))
        waiting = asyncio.ensure_future(anext(results))
        await settled()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.wait_for(room.take(6), PATIENCE_SECONDS)


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
