"""Sums by second, minute and hour: dropped bit by bit and made anew, by one process at a time."""

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.metering.domain.windows import HOUR_US
from services.metering.storage import projecting
from services.metering.storage.projecting import SqlProjections
from sluice.metering.v1 import usage_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import metering_database_at
from tests.support.metering_server import served_from
from tests.support.metering_usage import ACCESS, GATE, SEEN, UsageCaller, an_access, of_party
from tests.support.postgres import PostgresServer
from tests.support.waiting import PATIENCE_SECONDS

TURN = "SELECT pg_advisory_lock(1937075571)"
ROWS = [(GATE, ACCESS, 1, 0, 4, 0), (SEEN, ACCESS, 1, 0, 55, 0)]


def sums(database: Database) -> Sequence[Any]:
    query = text("SELECT * FROM projections ORDER BY 1, 2, 3, 4, 5, 6")
    return database.read_now(lambda connection: connection.execute(query).all())


async def project(database: Database) -> None:
    """Brings the sums up to date."""
    while await SqlProjections(database).advance():
        pass


async def counts(call: UsageCaller, database: Database) -> Sequence[Any]:
    """A hold that was settled and ten accesses of other hours; the sums of all."""
    await call.reserve(1, 5)
    await call.settle(1, 4)
    await call.report(*(an_access(str(n), NOON_US - n * HOUR_US, posts=n) for n in range(1, 11)))
    await project(database)
    return sums(database)


async def rebuild(call: UsageCaller, id: str = "") -> pb.RebuildProjectionsResponse:
    request = pb.RebuildProjectionsRequest(request_id=id or call.new_id())
    answer: pb.RebuildProjectionsResponse = await call.peer.call(call.usage.RebuildProjections, request)
    return answer


async def test_sums_that_are_dropped_are_made_again_bit_by_bit_with_the_same_answers_meanwhile(
    call: UsageCaller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "_DROP", projecting.drop_at_most(5))
    before = await counts(call, database)
    id = call.new_id()

    answers = [await rebuild(call, id) for _ in range(2)]
    left = [len(sums(database))]
    while await SqlProjections(database).advance():
        left.append(len(sums(database)))
        assert await call.rows(of_party()) == ROWS
        assert await call.differences() == {}

    assert answers[0] == answers[1]
    # No transaction dropped more than five, and none was added before the last was gone.
    down = left[: left.index(0) + 1]
    assert [one - other for one, other in itertools.pairwise(down)] == [5] * 7 + [1]
    assert sums(database) == before


async def test_sums_go_on_being_dropped_after_a_crash_in_the_middle(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "_DROP", projecting.drop_at_most(5))
    url = f"sqlite:///{tmp_path}/crash.db"
    await _crashes_in_the_middle(url, tmp_path, clock)


async def test_another_process_goes_on_dropping_after_a_crash_on_postgresql(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    monkeypatch.setattr(projecting, "_DROP", projecting.drop_at_most(5))
    url = postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
    await _crashes_in_the_middle(url, tmp_path, clock)


async def _crashes_in_the_middle(url: str, folder: Path, clock: ManualClock) -> None:
    first = metering_database_at(url)
    async with served_from(first, folder, clock) as server:
        call = UsageCaller(server, clock)
        before = await counts(call, first)
        await rebuild(call)
        for _ in range(3):
            await SqlProjections(first).advance()
        half = len(sums(first))
    await first.close()

    second = metering_database_at(url)
    async with served_from(second, folder, clock) as server:
        call = UsageCaller(server, clock)
        # Counted between the crash and the rest of the dropping: it is in the new sums once.
        await call.report(an_access("late", NOON_US - HOUR_US, posts=7))
        during = await call.rows(of_party())
        await project(second)
        after = await call.rows(of_party())
        differences = await call.differences()
        again = sums(second)
    await second.close()

    assert 0 < half < len(before)
    assert during == after == [ROWS[0], (*ROWS[1][:4], 62, 0)]
    assert differences == {}
    assert sum(row.posts for row in again) == sum(row.posts for row in before) + 3 * 7


async def test_sums_that_are_dropped_again_while_they_are_made_come_out_the_same(
    call: UsageCaller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "_DROP", projecting.drop_at_most(5))
    before = await counts(call, database)

    for steps in (1, 4, 9, 10):
        await rebuild(call)
        for _ in range(steps):
            await SqlProjections(database).advance()
    await project(database)

    assert sums(database) == before


async def test_whoever_has_not_the_turn_adds_nothing_and_goes_on_once_it_is_free(
    postgres: PostgresServer, tmp_path: Path, clock: ManualClock
) -> None:
    url = postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
    one, other = metering_database_at(url), metering_database_at(url)
    async with served_from(one, tmp_path, clock) as server:
        await UsageCaller(server, clock).reserve(1, 5)

        def at_it(connection: Any) -> bool:
            """In the middle of its turn, the other one asks."""
            assert projecting._advance(connection) is False
            return asyncio.run_coroutine_threadsafe(SqlProjections(other).advance(), loop).result(10)

        loop = asyncio.get_running_loop()
        turned_away = await one.write(at_it)
        await UsageCaller(server, clock).reserve(2, 5)
        position = other.read_now(projecting.read_position)
        await project(other)

        assert turned_away is False
        assert other.read_now(projecting.read_position) > position
        assert await UsageCaller(server, clock).differences() == {}
    await one.close()
    await other.close()


async def test_a_turn_that_is_taken_at_the_last_moment_is_waited_for_without_an_error(
    postgres: PostgresServer, tmp_path: Path, clock: ManualClock
) -> None:
    url = postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
    database, holder = metering_database_at(url), metering_database_at(url)
    async with served_from(database, tmp_path, clock) as server:
        call = UsageCaller(server, clock)
        await call.reserve(1, 5)
        holder.read_now(lambda connection: connection.execute(text(TURN)))

        turned_away = await SqlProjections(database).advance()
        nothing = await database.write(projecting._advance)
        untouched = sums(database)
        await holder.close()
        # The server gives the turn back when it has seen that the session is over.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not sums(database):
                await SqlProjections(database).advance()

        assert (turned_away, nothing, untouched) == (False, False, [])
        assert await call.differences() == {}
    await database.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_two_that_make_sums_at_once_count_each_entry_once(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> None:
    if engine == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
        databases = [metering_database_at(url), metering_database_at(url)]
    else:
        # A file has one process; in it two may still ask.
        databases = [metering_database_at(f"sqlite:///{tmp_path}/two.db")] * 2
    async with served_from(databases[0], tmp_path, clock) as local:
        call = UsageCaller(local, clock)
        done = asyncio.Event()

        async def keep(database: Database) -> None:
            while not done.is_set():
                await SqlProjections(database).advance()

        keeping = [asyncio.create_task(keep(database)) for database in databases]
        for n in range(1, 31):
            await call.record(n, 2)
            if n % 10 == 5:
                await rebuild(call)
        done.set()
        await asyncio.gather(*keeping)
        for database in databases:
            await project(database)

        assert [row.posts for row in sums(databases[0]) if row.span_us == HOUR_US] == [60, 60]
        assert await call.differences() == {}
    for database in set(databases):
        await database.close()
