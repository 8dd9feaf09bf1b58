"""All of metering behind a gRPC server in this process."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from services.chassis.serving import Bolt
from services.metering.meter import Meter
from services.metering.roster import Roster
from services.metering.rpc import party_servicer, servicer
from services.metering.rpc.admissions import ADMISSIONS
from services.metering.storage.books import SqlBooks
from services.metering.storage.shelf import SqlShelf
from sluice.metering.v1.metering_service_pb2_grpc import add_MeteringServiceServicer_to_server
from sluice.metering.v1.party_service_pb2_grpc import add_PartyServiceServicer_to_server
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.metering import metering_database_at


@contextlib.asynccontextmanager
async def a_metering_server(
    folder: Path, clock: ManualClock, url: str | None = None
) -> AsyncIterator[LocalServer]:
    """Serves from a database in the folder unless it is said which one."""
    database = metering_database_at(url or f"sqlite:///{folder}/metering.db")
    roster = Roster(SqlShelf(database, clock.now_us), clock.now_us)
    meter = servicer.MeteringServicer(Meter(SqlBooks(database, clock.now_us)))
    parties = party_servicer.PartyServicer(roster, clock)
    bolts = [
        Bolt(add_MeteringServiceServicer_to_server, meter, servicer.SERVICE),
        Bolt(add_PartyServiceServicer_to_server, parties, party_servicer.SERVICE),
    ]
    async with serving(folder, *bolts, admissions=ADMISSIONS, clock=clock) as local:
        yield local
    await database.close()
