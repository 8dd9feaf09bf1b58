"""Several processes count calls in one PostgreSQL database: no window ever holds more than its limit (M1)."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from services.chassis.database import Database
from services.metering.domain.rates.limits import Unit
from services.metering.storage.rate_windows import SqlRateWindows
from tests.support.clock import ManualClock
from tests.support.metering import metering_database_at
from tests.support.postgres import PostgresServer
from tests.support.rate_limits import EveryCall, a_call, a_limited

BEHIND_US = 300_000
STEP_US = 7_000
LIMITS = (a_limited("narrow", 5), a_limited("wide", 12), a_limited("long", 40, Unit.MINUTE))


@pytest.fixture
async def databases(postgres: PostgresServer) -> AsyncIterator[list[Database]]:
    url = postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
    opened = [metering_database_at(url), metering_database_at(url)]
    yield opened
    await asyncio.gather(*(database.close() for database in opened))
    postgres.drop(url)


async def test_two_processes_whose_clocks_differ_admit_no_more_than_one_would(
    databases: list[Database],
) -> None:
    clock = ManualClock()
    stores = [
        SqlRateWindows(databases[0], clock.now_us),
        SqlRateWindows(databases[1], lambda: clock.now_us() - BEHIND_US),
    ]
    admitted, turns = EveryCall(), itertools.count()

    async def ask(store: SqlRateWindows) -> None:
        for _ in range(40):
            turn = next(turns)
            limits = [each for place, each in enumerate(LIMITS) if (turn + place) % 3]
            ruling = await store.count(a_call(*limits))
            if not ruling.denying:
                admitted.calls += [(each.key, ruling.at_us, 1) for each in limits]
            clock.advance(STEP_US)

    await asyncio.gather(*(ask(store) for store in stores for _ in range(4)))

    assert [admitted.fullest(each) <= each.limit.calls for each in LIMITS] == [True] * 3
    # And not by denying what there was room for.
    assert admitted.fullest(LIMITS[0]) == LIMITS[0].limit.calls


async def test_two_processes_share_one_limit_to_the_last_call(databases: list[Database]) -> None:
    clock, limit = ManualClock(), a_limited("shared", 100, Unit.HOUR)
    stores = [SqlRateWindows(database, clock.now_us) for database in databases]

    rulings = await asyncio.gather(*(stores[n % 2].count(a_call(limit)) for n in range(300)))

    assert sum(not each.denying for each in rulings) == 100
