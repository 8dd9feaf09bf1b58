"""What is known of a post on its own: denied, deleted, withheld somewhere (C5)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class PostMark(enum.IntFlag):
    """Marks that deny a post wherever it goes."""

    DENIED = 1
    DELETED = 2


NO_MARKS = PostMark(0)


@dataclass(frozen=True)
class PostState:
    """Everything about a post that can decide; posts who share it are answered alike."""

    marks: PostMark = NO_MARKS
    withheld: frozenset[str] = frozenset()
    """Countries in which it is withheld."""


UNMARKED = PostState()


@dataclass(frozen=True)
class Post:
    """What the history of one post comes to; enough to take the next change without reading it."""

    state: PostState = UNMARKED
    times_us: Mapping[int, int] = field(default_factory=dict)
    """When each mark was set or cleared last, by the source's clock; see `state_changes`."""
