"""A database of the earlier release, with posts counted in it, is taken over as it is."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.chassis.database import Database
from services.metering.domain.allowances import Scope, Shortfall
from services.metering.domain.reservations import State
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from services.metering.meter import Meter
from services.metering.storage.books import SqlBooks
from tests.support.clock import NOON_US, ManualClock
from tests.support.engines import ENGINES
from tests.support.metering import (
    SCHEMA,
    a_count,
    a_wanted,
    an_allowance,
    an_id,
    metering_database_at,
    of_group,
)
from tests.support.postgres import PostgresServer

SECOND, MINUTE, DAY = 1, 2, 3
HELD, SETTLED, CANCELLED, NO_ROOM = 1, 2, 3, 4
ON_LICENSE, ON_LICENSEE = [1, "license-1", DAY, 100], [2, "licensee-1", MINUTE, 50]


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def fill(database: Database) -> None:
    """As the release of that schema wrote it: a hold, a settlement, a cancelled one, one without room."""

    def add(table: str, **row: Any) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f":{name}" for name in row)
        statement = text(f"INSERT INTO {table} ({names}) VALUES ({values})")
        database.write_now(lambda connection: connection.execute(statement, row))

    def reservation(number: int, state: int, posts: int, settled: int, **more: Any) -> None:
        counted = [[1, 0, posts]]
        row = {
            "number": number,
            "reservation_id": an_id(number),
            "request_key": f"request-{number}",
            "party_id": "licensee-1",
            "counts": compact(counted),
            "allowances": compact([ON_LICENSE, ON_LICENSEE]),
            "state": state,
            "counted_at_us": NOON_US + number,
            "posts_reserved": posts,
            "posts_settled": settled,
            "posts_freed": 0 if state == HELD else posts - settled,
            "settled": compact([[1, 0, settled]] if settled else []),
            "no_room": None,
        }
        add("reservations", **row | more)

    reservation(1, HELD, 5, 0)
    reservation(2, SETTLED, 7, 4)
    reservation(3, CANCELLED, 9, 0)
    refused = compact([ON_LICENSE, 4, 5, NOON_US + 1 + ROLLING_DAY_US, False, False, [an_id(1)]])
    reservation(4, NO_ROOM, 99, 0, counted_at_us=None, posts_reserved=0, posts_freed=0, no_room=refused)
    for tally_id, (scope, key, window, _) in enumerate([ON_LICENSE, ON_LICENSEE], 1):
        sums = {"used": 4, "held": 5, "last_us": NOON_US + 4, "tail_us": 0}
        add("tallies", id=tally_id, scope=scope, key=key, window=window, **sums)
        for number, used, held in ((1, 0, 5), (2, 4, 0), (3, 0, 0)):
            entry = {"counted_at_us": NOON_US + number, "number": number, "used": used, "held": held}
            add("entries", tally_id=tally_id, **entry)
    database.write_now(lambda connection: connection.execute(text("UPDATE head SET number = 7")))


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Of the earlier schema, with posts counted in it, opened by this release."""
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    shutil.copy(SCHEMA / "versions" / "0001_reservations.py", earlier / "versions")
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'metering.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    before = Database.open(url, schema_dir=earlier, name="metering")
    fill(before)
    before.close_now()
    opened = metering_database_at(url)
    yield opened
    await opened.close()


@pytest.fixture
def meter(database: Database) -> Meter:
    return Meter(SqlBooks(database, ManualClock(NOON_US + 10).now_us))


LIMITS = an_allowance(100, ROLLING_DAY_US), an_allowance(50, MINUTE_US, "licensee-1", Scope.LICENSEE)


async def test_answers_are_given_again_as_they_were(meter: Meter) -> None:
    held = (await meter.reserve(a_wanted(1, 5, *LIMITS))).reservation
    refused = (await meter.reserve(a_wanted(4, 99, *LIMITS))).reservation

    assert (held.state, held.counted_at_us, held.held) == (State.HELD, NOON_US + 1, (a_count(5),))
    assert (refused.state, refused.rivals) == (State.NO_ROOM, (an_id(1),))
    assert refused.no_room is not None
    assert refused.no_room.allowance == LIMITS[0]
    assert refused.no_room.shortfall == Shortfall(NOON_US + 1 + ROLLING_DAY_US, exact=False, never=False)


async def test_what_was_counted_counts_under_old_limits_and_new_ones(meter: Meter) -> None:
    await meter.settle(an_id(1), (a_count(2),))

    for n, limit in enumerate((*LIMITS, an_allowance(30, TERM), of_group(40, SECOND_US)), start=10):
        refused = (await meter.reserve(a_wanted(n, limit.limit, limit))).reservation.no_room
        assert refused is not None
        assert (refused.used, refused.held) == (6, 0)


async def test_m2_what_was_held_can_be_reduced(meter: Meter) -> None:
    reduced = await meter.reduce(an_id(1), (a_count(2),))

    assert (reduced.reserved, reduced.held, reduced.posts_freed) == ((a_count(5),), (a_count(2),), 3)
    for n, limit in enumerate(LIMITS, start=10):
        refused = (await meter.reserve(a_wanted(n, limit.limit, limit))).reservation.no_room
        assert refused is not None
        assert (refused.used, refused.held) == (4, 2)


async def test_numbers_go_on(meter: Meter) -> None:
    answer = await meter.reserve(a_wanted(10, 1))

    assert answer.revision.number == 8
    assert [each.number for each in (await meter.holds(None, None, 10))[0]] == [1, 8]
