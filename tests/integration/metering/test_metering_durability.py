"""M4 across crashes: what was acknowledged is there, and counted exactly once."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.metering.schema.tables import MeteringTable
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from tests.support.declared_tables import differences
from tests.support.engines import ENGINES, url_on
from tests.support.metering import an_id, metering_database_at
from tests.support.metering_fire import MeteringFire
from tests.support.metering_messages import a_day, a_reserve, posts
from tests.support.metering_process import MeteringProcess, metering_in
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

LIMIT = 10_000_000
POSTS = 7
SEED = int(os.environ.get("SLUICE_FIRE_SEED", "20261125"))

Record = Callable[[str, object], None]


async def reserve(process: MeteringProcess, n: int, count: int = POSTS) -> pb.ReserveResponse:
    stub = MeteringServiceStub(process.peer.channel)
    return await process.peer.call(stub.Reserve, a_reserve(n, count, a_day(LIMIT)))


async def held_posts(process: MeteringProcess, n: int) -> int:
    """What counts in the hot license's day, learnt from asking for more than there is."""
    answer = await reserve(process, n, LIMIT)
    assert answer.state == pb.RESERVATION_STATE_NO_ROOM
    return answer.no_room.held + answer.no_room.used


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.long)])
async def test_m4_what_was_acknowledged_before_a_kill_is_there_and_counted_once(
    kills: int, engine: str, request: pytest.FixtureRequest, tmp_path: Path, record_property: Record
) -> None:
    fire = MeteringFire(tmp_path, url_on(engine, request, tmp_path, metering_database_at), SEED)

    await fire.burn(kills)
    record_property("figures", f"metering under fire on {engine}, {fire.figures}")

    assert fire.wrong == []
    assert fire.figures.kills == kills
    assert fire.figures.unanswered > 0
    assert set(fire.figures.acknowledged) == {
        *("Reserve", "Record", "ReduceHold", "Settle", "Cancel"),
        "ReportAccesses",
    }


async def test_m4_a_hundred_duplicates_across_a_restart_count_once(tmp_path: Path) -> None:
    async with metering_in(tmp_path) as process:
        before = await asyncio.gather(*(reserve(process, 1) for _ in range(50)))

    async with metering_in(tmp_path) as process:
        after = await asyncio.gather(*(reserve(process, 1) for _ in range(50)))
        total = await held_posts(process, 2)

    check_that_all_are_one([*before, *after])
    assert total == POSTS


async def test_m4_a_hundred_duplicates_at_two_replicas_across_their_restarts_count_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
    answers: list[pb.ReserveResponse] = []

    for _ in range(2):
        async with metering_in(tmp_path, url, 0) as one, metering_in(tmp_path, url, 1) as other:
            answers += await asyncio.gather(*(reserve(each, 1) for _ in range(25) for each in (one, other)))
    async with metering_in(tmp_path, url) as process:
        total = await held_posts(process, 2)

    assert len(answers) == 100
    check_that_all_are_one(answers)
    assert total == POSTS


def check_that_all_are_one(answers: list[pb.ReserveResponse]) -> None:
    for answer in answers:
        answer.ClearField("revision")
    assert answers[0].state == pb.RESERVATION_STATE_HELD
    assert all(answer == answers[0] for answer in answers)


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

    found = database.read_now(lambda connection: differences(connection, MeteringTable.metadata))
    database.close_now()

    assert found == []
