"""Starts metering from its settings: `python -m services.metering`."""

from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import TokenVerifier
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_telemetry
from services.metering.meter import Meter
from services.metering.roster import Roster
from services.metering.rpc import party_servicer, servicer
from services.metering.rpc.admissions import ADMISSIONS
from services.metering.settings import MeteringSettings
from services.metering.storage.books import SqlBooks
from services.metering.storage.head import lock_head
from services.metering.storage.shelf import SqlShelf
from sluice.metering.v1.metering_service_pb2_grpc import add_MeteringServiceServicer_to_server
from sluice.metering.v1.party_service_pb2_grpc import add_PartyServiceServicer_to_server

SCHEMA = Path(__file__).with_name("schema")


async def main() -> None:
    """Serves until it is told to stop."""
    settings = MeteringSettings.from_environment()
    telemetry = start_telemetry("metering", settings)
    clock = SystemClock()
    database = Database.open(settings.database_url, schema_dir=SCHEMA, name="metering", lock=lock_head)
    meter = Meter(SqlBooks(database, clock.now_us))
    parties = party_servicer.PartyServicer(Roster(SqlShelf(database, clock.now_us), clock.now_us), clock)
    await serve(
        settings=settings,
        bolts=[
            Bolt(add_MeteringServiceServicer_to_server, servicer.MeteringServicer(meter), servicer.SERVICE),
            Bolt(add_PartyServiceServicer_to_server, parties, party_servicer.SERVICE),
        ],
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        telemetry=telemetry,
        on_close=[database.close],
    )


if __name__ == "__main__":
    run(main())
