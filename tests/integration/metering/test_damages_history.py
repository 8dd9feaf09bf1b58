"""Claims over random histories in the database, against trying everything (D1, D2, M6)."""

import random

import pytest

from services.chassis.database import Database
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.readings import EVERY_READING, Clause
from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US
from services.metering.storage.projecting import SqlProjections
from sluice.metering.v1 import damages_pb2
from tests.support.clock import ManualClock
from tests.support.damages import Accesses, claimed
from tests.support.damages_caller import START_US, DamagesCaller, a_policy, a_scope, group
from tests.support.grpc import LocalServer
from tests.support.metering_usage import an_access

RATE = Rate("USD", 7 * 10**9, 2)
WINDOWS_US = (SECOND_US, 90 * SECOND_US, HOUR_US, 5 * HOUR_US, ROLLING_DAY_US)


@pytest.fixture
def claims(server: LocalServer, clock: ManualClock) -> DamagesCaller:
    return DamagesCaller(server, clock)


def a_history(chance: random.Random, window_us: int) -> Accesses:
    """Some a window apart, or just not; some within the same second."""
    at_us, accesses = START_US, []
    for _ in range(14):
        steps = (0, 1, window_us - 1, window_us, window_us // 3, SECOND_US // 2, chance.randrange(window_us))
        at_us += chance.choice(steps)
        accesses.append((at_us, chance.randint(1, 12)))
    return accesses


def the_clause(clause: Clause) -> damages_pb2.DamagesPolicy:
    policy = a_policy(threshold=clause.threshold, unit=clause.unit)
    policy.rate.units = 7
    policy.window.FromMicroseconds(clause.window_us)
    return policy


@pytest.mark.parametrize("seed", range(10))
async def test_every_reading_is_that_of_trying_everything(
    claims: DamagesCaller, database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    clause = Clause(chance.randint(0, 20), chance.randint(1, 12), WINDOWS_US[seed % len(WINDOWS_US)])
    accesses = a_history(chance, clause.window_us)
    # Two parties that belong to the group only from some time on, and until some time.
    moved_us, left_us = sorted(chance.choice(accesses)[0] + chance.choice((0, 1)) for _ in "ab")
    await claims.usage.move("acme", "red", moved_us)
    await claims.usage.move("beta", "red", START_US - MINUTE_US)
    await claims.usage.move("beta", "", left_us)
    since_us, until_us = START_US + chance.choice((0, 1, 7)), accesses[-1][0] + chance.choice((0, 1))
    counted = []
    for place in chance.sample(range(len(accesses)), len(accesses)):
        (at_us, posts), party_id = accesses[place], chance.choice(("acme", "beta"))
        await claims.usage.report(an_access(f"{place}", at_us, party_id, posts=posts))
        if place % 4 == 0:
            await SqlProjections(database).advance()
        belongs = at_us >= moved_us if party_id == "acme" else at_us < left_us
        counted += [(at_us, posts)] if belongs and since_us <= at_us < until_us else []
    await claims.put(the_clause(clause))

    found = await claims.preview(a_scope(max(since_us, START_US), max(until_us, since_us + 1), of=group()))

    for reading in EVERY_READING:
        (told,) = (
            each
            for each in found.readings
            if (each.overlap, each.rounding) == (int(reading.overlap), int(reading.rounding))
            and not each.licensed_volume_counts
            and len(each.accesses) == 2
        )
        periods = claimed(counted, clause, reading)
        amount = RATE.total(clause.tariff(reading.rounding), periods)
        cents = told.amount.units * 100 + told.amount.nanos // 10_000_000
        assert (told.periods, told.posts, cents) == (
            len(periods),
            sum(period.posts for period in periods),
            amount,
        ), reading
