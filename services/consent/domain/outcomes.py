"""What became of a write, as it is stored and given again to whoever repeats the request."""

from dataclasses import dataclass, replace

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Revision


@dataclass(frozen=True)
class Recorded:
    """A live choice was recorded."""

    revision: Revision
    stated_us: int


@dataclass(frozen=True)
class Objected:
    """What objections came to."""

    revision: Revision
    recorded: tuple[int, ...]
    """Revisions of the denies that were recorded."""


@dataclass(frozen=True)
class Rejected:
    """A row of an import was not taken."""

    line: int
    reason: str
    message: str


@dataclass(frozen=True)
class Imported:
    """What became of the rows of an import."""

    accepted: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    revision: Revision

    def with_rejected(self, earlier: tuple[Rejected, ...]) -> "Imported":
        """The same with rows added that were turned away before; in the order of lines."""
        rejected = sorted((*earlier, *self.rejected), key=lambda row: row.line)
        return replace(self, rejected=tuple(rejected))


@dataclass(frozen=True)
class Published:
    """A policy was announced."""

    version: int
    revision: Revision


@dataclass(frozen=True)
class Retracted:
    """A policy was retracted."""

    version: int
    revision: Revision


@dataclass(frozen=True)
class Halted:
    """A halt was ordered or lifted."""

    halt_id: int
    revision: Revision


@dataclass(frozen=True)
class Erased:
    """A subject's records were erased."""

    erased_us: int
    revision: Revision


def rejected(line: int, refusal: Refusal) -> Rejected:
    """A refusal that concerns one row alone."""
    return Rejected(line, refusal.reason, refusal.message)
