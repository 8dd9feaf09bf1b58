"""How far the history has come, and what a stretch of it means for the compiled index."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.halts import HaltScope
from services.consent.domain.policies import PolicyBook
from services.consent.domain.posts import PostState
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
    profile_ids: NDArray[np.int64]


@dataclass(frozen=True)
class PostPlacement:
    """Which of `states` each of some posts has: two columns of equal length, no post twice."""

    post_ids: NDArray[np.uint64]
    places: NDArray[np.uint32]
    """Places in `states`."""
    states: tuple[PostState, ...]


@dataclass(frozen=True)
class Change:
    """What one stretch of the history comes to: everything that is different after it, as it is then.

    The parts may be read from the database while they are taken: they are good once, and in this order.
    """

    before: Revision | None
    """Where the stretch begins; None for the whole history, from nothing."""
    after: Revision
    lineage: int = 0
    """Which history it is that `after` is a revision of; 0 where there can be no other (R5)."""
    profiles: Mapping[int, Profile] = field(default_factory=dict)
    """Profiles that are new, by id. An id is never given again."""
    subjects: Iterable[Placement] = ()
    subject_count: int = 0
    """Subjects in all of `subjects`, or more."""
    posts: Iterable[PostPlacement] = ()
    post_count: int = 0
    """Posts in all of `posts`, or more."""
    policies: PolicyBook | None = None
    """The whole book; None where it is as before."""
    halts: frozenset[HaltScope] | None = None
    """All that are in force; None where they are as before."""


class Follower(Protocol):
    """Whoever follows the database. One call at a time."""

    @property
    def revision(self) -> Revision | None:
        """How far it has come; None at the beginning."""
        ...

    @property
    def lineage(self) -> int:
        """That of the change that was taken in last."""
        ...

    def prepare(self, change: Change) -> Callable[[], None]:
        """Reads a stretch that begins at `revision`, or the whole history; the call returned takes it in.

        Until that call nothing of it is seen: the database may not confirm what it has shown.
        """
        ...
