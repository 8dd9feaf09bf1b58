"""Entries of a recall: which posts of which releases one withdrawal takes back from one licensee."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.licensing.domain.posts import Ids, Offsets
from services.licensing.domain.recalls.recalls import Gap
from services.licensing.domain.recalls.withdrawals import Withdrawal

POSTS_A_PART = 20_000
"""At which a part is full; the posts of one release are never cut in two."""
DECISIONS_A_PART = 2_000


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


def distinct_posts(columns: Iterable[Ids]) -> int:
    """How many posts are in the columns, each once."""
    return len(np.unique(np.concatenate([np.empty(0, np.uint64), *columns])))


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
