"""M4 across crashes: what was acknowledged is there, and counted exactly once."""

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.chassis.refusals import Kind, Refusal
from services.metering.schema.tables import MeteringTable
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from tests.support.engines import ENGINES, url_on
from tests.support.metering import an_id, metering_database_at
from tests.support.metering_messages import a_day, a_reserve, posts
from tests.support.metering_process import MeteringProcess, metering_in

LIMIT = 10_000_000
POSTS = 7
WORKERS = 24
ROUNDS = 3


async def reserve(process: MeteringProcess, n: int, count: int = POSTS) -> pb.ReserveResponse:
    stub = MeteringServiceStub(process.peer.channel)
    return await process.peer.call(stub.Reserve, a_reserve(n, count, a_day(LIMIT)))


class Load:
    """Reserves under one hot license until the process is gone, and remembers what it was told."""

    def __init__(self, process: MeteringProcess, numbers: Iterator[int], kill_after: int) -> None:
        self._process = process
        self._numbers = numbers
        self._kill_after = kill_after
        self._enough = asyncio.Event()
        self.told: dict[int, pb.ReserveResponse] = {}
        self.untold: set[int] = set()

    async def run(self) -> None:
        workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        await self._enough.wait()
        await self._process.kill()
        await asyncio.gather(*workers)
        await self._process.hang_up()

    async def _work(self) -> None:
        for n in self._numbers:
            try:
                self.told[n] = await reserve(self._process, n)
            except Refusal as error:
                assert error.kind is Kind.UNAVAILABLE
                self.untold.add(n)
                return
            if len(self.told) >= self._kill_after:
                self._enough.set()


async def held_posts(process: MeteringProcess, n: int) -> int:
    """What counts in the hot license's day, learnt from asking for more than there is."""
    answer = await reserve(process, n, LIMIT)
    assert answer.state == pb.RESERVATION_STATE_NO_ROOM
    return answer.no_room.held + answer.no_room.used


async def test_m4_what_was_acknowledged_before_a_kill_is_there_and_counted_once(tmp_path: Path) -> None:
    numbers = itertools.count(1)
    told: dict[int, pb.ReserveResponse] = {}
    untold: set[int] = set()
    chance = random.Random(4)

    for _ in range(ROUNDS):
        load = Load(await MeteringProcess.start(tmp_path), numbers, kill_after=chance.randint(20, 400))
        await load.run()
        told.update(load.told)
        untold |= load.untold
        assert load.told

    async with metering_in(tmp_path) as process:
        again = {n: await reserve(process, n) for n in sorted(told.keys() | untold)}
        total = await held_posts(process, next(numbers))

    assert {n: answer.counted_at for n, answer in told.items()} == {n: again[n].counted_at for n in told}
    assert all(answer.state == pb.RESERVATION_STATE_HELD for answer in again.values())
    assert total == POSTS * len(again)


async def test_m4_a_hundred_duplicates_across_a_restart_count_once(tmp_path: Path) -> None:
    async with metering_in(tmp_path) as process:
        before = await asyncio.gather(*(reserve(process, 1) for _ in range(50)))

    async with metering_in(tmp_path) as process:
        after = await asyncio.gather(*(reserve(process, 1) for _ in range(50)))
        total = await held_posts(process, 2)

    assert {answer.counted_at.ToMicroseconds() for answer in (*before, *after)} == {
        before[0].counted_at.ToMicroseconds()
    }
    assert total == POSTS


async def test_m4_answers_outlive_an_orderly_stop(tmp_path: Path) -> None:
    async with metering_in(tmp_path) as process:
        stub = MeteringServiceStub(process.peer.channel)
        for n in (1, 2, 3):
            await reserve(process, n)
        refused = await reserve(process, 4, LIMIT)
        await process.peer.call(stub.Settle, pb.SettleRequest(reservation_id=an_id(2), delivered=[posts(5)]))
        await process.peer.call(stub.Cancel, pb.CancelRequest(reservation_id=an_id(3)))
        status = await process.stop()

    async with metering_in(tmp_path) as process:
        answers = [await reserve(process, n) for n in (1, 2, 3)]
        refused_again = await reserve(process, 4, LIMIT)
        total = await held_posts(process, 5)

    assert status == 0
    assert [answer.state for answer in answers] == [
        pb.RESERVATION_STATE_HELD,
        pb.RESERVATION_STATE_SETTLED,
        pb.RESERVATION_STATE_CANCELLED,
    ]
    assert refused_again.no_room == refused.no_room
    assert total == POSTS + 5


@pytest.mark.parametrize("engine", ENGINES)
def test_the_migrations_make_the_tables_that_the_code_uses(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = metering_database_at(url_on(engine, request, tmp_path, metering_database_at))

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), MeteringTable.metadata))

    found = database.read_now(differences)
    database.close_now()

    assert found == []
