"""Tells subjects who got their posts (W4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.licensing.domain.disclosures import SubjectRelease, Sum


@dataclass(frozen=True)
class Page:
    """Releases, the newest first."""

    releases: Sequence[SubjectRelease]
    more: bool


class Disclosures(Protocol):
    """What was released, as it is stored."""

    async def page(self, subject_id: int, below: int, limit: int) -> Page:
        """The releases with numbers below one that held something of a subject, at most so many.

        Refusal (RELEASE_INDEX_BEHIND, DISCLOSURES_BUSY) where that would take too long.
        """
        ...

    async def summary(self, subject_id: int) -> Sequence[Sum]:
        """All of them added up; also Refusal SUBJECT_RELEASES_TOO_MANY."""
        ...
