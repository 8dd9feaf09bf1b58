"""All of metering, served from a database of either engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.database import Database
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.grpc import LocalServer
from tests.support.metering import metering_database_at
from tests.support.metering_server import served_from
from tests.support.metering_usage import (
    UsageCaller,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    opened = metering_database_at(url_on(request.param, request, tmp_path, metering_database_at))
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def server(database: Database, tmp_path: Path, clock: ManualClock) -> AsyncIterator[LocalServer]:
    async with served_from(database, tmp_path, clock) as local:
        yield local


@pytest.fixture
def call(server: LocalServer, clock: ManualClock) -> UsageCaller:
    return UsageCaller(server, clock)
