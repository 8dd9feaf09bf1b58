"""How far the history has come, and what one step of it means for the compiled index."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.policies import PolicyBook
from services.consent.domain.subjects import Profile


@dataclass(frozen=True, order=True)
class Revision:
    """A position in the history of the database, compared as a pair (R5)."""

    epoch: int
    number: int


@dataclass(frozen=True)
class Placement:
    """Which profile each of some subjects has: two columns of equal length, no subject twice."""

    subject_ids: NDArray[np.uint64]
    profile_ids: NDArray[np.uint32]


@dataclass(frozen=True)
class Change:
    """What one unit of work changed, from one revision to a later one. Applied in the order of commits."""

    before: Revision
    after: Revision
    placement: Placement | None = None
    profiles: Mapping[int, Profile] | None = None
    """Profiles that got their id in this unit; it may be one that was dropped earlier."""
    policies: PolicyBook | None = None
    """The whole book where it changed."""
    dropped: tuple[int, ...] = ()
    """Ids of profiles that no subject has any more."""


@dataclass(frozen=True)
class Contents:
    """Everything that the index is made from, as of one revision."""

    revision: Revision
    placement: Placement
    profiles: Mapping[int, Profile]
    policies: PolicyBook


class Follower(Protocol):
    """Whoever follows the database step by step."""

    def replace(self, contents: Contents) -> None:
        """Starts over with everything."""
        ...

    def apply(self, change: Change) -> None:
        """Takes one committed change, in the order of commits."""
        ...

    def distrust(self) -> None:
        """A commit may have happened that is never going to be told."""
        ...
