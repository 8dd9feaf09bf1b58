"""Starts consent from its settings: `python -m services.consent`."""

import secrets
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import TokenVerifier
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_telemetry
from services.consent.acknowledging import Acknowledger
from services.consent.custodian import Custodian
from services.consent.housekeeping import IndexFollower
from services.consent.index import Index
from services.consent.registrar import Registrar
from services.consent.rpc import servicer, state_servicer, subject_servicer
from services.consent.rpc.admissions import ADMISSIONS
from services.consent.settings import ConsentSettings
from services.consent.storage.custody import SqlCustody
from services.consent.storage.head import lock_group
from services.consent.storage.register import SqlRegister
from services.consent.watching import Watch
from sluice.consent.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server
from sluice.consent.v1.state_service_pb2_grpc import add_StateServiceServicer_to_server
from sluice.consent.v1.subject_service_pb2_grpc import add_SubjectServiceServicer_to_server

SCHEMA = Path(__file__).with_name("schema")
SECOND_US = 1_000_000


async def main() -> None:
    """Serves until it is told to stop."""
    settings = ConsentSettings.from_environment()
    telemetry = start_telemetry("consent", settings)
    clock = SystemClock()
    database = Database.open(settings.database_url, schema_dir=SCHEMA, name="consent", lock=lock_group)
    acknowledger = Acknowledger(
        clock,
        permit_us=int(settings.permit_seconds * SECOND_US),
        margin_us=int(settings.clock_margin_seconds * SECOND_US),
    )
    custody = SqlCustody(database, clock)
    registrar = Registrar(SqlRegister(database, clock), Index(secrets.randbits(64)), clock, acknowledger)
    custodian = Custodian(custody, registrar, clock, acknowledger)
    await registrar.follow()
    watch = Watch(custody, interval_seconds=settings.checkpoint_seconds)
    consent = servicer.ConsentServicer(registrar, custodian, clock)
    states = state_servicer.StateServicer(custodian, watch, clock)
    subjects = subject_servicer.SubjectServicer(custodian, settings.controller(), clock)
    await serve(
        settings=settings,
        bolts=[
            Bolt(add_ConsentServiceServicer_to_server, consent, servicer.SERVICE),
            Bolt(add_StateServiceServicer_to_server, states, state_servicer.SERVICE),
            Bolt(add_SubjectServiceServicer_to_server, subjects, subject_servicer.SERVICE),
        ],
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        telemetry=telemetry,
        background=[IndexFollower(registrar)],
        on_close=[database.close],
        failed=database.given_up,
    )


if __name__ == "__main__":
    run(main())
