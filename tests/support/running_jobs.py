"""Release jobs that run as processes, to be killed and resumed; and what they left behind."""

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice_gate.plan import JobFiles
from tests.support.commands import Command, Ending
from tests.support.fleet import PURPOSE, Fleet
from tests.support.reckoning import Books
from tests.support.waiting import until

BATCH = 75
IN_FLIGHT = 8
EXIT_RESUMABLE = 3


@dataclass
class RunningJob:
    """One `sluice release`, whose process can die and be followed by another."""

    fleet: Fleet
    posts: Path
    out: Path
    license_id: str

    @property
    def files(self) -> JobFiles:
        """The output and what stands beside it."""
        return JobFiles.beside(self.out)

    @property
    def run(self) -> str | None:
        """The run as its journal says; None as long as there is none, and then nothing was asked."""
        if not self.files.journal.exists():
            return None
        return str(json.loads(self.files.journal.read_bytes().splitlines()[0])["run"])

    @property
    def size(self) -> int:
        """Bytes in all its files: how far it is."""
        files = self.files
        paths = (files.out, files.journal, files.receipts, files.manifest)
        return sum(path.stat().st_size for path in paths if path.exists())

    @property
    def done(self) -> list[dict[str, Any]]:
        """The journal's entries of batches that are done."""
        entries = self.files.journal.read_bytes().split(b"\n")[1:-1] if self.run else []
        return [fields["done"] for fields in map(json.loads, entries) if "done" in fields]

    @property
    def delivered(self) -> set[str]:
        """Decisions that the journal says were delivered on."""
        return {entry["decision_id"] for entry in self.done if int(entry["delivered"] or "0", 16)}

    async def begin(self, *options: str) -> Command:
        """Starts the job, or takes up its run."""
        return await self.fleet.command(
            *("release", str(self.posts), "--license", self.license_id, "--purpose", PURPOSE),
            *("--out", str(self.out), "--batch-size", str(BATCH), "--in-flight", str(IN_FLIGHT), "--json"),
            *(("--resume", self.run) if self.run else ()),
            *options,
        )

    async def finish(self) -> Ending:
        """Starts the job, or takes up its run, and waits for its end."""
        return await (await self.begin()).ending()

    async def until_orphaned(self, command: Command) -> set[str]:
        """Freezes the process between two batches with decisions under way; the ids of these."""
        books = books_of(self.fleet)
        while True:
            before = self.size
            await until(lambda: command.has_ended or self.size > before, "the job got on")  # noqa: B023 - awaited
            assert not command.has_ended, (await command.ending()).err
            command.send(signal.SIGSTOP)
            released = {bill.decision_id for bill in books.bills(self.license_id) if bill.released}
            orphans = released - self.delivered
            if orphans and self.done and self.out.stat().st_size == self.done[-1]["output"]:
                return orphans
            command.send(signal.SIGCONT)


def books_of(fleet: Fleet) -> Books:
    """The books that a fleet keeps."""
    return Books(fleet.database("licensing"), fleet.database("metering"))
