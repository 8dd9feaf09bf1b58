"""All of metering behind a gRPC server in this process."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from services.chassis.action_rows import SqlActions
from services.chassis.database import Database
from services.metering.assembly import bolts
from services.metering.domain.rates.limits import RateLimits
from services.metering.rpc.admissions import ADMISSIONS
from services.metering.schema.tables import ACTIONS
from services.metering.storage.projecting import SqlProjections
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.metering import metering_database_at


@contextlib.asynccontextmanager
async def a_metering_server(
    folder: Path,
    clock: ManualClock,
    url: str | None = None,
    limits: Callable[[], RateLimits | None] = lambda: None,
) -> AsyncIterator[LocalServer]:
    """Serves from a database in the folder unless it is said which one; `limits` are those on calls."""
    database = metering_database_at(url or f"sqlite:///{folder}/metering.db")
    async with served_from(database, folder, clock, limits) as local:
        yield local
    await database.close()


@contextlib.asynccontextmanager
async def served_from(
    database: Database,
    folder: Path,
    clock: ManualClock,
    limits: Callable[[], RateLimits | None] = lambda: None,
) -> AsyncIterator[LocalServer]:
    """Serves from a database that is open; nobody keeps the projections."""
    served = bolts(database, SqlProjections(database), clock, watch_seconds=0.01, limits=limits)
    actions = SqlActions(database, ACTIONS, clock)
    async with serving(folder, *served, admissions=ADMISSIONS, clock=clock, actions=actions) as local:
        yield local
