"""Starts metering from its settings: `python -m services.metering`.

With `--check-limits=FILE` it says what a file of limits on calls says, as JSON, and serves nothing.
"""

import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from gateway.rate_limit_pb2_grpc import add_RateLimitServiceServicer_to_server
from services.chassis.accepting import accept, acceptance_of
from services.chassis.action_rows import SqlActions
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database
from services.chassis.head_keeping import HeadKeeper
from services.chassis.issuers import verifier_of
from services.chassis.kept_heads import HeadFile
from services.chassis.restore_rows import SqlRestores
from services.chassis.restores import Acceptance
from services.chassis.serving import Bolt, run, serve
from services.chassis.telemetry import start_logs, start_telemetry
from services.metering.assessor import Assessor
from services.metering.domain.rates.documents import described
from services.metering.domain.rates.limits import RateLimits
from services.metering.forgetting import WindowForgetter
from services.metering.imports import Importer
from services.metering.limiter import Limiter
from services.metering.limits_file import LimitsFile, read_limits
from services.metering.meter import Meter
from services.metering.projector import Projector
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
from services.metering.rpc.admissions import ADMISSIONS
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
CHECK_LIMITS = "--check-limits"


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
    url = settings.database_url
    return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head, alone=alone), head


def following_limits(settings: MeteringSettings) -> list[LimitsFile]:
    """The file of limits, where one is set; raises Refusal where it is wrong."""
    if settings.limits_file is None:
        return []
    return [LimitsFile(settings.limits_file, interval_seconds=settings.limits_seconds)]


async def accept_restore(acceptance: Acceptance) -> None:
    """Begins a new epoch with the database as it is, and serves nothing."""
    settings = MeteringSettings.from_environment()
    start_logs("metering", settings.log_level)
    database, head = opened(settings, alone=True)
    await accept(database, RESTORES, head, acceptance, SystemClock())


async def check_limits(file: Path) -> None:
    """Says which limits a file has, in the order of its lines."""
    limits = read_limits(file)
    print(json.dumps({"domain": limits.domain, "limits": described(limits)}))


async def main() -> None:
    """Serves until it is told to stop."""
    settings = MeteringSettings.from_environment()
    telemetry = start_telemetry("metering", settings)
    following = following_limits(settings)
    limits = following[0].limits if following else lambda: None
    clock = SystemClock()
    database, head = opened(settings)
    keeper = HeadKeeper(database, RESTORES, head)
    await keeper.check()
    projections, windows = SqlProjections(database), SqlRateWindows(database, clock.now_us)
    await serve(
        settings=settings,
        bolts=bolts(database, projections, clock, watch_seconds=settings.watch_seconds, limits=limits),
        admissions=ADMISSIONS,
        verifier=verifier_of(settings, clock),
        actions=SqlActions(database, ACTIONS, clock),
        telemetry=telemetry,
        background=[
            Projector(projections, interval_seconds=settings.projection_seconds),
            WindowForgetter(windows, interval_seconds=settings.forget_seconds),
            *following,
            keeper,
        ],
        on_close=[keeper.close, database.close],
        failed=database.given_up,
    )


def asked_for(arguments: Sequence[str]) -> Coroutine[Any, Any, None]:
    """What the program is to do; ends it with its usage where that is not known."""
    first, _, file = arguments[0].partition("=") if arguments else ("", "", "")
    if first == CHECK_LIMITS and len(arguments) == 1:
        return check_limits(Path(file))
    acceptance = acceptance_of(arguments)
    return main() if acceptance is None else accept_restore(acceptance)


if __name__ == "__main__":
    run(asked_for(sys.argv[1:]))
