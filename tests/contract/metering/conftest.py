"""A meter on whichever books: those in memory and those in a database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.metering.meter import Books, Meter
from services.metering.storage.books import SqlBooks
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.metering import (
    MemoryBooks,
    metering_database_at,
)


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def books(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Books]:
    if request.param == "memory":
        yield MemoryBooks(clock)
        return
    database = metering_database_at(url_on(request.param, request, tmp_path, metering_database_at))
    yield SqlBooks(database, clock.now_us)
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def meter(books: Books) -> Meter:
    return Meter(books)
