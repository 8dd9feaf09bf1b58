"""What is read of recalls: entries, gaps and progress, as callers are told of them."""

from dataclasses import dataclass
from typing import NamedTuple

from services.licensing.domain.answers import Revision
from services.licensing.domain.posts import Ids
from services.licensing.domain.recalls.recalls import Gap

POSTS_A_PAGE = 100_000
RELEASES_A_PAGE = 10_000
"""At which a page of entries ends, whatever was asked for: it is written in one go."""


class EntryKey(NamedTuple):
    """Where an entry stands in its recall. Both are chance, and say nothing about the withdrawal (W2)."""

    withdrawal_id: str
    part: int


FIRST_ENTRY = EntryKey("", -1)
"""Before every entry."""


class RecalledRelease(NamedTuple):
    """Posts of one release."""

    decision_id: str
    license_id: str
    post_ids: Ids
    """Ascending."""


class Entry(NamedTuple):
    """Posts that one withdrawal takes back."""

    key: EntryKey
    releases: tuple[RecalledRelease, ...]


class GapKey(NamedTuple):
    """Where a gap stands: the withdrawal's position, and the release in one part of what it led to."""

    epoch: int
    revision: int
    licensee_id: str
    part: int
    place: int
    """Of the release in the part."""


@dataclass(frozen=True)
class ReleaseGap:
    """A release that could still go out when a withdrawal of it was known (W3). Times are microseconds."""

    recall_id: str
    """Empty where it is not issued."""
    withdrawal_id: str
    licensee_id: str
    decision_id: str
    kind: Gap
    posts: int
    withdrawn_at_us: int
    decided_at_us: int
    not_after_us: int


@dataclass(frozen=True)
class OnRecord:
    """How far withdrawals have led to recalls, of one moment of the database (W5)."""

    fence: Revision
    scanned: Revision
    rechecks_open: int
    recalls_collecting: int


@dataclass(frozen=True)
class Progress:
    """How far withdrawals have been read, and have led to recalls."""

    on_record: OnRecord
    followed: Revision
    """By this process."""
    oldest_unscanned_us: int | None
    """When the oldest one that it has read and nobody has scanned was recorded; None where there is none."""
