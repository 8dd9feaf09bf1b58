"""The directory for tests, over its store on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.ids import uuid7
from tests.support.clock import ManualClock
from tests.support.directory import Directory, a_directory, directory_database_at
from tests.support.engines import ENGINES, url_on


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture(params=ENGINES)
async def directory(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Directory]:
    url = url_on(request.param, request, tmp_path, directory_database_at)
    async with a_directory(tmp_path, clock, lambda: uuid7(clock.now_us()), url) as directory:
        yield directory
