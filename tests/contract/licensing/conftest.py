"""The contracts desk for tests, over each store and served; and the books of billing, on each engine."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.licensing.contracts import ContractDesk, Store
from services.licensing.domain.pricing.prices import PerUnit
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.contracts import bolt
from services.licensing.storage.contracts import ContractStore
from tests.support.billing import PARIS, Accounts
from tests.support.clock import ManualClock
from tests.support.contracts import MemoryContracts
from tests.support.engines import ENGINES, url_on
from tests.support.grpc import LocalServer, serving
from tests.support.licensing import licensing_database_at
from tests.support.prices import a_price
from tests.support.recalls import Shelf


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryContracts()
        return
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield ContractStore(database)
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(store: Store, clock: ManualClock) -> ContractDesk:
    return ContractDesk(store, clock)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalServer]:
    clock = ManualClock()
    desk = ContractDesk(MemoryContracts(), clock)
    async with serving(tmp_path, bolt(desk, clock), admissions=ADMISSIONS, clock=clock) as server:
        yield server


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """Where recalls are put, of two licensees."""
    shelf = Shelf(database)
    shelf.licensees("acme", "beta")
    return shelf


@pytest_asyncio.fixture
async def accounts(database: Database) -> Accounts:
    """license-1 in force since the first of October, a cent a post by the month of Paris."""
    accounts = Accounts(database, ManualClock())
    accounts.at("2025-10-01T00:00")
    await accounts.license(price=a_price(PerUnit(Decimal("0.01")), **PARIS))
    return accounts
