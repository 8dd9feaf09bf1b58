"""Pages of the log of operators' actions: what is asked for, and what is answered, wherever it is kept."""

from dataclasses import dataclass

from services.chassis.actions import ActionHead, Entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of the log, and from where on."""

    limit: int
    beyond: int | None = None
    """Number of the last one on the page before."""
    operator: str = ""
    method: str = ""
    since_us: int | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class ActionPage:
    """A page of entries."""

    entries: tuple[Entry, ...]
    has_more: bool
    head: ActionHead
    """Of the log, in the same snapshot."""
