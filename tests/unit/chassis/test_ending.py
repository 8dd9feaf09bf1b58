"""The end of a stream ends the waiting for more and loses nothing that was read."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.chassis.ending import Ending
from tests.support.waiting import PATIENCE_SECONDS


async def one_and_then_silence() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()


async def for_ever() -> AsyncIterator[int]:
    while True:
        yield 1


async def read(items: AsyncIterator[int]) -> list[int]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [item async for item in items]


async def test_what_ends_by_itself_is_read_to_its_end() -> None:
    async def three() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number

    assert await read(Ending().until(three(), seconds=PATIENCE_SECONDS)) == [1, 2, 3]


async def test_whoever_waits_for_more_waits_no_longer_when_the_end_comes() -> None:
    ending = Ending()
    readers = [asyncio.create_task(read(ending.until(one_and_then_silence()))) for _ in range(3)]
    await asyncio.sleep(0)

    ending.come()

    assert await asyncio.gather(*readers) == [[1]] * 3


async def test_what_was_read_when_the_end_comes_is_still_given() -> None:
    ending, seen = Ending(), 0

    async for _ in ending.until(for_ever()):
        seen += 1
        if seen == 3:
            ending.come()

    assert seen == 3


async def test_what_begins_after_the_end_reads_nothing() -> None:
    ending = Ending()
    ending.come()

    assert await read(ending.until(for_ever())) == []


@pytest.mark.parametrize("items", [one_and_then_silence, for_ever])
async def test_a_stream_is_read_for_no_longer_than_its_time(items: object) -> None:
    assert callable(items)

    async with asyncio.timeout(PATIENCE_SECONDS):
        async for _ in Ending().until(items(), seconds=0.05):
            await asyncio.sleep(0)


async def test_a_fault_of_what_is_read_is_no_end() -> None:
    async def late() -> AsyncIterator[int]:
        yield 1
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await read(Ending().until(late()))
