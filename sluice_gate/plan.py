"""What a job is to do, and the files it works on."""

import hashlib
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sluice_gate.asking import DEFAULT_GIVE_UP_AFTER_US
from sluice_gate.batching import DEFAULT_BATCH_POSTS, MAX_BATCH_POSTS
from sluice_gate.errors import JobRefused
from sluice_gate.journal import Header, run_of
from sluice_gate.reading.forms import PostForm
from sluice_gate.reading.reader import PostReader

DEFAULT_IN_FLIGHT = 4
_FINGERPRINT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Plan:
    """A file of posts, where those that may leave go, and on what terms."""

    posts: Path
    out: Path
    license_id: str
    purpose: int
    """A number of `sluice.type.v1.Purpose`."""
    form: PostForm
    batch_size: int = DEFAULT_BATCH_POSTS
    """Posts asked for at once, 1 to 10,000."""
    in_flight: int = DEFAULT_IN_FLIGHT
    """Batches asked for at the same time; what is held in memory is this many batches."""
    wait: bool = False
    """Whether to wait until there is room again, or to end with the time to resume."""
    give_up_after_us: int = DEFAULT_GIVE_UP_AFTER_US
    """How long to repeat a call that fails."""

    def __post_init__(self) -> None:
        """Raises JobRefused for sizes out of range."""
        if not 1 <= self.batch_size <= MAX_BATCH_POSTS:
            raise JobRefused("BATCH_SIZE", f"a batch is 1 to {MAX_BATCH_POSTS} posts")
        if self.in_flight < 1:
            raise JobRefused("IN_FLIGHT", "at least one batch must be in flight")

    @property
    def files(self) -> "JobFiles":
        """The files beside the output."""
        return JobFiles.beside(self.out)


@dataclass(frozen=True)
class JobFiles:
    """The output of a job and what stands beside it."""

    out: Path
    journal: Path
    receipts: Path
    manifest: Path

    @classmethod
    def beside(cls, out: Path) -> "JobFiles":
        """The names that follow from the name of the output."""
        return cls(
            out, *(out.with_name(f"{out.name}.{kind}.jsonl") for kind in ("journal", "receipts", "manifest"))
        )

    def remove(self) -> None:
        """Takes them away, those that are there. Raises OSError."""
        for path in (self.out, self.receipts, self.manifest, self.journal):
            path.unlink(missing_ok=True)

    def check_absent(self) -> None:
        """Raises JobRefused (OUT_EXISTS) if any of them is there: nothing is ever overwritten."""
        for path in (self.out, self.journal, self.receipts, self.manifest):
            if path.exists() or path.is_symlink():
                run = run_of(self.journal)
                how = f"resume its run, {run}," if run else "remove what is left of it"
                raise JobRefused("OUT_EXISTS", f"{path} exists already; {how} or choose another name")


def header_of(plan: Plan, run: str, reader: PostReader) -> Header:
    """What the journal of `plan` begins with. Raises OSError."""
    names = plan.form.names
    return Header(
        run=run,
        posts=str(plan.posts.resolve()),
        size=reader.size,
        modified_ns=plan.posts.stat().st_mtime_ns,
        fingerprint=fingerprint(plan.posts),
        license_id=plan.license_id,
        purpose=plan.purpose,
        format=str(plan.form.format),
        names=asdict(names),
        zone=plan.form.zone,
        batch_size=plan.batch_size,
        preamble=reader.body.start,
    )


def check_same(found: Header, wanted: Header) -> None:
    """Raises JobRefused (JOB_DIFFERS) if a journal is about anything but the job that is to be resumed."""
    if found.run != wanted.run:
        raise JobRefused("RUN_DIFFERS", f"the journal is of run {found.run}")
    differing = [
        field.name for field in fields(Header) if getattr(found, field.name) != getattr(wanted, field.name)
    ]
    if differing:
        raise JobRefused(
            "JOB_DIFFERS",
            f"the run was begun with another {', '.join(differing)}; it can only go on as it began",
        )


def fingerprint(posts: Path) -> str:
    """Digest of the first and the last 64 KiB of a file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with posts.open("rb") as file:
        digest.update(file.read(_FINGERPRINT_BYTES))
        file.seek(max(0, os.fstat(file.fileno()).st_size - _FINGERPRINT_BYTES))
        digest.update(file.read(_FINGERPRINT_BYTES))
    return digest.hexdigest()
