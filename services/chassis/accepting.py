"""The other mode of a service's program: an operator accepts that its database was restored (R5)."""

import argparse
from collections.abc import Mapping, Sequence

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.head_keeping import accept_restore
from services.chassis.kept_heads import HeadFile
from services.chassis.restore_rows import RestoreRows
from services.chassis.restores import LONGEST_NAME, LONGEST_REASON, Acceptance, Restore


def acceptance_of(arguments: Sequence[str], switches: Mapping[str, str] | None = None) -> Acceptance | None:
    """What `--accept-restore --reason=TEXT --by=NAME` says; None without any argument: the service serves.

    `switches` are options of the service's own, each with its help. Ends the program with its usage for
    anything else.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--accept-restore", action="store_true", help="accept that the database was restored")
    parser.add_argument("--reason", default="", help="why, for the record")
    parser.add_argument("--by", default="", help="who, for the record")
    for name, help in (switches or {}).items():
        parser.add_argument(f"--{name}", action="append_const", const=name, dest="switches", help=help)
    given = parser.parse_args(arguments)
    chosen = frozenset(vars(given).get("switches") or ())
    if not given.accept_restore:
        if given.reason or given.by or chosen:
            parser.error("the other options go with --accept-restore")
        return None
    reason, by = given.reason.strip(), given.by.strip()
    if not reason or len(reason) > LONGEST_REASON:
        parser.error(f"--reason says why, in at most {LONGEST_REASON} characters")
    if not by or len(by) > LONGEST_NAME:
        parser.error(f"--by says who, in at most {LONGEST_NAME} characters")
    return Acceptance(reason, by, chosen)


async def accept(
    database: Database, rows: RestoreRows, file: HeadFile, acceptance: Acceptance, clock: Clock
) -> None:
    """Accepts the restore, says so on standard output, and closes the database.

    Raises Refusal as `accept_restore`.
    """
    try:
        restore = await accept_restore(database, rows, file, acceptance, clock.now_us())
    finally:
        await database.close()
    print(words(file.service, restore))


def words(service: str, restore: Restore) -> str:
    """What was done, and what is to be done next."""
    found, lost = restore.found, restore.lost
    if lost is None:
        extent = "Nothing shows how far it had come, so that nothing of it is taken as known to others."
    else:
        extent = f"It had come to number {lost.number} of epoch {lost.epoch}; what came after is lost."
    return (
        f"Epoch {restore.epoch} of {service} has begun, after number {found.number} of epoch {found.epoch}.\n"
        f"{extent}\n"
        f"Start {service} again. docs/restores.md says what to bring in again."
    )
