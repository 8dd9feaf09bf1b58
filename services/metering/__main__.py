"""Starts metering from its settings: `python -m services.metering`."""

from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import TokenVerifier
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_telemetry
from services.metering.locking import lock_claims
from services.metering.meter import Meter
from services.metering.rpc import ADMISSIONS, SERVICE, MeteringServicer
from services.metering.settings import MeteringSettings
from services.metering.storage import SqlBooks
from sluice.metering.v1.metering_service_pb2_grpc import add_MeteringServiceServicer_to_server

SCHEMA = Path(__file__).with_name("schema")


async def main() -> None:
    """Serves until it is told to stop."""
    settings = MeteringSettings.from_environment()
    telemetry = start_telemetry("metering", settings)
    clock = SystemClock()
    database = Database.open(settings.database_url, schema_dir=SCHEMA, name="metering", lock=lock_claims)
    meter = Meter(SqlBooks(database), clock.now_us)
    await serve(
        settings=settings,
        bolts=[Bolt(add_MeteringServiceServicer_to_server, MeteringServicer(meter), SERVICE)],
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        telemetry=telemetry,
        on_close=[database.close],
    )


if __name__ == "__main__":
    run(main())
