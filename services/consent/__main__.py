"""Starts consent from its settings: `python -m services.consent`."""

if __name__ == "__main__":
    import sys

    from services.chassis.garbage import hold_off
    from services.chassis.stopping import end_when_told

    # Before all that is loaded next, which takes seconds.
    end_when_told(serves=not sys.argv[1:])
    hold_off()

import secrets
import sys
from pathlib import Path

from services.chassis.accepting import accept, acceptance_of
from services.chassis.action_rows import SqlActions
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.head_keeping import HeadKeeper
from services.chassis.issuers import verifier_of
from services.chassis.kept_heads import HeadFile
from services.chassis.migrating import migrate_before_workers
from services.chassis.opening import opened_as_set
from services.chassis.pool import needs_pool, serve_pool
from services.chassis.restore_rows import SqlRestores
from services.chassis.restores import Acceptance
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_logs, start_telemetry
from services.consent.acknowledging import Acknowledger
from services.consent.custodian import Custodian
from services.consent.housekeeping import IndexFollower
from services.consent.index import Index
from services.consent.registrar import Registrar
from services.consent.rpc import actions as action_log
from services.consent.rpc import servicer, state_servicer, subject_servicer
from services.consent.rpc.admissions import ADMISSIONS
from services.consent.settings import ConsentSettings
from services.consent.storage.custody import SqlCustody
from services.consent.storage.dossiers import is_erased
from services.consent.storage.head import lock_group
from services.consent.storage.register import SqlRegister
from services.consent.storage.tables import ACTIONS, RESTORES
from services.consent.watching import Watch
from sluice.consent.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server
from sluice.consent.v1.state_service_pb2_grpc import add_StateServiceServicer_to_server
from sluice.consent.v1.subject_service_pb2_grpc import add_SubjectServiceServicer_to_server

SCHEMA = Path(__file__).with_name("schema")
SECOND_US = 1_000_000


def opened(settings: ConsentSettings, *, alone: bool = False) -> tuple[Database, HeadFile]:
    """The database, and the file that says how far it has come."""
    head = HeadFile(settings.head_folder, "consent")
    database = opened_as_set(settings, schema_dir=SCHEMA, name="consent", lock=lock_group, alone=alone)
    return database, head


async def accept_restore(acceptance: Acceptance) -> None:
    """Begins a new epoch with the database as it is, and serves nothing."""
    settings = ConsentSettings.from_environment()
    start_logs("consent", settings.log_level)
    database, head = opened(settings, alone=True)
    await accept(database, RESTORES, head, acceptance, SystemClock())


async def main() -> None:
    """Serves until it is told to stop."""
    settings = ConsentSettings.from_environment()
    if needs_pool(settings):
        migrate_before_workers("consent", SCHEMA, settings)
        await serve_pool("services.consent", settings)
        return
    telemetry = start_telemetry("consent", settings)
    clock = SystemClock()
    database, head = opened(settings)
    keeper = HeadKeeper(database, RESTORES, head)
    await keeper.check()
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
    actions = SqlActions(database, ACTIONS, clock, is_erased)
    consent = servicer.ConsentServicer(registrar, custodian, clock)
    states = state_servicer.StateServicer(custodian, watch, SqlRestores(database, RESTORES), clock)
    subjects = subject_servicer.SubjectServicer(custodian, settings.controller(), clock)
    await serve(
        settings=settings,
        bolts=[
            Bolt(add_ConsentServiceServicer_to_server, consent, servicer.SERVICE),
            Bolt(add_StateServiceServicer_to_server, states, state_servicer.SERVICE),
            Bolt(add_SubjectServiceServicer_to_server, subjects, subject_servicer.SERVICE),
            action_log.bolt(actions),
        ],
        admissions=ADMISSIONS,
        verifier=verifier_of(settings, clock),
        actions=actions,
        telemetry=telemetry,
        background=[IndexFollower(registrar), keeper],
        on_close=[keeper.close, database.close],
        failed=database.given_up,
    )


if __name__ == "__main__":
    acceptance = acceptance_of(sys.argv[1:])
    run(main() if acceptance is None else accept_restore(acceptance))
