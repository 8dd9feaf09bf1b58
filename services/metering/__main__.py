"""Starts metering from its settings: `python -m services.metering`.

With `--check-limits=FILE` it says what a file of limits on calls says, as JSON, and serves nothing.
"""

if __name__ == "__main__":
    import sys

    from services.chassis.garbage import hold_off
    from services.chassis.stopping import end_when_told

    # Before all that is loaded next, which takes seconds.
    end_when_told(serves=not sys.argv[1:])
    hold_off()

import json
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from services.chassis.accepting import accept, acceptance_of
from services.chassis.action_rows import SqlActions
from services.chassis.clock import SystemClock
from services.chassis.head_keeping import HeadKeeper
from services.chassis.issuers import verifier_of
from services.chassis.migrating import migrate_before_workers
from services.chassis.pool import needs_pool, serve_pool
from services.chassis.restores import Acceptance
from services.chassis.serving import run, serve
from services.chassis.telemetry import start_logs, start_telemetry
from services.metering.assembly import SCHEMA, bolts, following_limits, opened
from services.metering.domain.rates.documents import described
from services.metering.forgetting import WindowForgetter
from services.metering.limits_file import read_limits
from services.metering.projector import Projector
from services.metering.rpc.admissions import ADMISSIONS
from services.metering.schema.tables import ACTIONS, RESTORES
from services.metering.settings import MeteringSettings
from services.metering.storage.projecting import SqlProjections
from services.metering.storage.rate_windows import SqlRateWindows

CHECK_LIMITS = "--check-limits"


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
    if needs_pool(settings):
        migrate_before_workers("metering", SCHEMA, settings)
        await serve_pool("services.metering", settings)
        return
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
