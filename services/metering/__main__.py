"""Starts metering from its settings: `python -m services.metering`."""

import sys
from pathlib import Path

from services.chassis.accepting import accept, acceptance_of
from services.chassis.action_rows import SqlActions
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database
from services.chassis.head_keeping import HeadKeeper
from services.chassis.identity import TokenVerifier
from services.chassis.kept_heads import HeadFile
from services.chassis.restore_rows import SqlRestores
from services.chassis.restores import Acceptance
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_logs, start_telemetry
from services.metering.assessor import Assessor
from services.metering.imports import Importer
from services.metering.meter import Meter
from services.metering.projector import Projector
from services.metering.roster import Roster
from services.metering.rpc import actions as action_log
from services.metering.rpc import damages_servicer, dispute_servicer, party_servicer, servicer, usage_servicer
from services.metering.rpc.admissions import ADMISSIONS
from services.metering.schema.tables import ACTIONS, RESTORES
from services.metering.settings import MeteringSettings
from services.metering.storage.auditing import SqlAudit
from services.metering.storage.books import SqlBooks
from services.metering.storage.claims import SqlClaims
from services.metering.storage.disputes import SqlDisputes
from services.metering.storage.head import lock_head
from services.metering.storage.projecting import SqlProjections
from services.metering.storage.shelf import SqlShelf
from services.metering.storage.sightings import SqlSightings
from services.metering.storage.usage import SqlUsage
from services.metering.storage.watching import SqlWindows
from services.metering.usage import UsageDesk
from services.metering.watches import Watches
from sluice.metering.v1.damages_service_pb2_grpc import add_DamagesServiceServicer_to_server
from sluice.metering.v1.dispute_service_pb2_grpc import add_DisputeServiceServicer_to_server
from sluice.metering.v1.metering_service_pb2_grpc import add_MeteringServiceServicer_to_server
from sluice.metering.v1.party_service_pb2_grpc import add_PartyServiceServicer_to_server
from sluice.metering.v1.usage_service_pb2_grpc import add_UsageServiceServicer_to_server

SCHEMA = Path(__file__).with_name("schema")


def bolts(
    database: Database, projections: SqlProjections, clock: Clock, *, watch_seconds: float
) -> list[Bolt]:
    """All that is served from a database."""
    now_us = clock.now_us
    meter = Meter(SqlBooks(database, now_us))
    roster = Roster(SqlShelf(database, now_us), now_us)
    importer = Importer(SqlSightings(database, now_us))
    desk = UsageDesk(SqlUsage(database), now_us)
    watches = Watches(SqlWindows(database), now_us, interval_seconds=watch_seconds)
    parties = party_servicer.PartyServicer(roster, clock)
    audit, restores = SqlAudit(database), SqlRestores(database, RESTORES)
    usage = usage_servicer.UsageServicer(
        importer, desk, audit, projections, clock, watches=watches, restores=restores
    )
    claims = damages_servicer.DamagesServicer(Assessor(SqlClaims(database, now_us), now_us), clock)
    disputes = dispute_servicer.DisputeServicer(SqlDisputes(database, now_us), clock)
    return [
        Bolt(add_MeteringServiceServicer_to_server, servicer.MeteringServicer(meter), servicer.SERVICE),
        Bolt(add_PartyServiceServicer_to_server, parties, party_servicer.SERVICE),
        Bolt(add_UsageServiceServicer_to_server, usage, usage_servicer.SERVICE),
        Bolt(add_DamagesServiceServicer_to_server, claims, damages_servicer.SERVICE),
        Bolt(add_DisputeServiceServicer_to_server, disputes, dispute_servicer.SERVICE),
        action_log.bolt(SqlActions(database, ACTIONS, clock)),
    ]


def opened(settings: MeteringSettings, *, alone: bool = False) -> tuple[Database, HeadFile]:
    """The database, and the file that says how far it has come."""
    head = HeadFile(settings.head_folder, "metering")
    url = settings.database_url
    return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head, alone=alone), head


async def accept_restore(acceptance: Acceptance) -> None:
    """Begins a new epoch with the database as it is, and serves nothing."""
    settings = MeteringSettings.from_environment()
    start_logs("metering", settings.log_level)
    database, head = opened(settings, alone=True)
    await accept(database, RESTORES, head, acceptance, SystemClock())


async def main() -> None:
    """Serves until it is told to stop."""
    settings = MeteringSettings.from_environment()
    telemetry = start_telemetry("metering", settings)
    clock = SystemClock()
    database, head = opened(settings)
    keeper = HeadKeeper(database, RESTORES, head)
    await keeper.check()
    projections = SqlProjections(database)
    await serve(
        settings=settings,
        bolts=bolts(database, projections, clock, watch_seconds=settings.watch_seconds),
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        actions=SqlActions(database, ACTIONS, clock),
        telemetry=telemetry,
        background=[Projector(projections, interval_seconds=settings.projection_seconds), keeper],
        on_close=[keeper.close, database.close],
        failed=database.given_up,
    )


if __name__ == "__main__":
    acceptance = acceptance_of(sys.argv[1:])
    run(main() if acceptance is None else accept_restore(acceptance))
