"""What a decision released, post by post, and what can be looked for in it.

Decisions keep the released posts as they were resolved. Those of a release of the program before that have
their manifest alone: it names every contributor and the posts that hold something of theirs, but not which
posts are embedded. Nothing is concluded from that silence: such decisions are found as unresolved.
"""

import enum
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.posts import Batch, Ids, Mask, Offsets

EVERY_UNRESOLVED = 0
"""The one key of its kind."""


class KeyKind(enum.IntEnum):
    """What decisions are found by."""

    CONTRIBUTOR = 1
    """The author of a released post, or of one embedded in it."""
    POST = 2
    """A released post, or one embedded in it."""
    UNRESOLVED = 3
    """The decision does not know its embedded posts; under the key `EVERY_UNRESOLVED`."""


@dataclass(frozen=True, eq=False)
class Released:
    """N released posts with M embeds, as they were resolved."""

    ids: Ids
    """N, in the order of the request."""
    author_ids: Ids
    """N."""
    embed_offsets: Offsets
    """N + 1: embeds of post i stand at [offsets[i], offsets[i + 1]) of the two columns below."""
    embed_ids: Ids
    """M."""
    embed_author_ids: Ids
    """M."""

    is_resolved = True

    def __len__(self) -> int:
        """N."""
        return len(self.ids)

    @property
    def entries(self) -> int:
        """Posts and embeds: about as much work as there is."""
        return len(self.ids) + len(self.embed_ids)

    def keys(self, kind: KeyKind) -> Ids:
        """All keys that the decision is found by, ascending, each once."""
        match kind:
            case KeyKind.CONTRIBUTOR:
                return distinct_sorted(np.concatenate((self.author_ids, self.embed_author_ids)))
            case KeyKind.POST:
                return distinct_sorted(np.concatenate((self.ids, self.embed_ids)))
            case KeyKind.UNRESOLVED:
                return np.empty(0, np.uint64)

    def posts_with(self, kind: KeyKind, key: int) -> Mask:
        """N booleans: the posts that hold something of `key`, their own or embedded."""
        match kind:
            case KeyKind.CONTRIBUTOR:
                own, embedded = self.author_ids, self.embed_author_ids
            case KeyKind.POST:
                own, embedded = self.ids, self.embed_ids
            case KeyKind.UNRESOLVED:
                return np.zeros(len(self), np.bool_)
        found: Mask = own == np.uint64(key)
        embeds = np.flatnonzero(embedded == np.uint64(key))
        found[np.searchsorted(self.embed_offsets, embeds, side="right") - 1] = True
        return found

    def posts_with_each(self, kind: KeyKind, keys: Ids) -> list[NDArray[np.intp]]:
        """For each of the keys, which ascend, each once: where `posts_with` is true. One look for all."""
        if kind is KeyKind.UNRESOLVED or not len(keys):
            return [np.empty(0, np.intp)] * len(keys)
        by_author = kind is KeyKind.CONTRIBUTOR
        own, embedded = (self.author_ids, self.embed_author_ids) if by_author else (self.ids, self.embed_ids)
        held = np.concatenate((own, embedded))
        at = np.minimum(np.searchsorted(keys, held), len(keys) - 1)
        places = np.flatnonzero(keys[at] == held)
        posts = places.copy()
        embeds = places >= len(own)
        posts[embeds] = np.searchsorted(self.embed_offsets, places[embeds] - len(own), side="right") - 1
        pairs = distinct_sorted(at[places].astype(np.uint64) * np.uint64(len(own)) + posts.astype(np.uint64))
        ends = np.searchsorted(pairs, np.arange(1, len(keys), dtype=np.uint64) * np.uint64(len(own)))
        return np.split((pairs % np.uint64(max(1, len(own)))).astype(np.intp), ends)


@dataclass(frozen=True, eq=False)
class Unresolved:
    """What the manifest of a decision says that kept nothing else: C contributors with P posts in all."""

    contributors: Ids
    """C, ascending."""
    post_offsets: Offsets
    """C + 1."""
    post_ids: Ids
    """P, for each contributor ascending and distinct."""

    is_resolved = False

    def __len__(self) -> int:
        """N, the number of released posts."""
        return len(self.ids)

    @property
    def entries(self) -> int:
        """As for `Released`."""
        return len(self.post_ids)

    @cached_property
    def ids(self) -> Ids:
        """N post ids, ascending: the order of the request is not known."""
        return distinct_sorted(self.post_ids)

    def keys(self, kind: KeyKind) -> Ids:
        """As `Released.keys`, without the posts that are only embedded."""
        match kind:
            case KeyKind.CONTRIBUTOR:
                return self.contributors
            case KeyKind.POST:
                return self.ids
            case KeyKind.UNRESOLVED:
                return np.full(min(1, len(self.post_ids)), EVERY_UNRESOLVED, np.uint64)

    def posts_with(self, kind: KeyKind, key: int) -> Mask:
        """As `Released.posts_with`, without those that only embed a post; all, asked as unresolved."""
        match kind:
            case KeyKind.CONTRIBUTOR:
                at = int(np.searchsorted(self.contributors, np.uint64(key)))
                if at == len(self.contributors) or self.contributors[at] != key:
                    return np.zeros(len(self), np.bool_)
                theirs = self.post_ids[self.post_offsets[at] : self.post_offsets[at + 1]]
                return np.isin(self.ids, theirs)
            case KeyKind.POST:
                return np.equal(self.ids, np.uint64(key))
            case KeyKind.UNRESOLVED:
                return np.ones(len(self), np.bool_)

    def posts_with_each(self, kind: KeyKind, keys: Ids) -> list[NDArray[np.intp]]:
        """As `Released.posts_with_each`."""
        return [np.flatnonzero(self.posts_with(kind, key)) for key in keys.tolist()]


Contents = Released | Unresolved


def released_of(batch: Batch, released: Mask) -> Released:
    """The posts where `released` (N booleans) is true, with their embeds."""
    counts = batch.embed_counts
    embeds = np.repeat(released, counts)
    offsets = np.zeros(np.count_nonzero(released) + 1, dtype=np.uint32)
    np.cumsum(counts[released], out=offsets[1:])
    return Released(
        ids=batch.ids[released],
        author_ids=batch.author_ids[released],
        embed_offsets=offsets,
        embed_ids=batch.embed_ids[embeds],
        embed_author_ids=batch.embed_author_ids[embeds],
    )
