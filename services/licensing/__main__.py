"""Starts licensing from its settings: `python -m services.licensing`."""

import zoneinfo
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import TokenVerifier
from services.chassis.keys import ensure_keys
from services.chassis.serving import run, serve
from services.chassis.telemetry import start_telemetry
from services.licensing.assembly import assemble
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.settings import LicensingSettings
from services.licensing.storage.head import lock_group
from services.licensing.storage.known import remembering

SCHEMA = Path(__file__).with_name("schema")


async def main() -> None:
    """Serves until it is told to stop."""
    settings = LicensingSettings.from_environment()
    # By one release of the rules of time zones, that of the package, whatever machine a replica runs on (B4).
    zoneinfo.reset_tzpath(())
    telemetry = start_telemetry("licensing", settings)
    clock = SystemClock()
    keys = ensure_keys(settings.state_dir / "keys")
    database = Database.open(
        settings.database_url, schema_dir=SCHEMA, name="licensing", lock=lock_group, options=remembering()
    )
    licensing = assemble(settings, clock, keys, database)
    for check in licensing.checks:
        await check()
    await serve(
        settings=settings,
        bolts=licensing.bolts,
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        telemetry=telemetry,
        background=licensing.background,
        failed=database.given_up,
        on_close=[*(peer.close for peer in licensing.peers), database.close],
    )


if __name__ == "__main__":
    run(main())
