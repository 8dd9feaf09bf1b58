"""Two processes of metering on one PostgreSQL database: no limit is exceeded, nobody waits in a circle."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.metering.domain.allowances import Scope
from services.metering.domain.parties import Party
from services.metering.domain.reservations import State
from services.metering.domain.windows import ROLLING_DAY_US
from services.metering.meter import Meter
from services.metering.roster import Roster
from services.metering.storage import tallies
from services.metering.storage.books import SqlBooks
from services.metering.storage.shelf import SqlShelf
from tests.support.clock import ManualClock
from tests.support.metering import (
    a_count,
    a_key,
    a_wanted,
    an_allowance,
    an_id,
    metering_database_at,
    of_group,
)
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
    return [Meter(SqlBooks(database, clock.now_us)) for database in databases]


def sums(database: Database) -> dict[str, tuple[int, int]]:
    """What the day of each account says, and what its entries come to."""
    statement = text(
        "select a.key, t.used + t.held, coalesce(sum(e.used + e.held), 0)"
        " from tallies t join accounts a on a.id = t.account_id"
        " left join entries e on e.account_id = t.account_id group by a.id, t.account_id, t.window_us"
    )
    rows = database.read_now(lambda connection: connection.execute(statement).all())
    return {key: (counted, int(entered)) for key, counted, entered in rows}


async def put_into_groups(databases: list[Database]) -> None:
    """Four parties in two groups."""
    roster = Roster(SqlShelf(databases[0], ManualClock().now_us), ManualClock().now_us)
    for n, group in enumerate(["red", "red", "blue", "blue"]):
        for operation, call in (
            ("describe", roster.describe(Party(f"party-{n}"), 0, a_key(f"d{n}"))),
            ("move", roster.move(f"party-{n}", group, 0, a_key(f"m{n}"))),
        ):
            assert (await call).back_dated, operation


@pytest.mark.parametrize("most_at_once", [tallies.MOST_AT_ONCE, 0])
async def test_m1_m6_reservations_of_both_together_never_exceed_a_limit(
    meters: list[Meter],
    databases: list[Database],
    url: str,
    postgres: PostgresServer,
    *,
    monkeypatch: pytest.MonkeyPatch,
    most_at_once: int,
) -> None:
    # With 0 each tally is made ahead, on what it then is while the other process goes on counting.
    monkeypatch.setattr(tallies, "_LONG", tallies.longer_than(most_at_once))
    await put_into_groups(databases)
    numbers, chance = itertools.count(1), random.Random(5)
    granted: dict[int, int] = {}

    async def work(meter: Meter) -> None:
        for _ in range(STEPS):
            n, posts, party = next(numbers), chance.randint(1, 5), f"party-{chance.randint(0, 3)}"
            limits = [
                an_allowance(LIMIT, ROLLING_DAY_US, f"license-{chance.randint(0, 3)}"),
                of_group(2 * LIMIT, ROLLING_DAY_US),
                an_allowance(LIMIT, ROLLING_DAY_US, party, Scope.LICENSEE),
            ]
            # In groups that cross: each unit counts in a license, a party and a group of its own choice.
            answer = await meter.reserve(a_wanted(n, posts, *limits, party_id=party))
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

    assert set(counted) == {
        "red",
        "blue",
        *(f"{what}-{n}" for what in ("party", "license") for n in range(4)),
    }
    for key, (in_tally, in_entries) in counted.items():
        assert in_tally == in_entries
        assert in_tally <= (2 * LIMIT if key in {"red", "blue"} else LIMIT)
    assert deadlocks == [(0,)]


async def test_m4_the_same_reservation_at_both_at_once_is_made_once(meters: list[Meter]) -> None:
    limited = [a_wanted(n, 1) for n in range(1, 6)]
    free = [replace(a_wanted(n, 1), allowances=()) for n in range(6, 11)]
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


async def test_m2_a_reduction_that_is_repeated_at_both_counts_once(meters: list[Meter]) -> None:
    one, other = meters
    day = an_allowance(100, ROLLING_DAY_US)
    for n in range(1, 11):
        await one.reserve(a_wanted(n, 10, day))

    answers = await asyncio.gather(
        *(meter.reduce(an_id(n), (a_count(4),)) for n in range(1, 11) for meter in (one, other, one, other))
    )
    refused = (await other.reserve(a_wanted(11, 61, day))).reservation.no_room

    assert {answer.posts_held for answer in answers} == {4}
    assert refused is not None
    assert (refused.used, refused.held) == (0, 40)
    assert (await one.reserve(a_wanted(12, 60, day))).reservation.state is State.HELD


async def test_m2_of_two_reductions_at_once_the_narrower_stands(meters: list[Meter]) -> None:
    one, other = meters
    for n in range(1, 11):
        await one.reserve(a_wanted(n, 3, an_allowance(100)))

    wider = [one.reduce(an_id(n), (a_count(2),)) for n in range(1, 11)]
    narrower = [other.reduce(an_id(n), (a_count(1),)) for n in range(1, 11)]
    both = await asyncio.gather(*wider, *narrower, return_exceptions=True)

    refused = [answer.reason for answer in both if isinstance(answer, Refusal)]
    assert set(refused) <= {"KEEPS_MORE_THAN_HELD"}
    found, _ = await one.reservations([an_id(n) for n in range(1, 11)])
    assert [each.posts_held for each in found] == [1] * 10


async def test_m2_settlements_that_contradict_each_other_leave_the_first(meters: list[Meter]) -> None:
    one, other = meters
    for n in range(1, 11):
        await one.reserve(a_wanted(n, 1, an_allowance(100)))

    nothing = [one.settle(an_id(n), ()) for n in range(1, 11)]
    all_of_it = [other.settle(an_id(n), (a_count(1),)) for n in range(1, 11)]
    both = await asyncio.gather(*nothing, *all_of_it, return_exceptions=True)

    refused = [answer for answer in both if isinstance(answer, Refusal)]
    assert [refusal.reason for refusal in refused] == ["SETTLED_OTHERWISE"] * 10
