"""Starts the directory from its settings: `python -m services.directory`."""

if __name__ == "__main__":
    from services.chassis.garbage import hold_off
    from services.chassis.stopping import end_when_told

    # Before all that is loaded next, which takes seconds.
    end_when_told(serves=True)
    hold_off()

from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.issuers import verifier_of
from services.chassis.opening import opened_as_set
from services.chassis.serving import run, serve
from services.chassis.telemetry import start_telemetry
from services.directory.rpc.admissions import ADMISSIONS
from services.directory.rpc.servicer import bolts
from services.directory.settings import DirectorySettings
from services.directory.shelf import Shelf
from services.directory.storage.posts import PostStore

SCHEMA = Path(__file__).with_name("schema")


async def main() -> None:
    """Serves until it is told to stop."""
    settings = DirectorySettings.from_environment()
    telemetry = start_telemetry("directory", settings)
    clock = SystemClock()
    database = opened_as_set(settings, schema_dir=SCHEMA, name="directory")
    await serve(
        settings=settings,
        bolts=bolts(Shelf(PostStore(database), clock), clock),
        admissions=ADMISSIONS,
        verifier=verifier_of(settings, clock),
        actions=None,
        telemetry=telemetry,
        failed=database.given_up,
        on_close=[database.close],
    )


if __name__ == "__main__":
    run(main())
