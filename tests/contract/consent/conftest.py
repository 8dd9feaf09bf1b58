"""Registers of consent, whichever they are: the one in memory and those in a database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.consent import consent_database_at
from tests.support.consent_memory import MemoryRegister
from tests.support.consent_shelf import Shelf, SqlShelf
from tests.support.engines import ENGINES, url_on


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    """An empty register of each kind."""
    if request.param == "memory":
        yield Shelf(MemoryRegister())
        return
    opened = SqlShelf(url_on(request.param, request, tmp_path, consent_database_at))
    yield opened
    await opened.close()


@pytest_asyncio.fixture(params=ENGINES)
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlShelf]:
    """An empty database on each engine."""
    opened = SqlShelf(url_on(request.param, request, tmp_path, consent_database_at))
    yield opened
    await opened.close()
