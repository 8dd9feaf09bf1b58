"""Starts consent from its settings: `python -m services.consent`."""

import secrets
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import TokenVerifier
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_telemetry
from services.consent.freshness import Freshness
from services.consent.housekeeping import IndexKeeper, PolicyTimer
from services.consent.index import Index
from services.consent.registrar import Registrar
from services.consent.rpc.servicer import ADMISSIONS, SERVICE, ConsentServicer
from services.consent.settings import ConsentSettings
from services.consent.storage.register import SqlRegister
from sluice.consent.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server

SCHEMA = Path(__file__).with_name("schema")
SECOND_US = 1_000_000


async def main() -> None:
    """Serves until it is told to stop."""
    settings = ConsentSettings.from_environment()
    telemetry = start_telemetry("consent", settings)
    clock = SystemClock()
    database = Database.open(settings.database_url, schema_dir=SCHEMA, name="consent", owned=True)
    freshness = Freshness(Index(secrets.randbits(64)))
    registrar = Registrar(
        SqlRegister(database, freshness),
        freshness,
        clock,
        permit_us=int(settings.permit_seconds * SECOND_US),
        margin_us=int(settings.clock_margin_seconds * SECOND_US),
    )
    await registrar.load()
    await serve(
        settings=settings,
        bolts=[Bolt(add_ConsentServiceServicer_to_server, ConsentServicer(registrar, clock), SERVICE)],
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        telemetry=telemetry,
        background=[PolicyTimer(registrar), IndexKeeper(registrar, freshness)],
        on_close=[database.close],
    )


if __name__ == "__main__":
    run(main())
