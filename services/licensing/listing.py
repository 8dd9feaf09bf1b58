"""Lists decisions, for whoever looks for one; nothing in it is about a single subject or post."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.licensing.domain.releases import Outcome


@dataclass(frozen=True)
class Wanted:
    """Which decisions; what is None does not matter. Times are microseconds UTC."""

    licensee_id: str | None = None
    license_id: str | None = None
    outcome: Outcome | None = None
    since_us: int | None = None
    """Decided then or later."""
    until_us: int | None = None
    """Decided before."""
    request_id: str | None = None
    """One for each caller at most."""
    number: int | None = None
    """Of the receipt, 64 bits without a sign."""


@dataclass(frozen=True)
class Summary:
    """A decision in short."""

    decision_id: str
    number: int
    request_id: str
    asked_by: str
    """Kind and party."""
    licensee_id: str
    license_id: str
    license_version: int
    purpose: int
    """Any 32 bits can be asked for."""
    outcome: Outcome
    posts_asked: int
    posts_released: int
    decided_at_us: int
    trace_id: str


@dataclass(frozen=True)
class Page:
    """Decisions, the newest first."""

    summaries: Sequence[Summary]
    """It can be none of those that were looked at."""
    below: int | None
    """Below which number the next page begins; None where nothing is left."""


class Decisions(Protocol):
    """The decisions of the ledger, as they are stored."""

    async def page(self, wanted: Wanted, below: int, limit: int) -> Page:
        """Those with numbers below one, at most so many; Refusal (DECISIONS_BUSY)."""
        ...
