"""Entries of a recall: which posts of which releases one withdrawal takes back from one licensee."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.posts import Ids, Offsets
from services.licensing.domain.recalls.recalls import Gap
from services.licensing.domain.recalls.withdrawals import Withdrawal

POSTS_A_PART = 20_000
"""At which a part is full; the posts of one release are never cut in two."""
DECISIONS_A_PART = 2_000
POSTS_A_SHARE = 2_000_000
"""That are in memory at once when the posts of a recheck are counted: some 50 MB."""


class Found(NamedTuple):
    """Posts of one release that a withdrawal takes back."""

    number: int
    """Of its receipt."""
    post_ids: Ids
    """Ascending, distinct; at least one."""
    gap: Gap


@dataclass(frozen=True, eq=False)
class Part:
    """D releases with P posts in all, as columns."""

    decisions: Ids
    """D receipt numbers, ascending."""
    post_offsets: Offsets
    """D + 1: the posts of decision i stand at [offsets[i], offsets[i + 1])."""
    post_ids: Ids
    """P."""
    gaps: NDArray[np.uint8]
    """D, a Gap each."""

    @property
    def gaps_found(self) -> int:
        """Releases with a gap."""
        return int(np.count_nonzero(self.gaps))


@dataclass(frozen=True, eq=False)
class Taking:
    """All that one withdrawal takes back from one licensee, or what was found of it so far."""

    withdrawal: Withdrawal
    licensee_id: str
    withdrawal_id: str
    """Random, for this withdrawal and licensee alone (W2)."""
    parts: Sequence[Part]
    licenses: frozenset[tuple[str, int]]
    """Ids and versions under which the releases were made."""

    @property
    def posts(self) -> int:
        """Each once, in however many releases it is."""
        return distinct_posts(part.post_ids for part in self.parts)


class Counted(NamedTuple):
    """What withdrawals add to the recall of one licensee; counted before the head is locked."""

    withdrawals: int
    posts: int
    """One for each withdrawal that names them."""
    licenses: frozenset[tuple[str, int]]
    """Ids and versions; they say when the recall is due."""


def counted(takings: Sequence[Taking]) -> Counted:
    """All of them together."""
    licenses = frozenset(each for taking in takings for each in taking.licenses)
    return Counted(len(takings), sum(taking.posts for taking in takings), licenses)


def distinct_posts(columns: Iterable[Ids]) -> int:
    """How many posts are in the columns, each once."""
    return len(distinct_sorted(np.concatenate([np.empty(0, np.uint64), *columns])))


def shares_of(posts: int) -> int:
    """Into how many shares so many posts are to be put to count them, a share at a time."""
    return posts // POSTS_A_SHARE + 1


def share_of(post_ids: Ids, share: int, shares: int) -> Ids:
    """The posts of a share, from 0, each once and ascending: the same post is always in the same one."""
    return distinct_sorted(post_ids[post_ids % np.uint64(shares) == share])


def parts_of(found: Sequence[Found]) -> Iterator[Part]:
    """What was found, in the order of numbers, cut into parts."""
    some: list[Found] = []
    posts = 0
    for each in sorted(found, key=lambda one: one.number):
        if some and (posts + len(each.post_ids) > POSTS_A_PART or len(some) == DECISIONS_A_PART):
            yield _part(some)
            some, posts = [], 0
        some.append(each)
        posts += len(each.post_ids)
    if some:
        yield _part(some)


def _part(found: Sequence[Found]) -> Part:
    lengths = [len(each.post_ids) for each in found]
    return Part(
        decisions=np.array([each.number for each in found], np.uint64),
        post_offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.uint32),
        post_ids=np.concatenate([each.post_ids for each in found]).astype(np.uint64),
        gaps=np.array([each.gap for each in found], np.uint8),
    )
