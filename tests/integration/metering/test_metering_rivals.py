"""Two processes of metering on one PostgreSQL database: no limit is exceeded, nobody waits in a circle."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.metering.domain.allowances import Scope
from services.metering.domain.reservations import State, Wanted
from services.metering.domain.windows import Window
from services.metering.meter import Meter
from services.metering.storage import SqlBooks
from tests.support.clock import ManualClock
from tests.support.metering import a_count, a_wanted, an_allowance, an_id, metering_database_at
from tests.support.postgres import PostgresServer

LIMIT = 60
TASKS = 24
STEPS = 12


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())


@pytest.fixture
async def databases(url: str) -> AsyncIterator[list[Database]]:
    opened = [metering_database_at(url), metering_database_at(url)]
    yield opened
    await asyncio.gather(*(database.close() for database in opened))


@pytest.fixture
def meters(databases: list[Database]) -> list[Meter]:
    clock = ManualClock()
    return [Meter(SqlBooks(database), clock.now_us) for database in databases]


def sums(database: Database) -> dict[tuple[str, int], tuple[int, int]]:
    """What each tally says, and what its entries come to."""
    statement = text(
        'select t.key, t."window", t.used + t.held, coalesce(sum(e.used + e.held), 0)'
        " from tallies t left join entries e on e.tally_id = t.id group by t.id"
    )
    rows = database.read_now(lambda connection: connection.execute(statement).all())
    return {(key, window): (counted, int(entered)) for key, window, counted, entered in rows}


async def test_m1_reservations_of_both_together_never_exceed_a_limit(
    meters: list[Meter], databases: list[Database], url: str, postgres: PostgresServer
) -> None:
    keys = [an_allowance(LIMIT, Window.ROLLING_DAY, f"license-{n}") for n in range(4)]
    shared = an_allowance(LIMIT * 2, Window.ROLLING_DAY, "licensee-1", Scope.LICENSEE)
    numbers, chance = itertools.count(1), random.Random(5)
    granted: dict[int, int] = {}

    async def work(meter: Meter) -> None:
        for _ in range(STEPS):
            n, posts = next(numbers), chance.randint(1, 5)
            allowances = chance.sample(keys, 2) + [shared] * chance.randint(0, 1)
            answer = await meter.reserve(a_wanted(n, posts, *allowances))
            if answer.reservation.state is State.HELD:
                granted[n] = posts
            if granted and chance.random() < 0.4:
                # Often a hold that the other process made.
                old, held = granted.popitem()
                delivered = (a_count(held),) if chance.random() < 0.5 else ()
                await meter.settle(an_id(old), delivered)

    await asyncio.gather(*(work(meters[task % 2]) for task in range(TASKS)))
    counted = await asyncio.to_thread(sums, databases[0])
    await asyncio.gather(*(database.close() for database in databases))
    name = url.rpartition("/")[2]
    deadlocks = postgres.execute(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'")

    assert len(counted) == 5
    for (key, _), (in_tally, in_entries) in counted.items():
        assert in_tally == in_entries
        assert in_tally <= (2 * LIMIT if key == "licensee-1" else LIMIT)
    assert deadlocks == [(0,)]


async def test_m4_the_same_reservation_at_both_at_once_is_made_once(meters: list[Meter]) -> None:
    limited = [a_wanted(n, 1) for n in range(1, 6)]
    free = [
        Wanted(an_id(n), f"request-{n}", "licensee-1", (a_count(1),), allowances=()) for n in range(6, 11)
    ]
    wanted = [*limited, *free]

    answers = await asyncio.gather(*(meter.reserve(each) for each in wanted for meter in meters * 2))

    same = [answers[at : at + 4] for at in range(0, len(answers), 4)]
    assert [len({answer.reservation for answer in each}) for each in same] == [1] * 10
    assert len({answer.reservation.number for answer in answers}) == 10
    assert {answer.reservation.state for answer in answers} == {State.HELD}


async def test_m2_a_cancel_and_its_reserve_at_once_leave_nothing_held(meters: list[Meter]) -> None:
    one, other = meters
    for n in range(1, 21):
        await asyncio.gather(one.reserve(a_wanted(n, 1)), other.cancel(an_id(n)))

    holds, _ = await one.holds(None, None, 100)

    assert holds == []


async def test_m2_settlements_that_contradict_each_other_leave_the_first(meters: list[Meter]) -> None:
    one, other = meters
    for n in range(1, 11):
        await one.reserve(a_wanted(n, 1, an_allowance(100)))

    nothing = [one.settle(an_id(n), ()) for n in range(1, 11)]
    all_of_it = [other.settle(an_id(n), (a_count(1),)) for n in range(1, 11)]
    both = await asyncio.gather(*nothing, *all_of_it, return_exceptions=True)

    refused = [answer for answer in both if isinstance(answer, Refusal)]
    assert [refusal.reason for refusal in refused] == ["SETTLED_OTHERWISE"] * 10
