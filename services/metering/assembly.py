"""What metering is put together from."""

from collections.abc import Callable
from pathlib import Path

from gateway.rate_limit_pb2_grpc import add_RateLimitServiceServicer_to_server
from services.chassis.action_rows import SqlActions
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.kept_heads import HeadFile
from services.chassis.opening import opened_as_set
from services.chassis.restore_rows import SqlRestores
from services.chassis.serving import Bolt
from services.metering.assessor import Assessor
from services.metering.domain.rates.limits import RateLimits
from services.metering.imports import Importer
from services.metering.limiter import Limiter
from services.metering.limits_file import LimitsFile
from services.metering.meter import Meter
from services.metering.roster import Roster
from services.metering.rpc import actions as action_log
from services.metering.rpc import (
    damages_servicer,
    dispute_servicer,
    party_servicer,
    rate_limit_servicer,
    servicer,
    usage_servicer,
)
from services.metering.schema.tables import ACTIONS, RESTORES
from services.metering.settings import MeteringSettings
from services.metering.storage.auditing import SqlAudit
from services.metering.storage.books import SqlBooks
from services.metering.storage.claims import SqlClaims
from services.metering.storage.disputes import SqlDisputes
from services.metering.storage.head import lock_head
from services.metering.storage.projecting import SqlProjections
from services.metering.storage.rate_windows import SqlRateWindows
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
    database: Database,
    projections: SqlProjections,
    clock: Clock,
    *,
    watch_seconds: float,
    limits: Callable[[], RateLimits | None] = lambda: None,
) -> list[Bolt]:
    """All that is served from a database; `limits` on calls from outside where there are any."""
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
    limiter = Limiter(SqlRateWindows(database, now_us), limits, now_us)
    calls = rate_limit_servicer.RateLimitServicer(limiter)
    return [
        Bolt(add_MeteringServiceServicer_to_server, servicer.MeteringServicer(meter), servicer.SERVICE),
        Bolt(add_PartyServiceServicer_to_server, parties, party_servicer.SERVICE),
        Bolt(add_UsageServiceServicer_to_server, usage, usage_servicer.SERVICE),
        Bolt(add_DamagesServiceServicer_to_server, claims, damages_servicer.SERVICE),
        Bolt(add_DisputeServiceServicer_to_server, disputes, dispute_servicer.SERVICE),
        Bolt(add_RateLimitServiceServicer_to_server, calls, rate_limit_servicer.SERVICE),
        action_log.bolt(SqlActions(database, ACTIONS, clock)),
    ]


def opened(settings: MeteringSettings, *, alone: bool = False) -> tuple[Database, HeadFile]:
    """The database, and the file that says how far it has come."""
    head = HeadFile(settings.head_folder, "metering")
    database = opened_as_set(settings, schema_dir=SCHEMA, name="metering", lock=lock_head, alone=alone)
    return database, head


def following_limits(settings: MeteringSettings) -> list[LimitsFile]:
    """The file of limits, where one is set; raises Refusal where it is wrong."""
    if settings.limits_file is None:
        return []
    return [LimitsFile(settings.limits_file, interval_seconds=settings.limits_seconds)]
