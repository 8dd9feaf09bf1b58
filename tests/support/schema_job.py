"""A process that migrates a database by a schema folder, to be killed: `python schema_job.py URL FOLDER`."""

import sys
from pathlib import Path

from services.chassis.migrating import Target, migrate
from services.chassis.migrations import Told
from services.chassis.revisions import Schema


def said(told: Told) -> None:
    """A line for whoever watches."""
    print(told.event, told.step.revision if told.step else "", flush=True)


if __name__ == "__main__":
    url, folder = sys.argv[1:]
    migrate(Target("words", url, Schema.in_folder(Path(folder))), contract=True, tell=said)
