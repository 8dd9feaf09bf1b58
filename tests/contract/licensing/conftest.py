"""A database of licensing on each engine, and the books of billing in it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.licensing.domain.pricing.prices import PerUnit
from tests.support.billing import PARIS, Accounts
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at
from tests.support.prices import a_price


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def accounts(database: Database) -> Accounts:
    """license-1 in force since the first of October, a cent a post by the month of Paris."""
    accounts = Accounts(database, ManualClock())
    accounts.at("2025-10-01T00:00")
    await accounts.license(price=a_price(PerUnit(Decimal("0.01")), **PARIS))
    return accounts
