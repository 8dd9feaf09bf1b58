"""What a subject is told about the releases that held something of theirs (W4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from services.licensing.domain.deliveries import Confirmation, DeliveryState, read_bitmap
from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.posts import Ids, Mask
from services.licensing.domain.recalls.recalls import Recall
from services.licensing.domain.released import Contents, KeyKind, Released


class Arrived(NamedTuple):
    """What is known of the delivery of some posts. Nothing is taken for delivered or not that nobody said."""

    delivered: int
    undelivered: int
    unconfirmed: int

    @property
    def posts(self) -> int:
        """All of them."""
        return self.delivered + self.undelivered + self.unconfirmed

    def plus(self, other: "Arrived") -> "Arrived":
        """Both together."""
        return Arrived(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class SubjectRecall(NamedTuple):
    """A recall of some of these posts, as a subject is told of it."""

    recall: Recall
    posts: int
    """Of the subject's posts in the release, those that are in it."""


@dataclass(frozen=True, eq=False)
class SubjectRelease:
    """A release, and what of it is one subject's."""

    decision_id: str
    number: int
    licensee_id: str
    licensee_name: str
    license_id: str
    purpose: int
    decided_at_us: int
    state: DeliveryState
    receipt: str
    posts: Ids
    """Those that hold something of the subject, their own or embedded."""
    arrived: Arrived
    """Of these posts; adds up to their number."""
    embedded: Ids
    """The subject's own posts that are embedded in them, where the decision kept that."""
    recalls: tuple[SubjectRecall, ...] = ()
    """What the licensee was told to delete of them, by number."""


@dataclass(frozen=True)
class Sum:
    """The releases of one licensee and purpose that held something of a subject."""

    licensee_id: str
    licensee_name: str
    purpose: int
    releases: int
    arrived: Arrived
    first_decided_at_us: int
    last_decided_at_us: int

    @classmethod
    def of(cls, release: SubjectRelease) -> Self:
        """Of a single one."""
        at_us = release.decided_at_us
        place = (release.licensee_id, release.licensee_name, release.purpose)
        return cls(*place, 1, release.arrived, at_us, at_us)

    def with_(self, release: SubjectRelease) -> "Sum":
        """With one more."""
        return Sum(
            *(self.licensee_id, self.licensee_name, self.purpose),
            self.releases + 1,
            self.arrived.plus(release.arrived),
            min(self.first_decided_at_us, release.decided_at_us),
            max(self.last_decided_at_us, release.decided_at_us),
        )


def posts_of(contents: Contents, subject_id: int) -> Mask:
    """N booleans: the released posts that are the subject's, or embed one that is."""
    return contents.posts_with(KeyKind.CONTRIBUTOR, subject_id)


def embedded_of(contents: Contents, subject_id: int) -> Ids:
    """The subject's posts that are embedded in released ones, ascending; none where that was not kept."""
    if not isinstance(contents, Released):
        return np.empty(0, np.uint64)
    return distinct_sorted(contents.embed_ids[contents.embed_author_ids == np.uint64(subject_id)])


def arrived(
    contents: Contents, concerned: Mask, released: Mask, confirmation: Confirmation | None
) -> Arrived:
    """What a confirmation says of the posts where `concerned` is true.

    `concerned` is over the released posts of `contents`, `released` over all posts of the request. Where the
    order of the request was not kept, a confirmation says something of a post only if it says it of all.
    """
    posts = int(np.count_nonzero(concerned))
    if confirmation is None:
        return Arrived(0, 0, posts)
    if isinstance(contents, Released):
        came = read_bitmap(confirmation.bitmap, released)[released]
        delivered = int(np.count_nonzero(came & concerned))
        return Arrived(delivered, posts - delivered, 0)
    if confirmation.posts == 0:
        return Arrived(0, posts, 0)
    return Arrived(posts, 0, 0) if confirmation.posts == len(contents) else Arrived(0, 0, posts)


def sums_of(releases: Iterable[SubjectRelease]) -> list[Sum]:
    """Added up, by licensee and then purpose."""
    sums: dict[tuple[str, int], Sum] = {}
    for release in releases:
        place = (release.licensee_id, release.purpose)
        sums[place] = sums[place].with_(release) if place in sums else Sum.of(release)
    return [sums[place] for place in sorted(sums)]
