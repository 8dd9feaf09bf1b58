"""The contracts desk for tests: over each store, and served."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.licensing.contracts import ContractDesk, Store
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.contracts import bolt
from services.licensing.storage.contracts import ContractStore
from tests.support.clock import ManualClock
from tests.support.contracts import MemoryContracts
from tests.support.engines import ENGINES, url_on
from tests.support.grpc import LocalServer, serving
from tests.support.licensing import licensing_database_at


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
