"""C9 and C10: an answer is as fresh as a read of the database that starts after the question."""

import asyncio

from services.chassis.refusals import Refusal, unavailable
from services.consent.freshness import SharedRead


class Source:
    """Counts reads; each waits until it is let through, and says when it started."""

    def __init__(self) -> None:
        self.started = 0
        self.gate = asyncio.Event()
        self.fails = False

    async def read(self) -> int:
        self.started += 1
        number = self.started
        await self.gate.wait()
        if self.fails:
            raise unavailable("DATABASE_UNAVAILABLE", "gone")
        return number


async def settle() -> None:
    """Lets every task run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_c9_who_asks_while_a_read_runs_gets_the_next_one() -> None:
    source = Source()
    shared = SharedRead(source.read)
    early = asyncio.create_task(shared.get())
    await settle()

    late = [asyncio.create_task(shared.get()) for _ in range(3)]
    await settle()
    source.gate.set()

    assert await early == 1
    assert await asyncio.gather(*late) == [2, 2, 2]
    assert source.started == 2


async def test_c9_who_goes_away_takes_the_read_from_nobody() -> None:
    source = Source()
    shared = SharedRead(source.read)
    leaver, stayer = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
    await settle()

    leaver.cancel()
    await settle()
    source.gate.set()

    assert await stayer == 1


async def test_c10_a_failed_read_fails_all_who_share_it_and_none_after() -> None:
    source = Source()
    source.fails = True
    source.gate.set()
    shared = SharedRead(source.read)

    failed = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    source.fails = False

    assert [type(error) for error in failed] == [Refusal, Refusal]
    assert await shared.get() == 2


async def test_c10_a_read_that_failed_before_anyone_looked_fails_nobody_later() -> None:
    source = Source()
    source.fails = True
    shared = SharedRead(source.read)
    leaver = asyncio.create_task(shared.get())
    await settle()

    leaver.cancel()
    source.gate.set()
    await settle()
    source.fails = False

    assert await shared.get() == 2
