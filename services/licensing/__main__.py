"""Starts licensing from its settings: `python -m services.licensing`.

With `--accept-restore --reason=WHY --by=WHO` it accepts that its database was restored, and serves nothing.
"""

if __name__ == "__main__":
    import sys

    from services.chassis.garbage import hold_off
    from services.chassis.stopping import end_when_told

    # Before all that is loaded next, which takes seconds.
    end_when_told(serves=not sys.argv[1:])
    hold_off()

import sys
import zoneinfo
from pathlib import Path

from services.chassis.accepting import acceptance_of
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.head_keeping import HeadKeeper
from services.chassis.issuers import verifier_of
from services.chassis.kept_heads import HeadFile
from services.chassis.keys import Keys, ensure_keys, given_keys
from services.chassis.migrating import migrate_before_workers
from services.chassis.opening import opened_as_set
from services.chassis.pool import needs_pool, serve_pool
from services.chassis.restores import Acceptance
from services.chassis.serving import run, serve
from services.chassis.telemetry import start_logs, start_telemetry
from services.licensing.accepting import FOLDER_LOST, FOLDER_LOST_HELP, words
from services.licensing.assembly import accepting, assemble
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.settings import LicensingSettings
from services.licensing.storage.head import lock_group
from services.licensing.storage.known import remembering
from services.licensing.storage.restore_tables import RESTORES

SCHEMA = Path(__file__).with_name("schema")


def opened(settings: LicensingSettings, *, alone: bool = False) -> tuple[Database, HeadFile]:
    """The database, and the file that says how far it has come."""
    head = HeadFile(settings.head_folder, "licensing")
    database = opened_as_set(
        settings,
        schema_dir=SCHEMA,
        name="licensing",
        # Who is alone has nobody to wait for, and an acceptance that is refused may raise no number.
        lock=None if alone else lock_group,
        options=remembering(),
        alone=alone,
    )
    return database, head


def signing_keys(settings: LicensingSettings) -> Keys:
    """The keys to sign with: made where they are missing, unless somebody else provides them."""
    if settings.keys_dir is not None:
        return given_keys(settings.keys_dir)
    return ensure_keys(settings.state_dir / "keys")


async def accept_restore(accepted: Acceptance) -> None:
    """Begins a new epoch with the database as it is, and says so on standard output (R5)."""
    settings = LicensingSettings.from_environment()
    start_logs("licensing", settings.log_level)
    keys = Keys.in_folder(settings.keys_dir or settings.state_dir / "keys")
    database, head = opened(settings, alone=True)
    try:
        done = await accepting(settings, SystemClock(), keys, database, head).accept(accepted)
    finally:
        await database.close()
    print(words(done))


async def main() -> None:
    """Serves until it is told to stop."""
    settings = LicensingSettings.from_environment()
    if needs_pool(settings):
        migrate_before_workers("licensing", SCHEMA, settings)
        await serve_pool("services.licensing", settings)
        return
    # By one release of the rules of time zones, that of the package, whatever machine a replica runs on (B4).
    zoneinfo.reset_tzpath(())
    telemetry = start_telemetry("licensing", settings)
    clock = SystemClock()
    keys = signing_keys(settings)
    database, head = opened(settings)
    keeper = HeadKeeper(database, RESTORES, head)
    await keeper.check()
    verifier = verifier_of(settings, clock)
    licensing = assemble(settings, clock, keys, database, verifier)
    for check in licensing.checks:
        await check()
    await serve(
        settings=settings,
        bolts=licensing.bolts,
        admissions=ADMISSIONS,
        verifier=verifier,
        actions=licensing.actions,
        telemetry=telemetry,
        background=[*licensing.background, keeper],
        failed=database.given_up,
        on_close=[*(peer.close for peer in licensing.peers), keeper.close, database.close],
    )


if __name__ == "__main__":
    acceptance = acceptance_of(sys.argv[1:], {FOLDER_LOST: FOLDER_LOST_HELP})
    run(main() if acceptance is None else accept_restore(acceptance))
