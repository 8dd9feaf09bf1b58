"""What the keeping of the sandbox's answers promises, on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.ids import DAY_US, uuid7
from services.chassis.replays import ReplayKey
from services.licensing.sandbox import OPERATION
from services.licensing.storage.sandbox import SandboxAnswers
from tests.support.clock import NOON_US
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


def a_key(principal: str, at_us: int, operation: str = OPERATION) -> ReplayKey:
    return ReplayKey(principal, operation, uuid7(at_us), b"d" * 32)


async def test_what_is_older_is_forgotten_whoever_asked_and_nothing_else(database: Database) -> None:
    answers = SandboxAnswers(database)
    old = [a_key(who, NOON_US - DAY_US - 1_000) for who in ("pipeline:a", "pipeline:b", "pipeline:b")]
    kept = [
        a_key("pipeline:b", NOON_US - DAY_US),
        a_key("pipeline:c", NOON_US),
        # A write of an operator is told again for as long as its id may be shown.
        a_key("operator:ann", NOON_US - DAY_US - 1_000, "SuspendLicense"),
        a_key("pipeline:a", NOON_US - DAY_US - 1_000, "SomethingElse"),
    ]
    for key in (*old, *kept):
        await answers.keep(key, b"answer", NOON_US)

    forgotten = await answers.forget(OPERATION, NOON_US - DAY_US, 100)

    assert forgotten == 3
    assert [await answers.earlier(key) for key in old] == [None] * 3
    assert [await answers.earlier(key) for key in kept] == [b"answer"] * 4
    assert await answers.forget(OPERATION, NOON_US - DAY_US, 100) == 0


async def test_no_more_is_forgotten_at_once_than_was_said(database: Database) -> None:
    answers = SandboxAnswers(database)
    for number in range(7):
        await answers.keep(a_key(f"pipeline:{number % 3}", NOON_US - 2 * DAY_US), b"answer", NOON_US)

    forgotten = [await answers.forget(OPERATION, NOON_US, 3) for _ in range(4)]

    assert forgotten == [3, 3, 1, 0]
