"""A batch of posts as columns, in the one form that all callers' forms are turned into.

What the columns say has one byte form (docs/receipt-format.md, "Canonical request"): whoever says the same
gets the same digest. A fault of the envelope is refused here; a fault of one post denies that post alone.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import Refusal, invalid
from services.licensing.domain.reasons import Objection, Reason, Reasons, first_of

MAX_POSTS = 10_000
MAX_EMBEDS = 100_000
MAX_LANGUAGES = 256
"""A language index is one byte."""
LARGEST_KIND = 4
"""Kinds are 1 to 4: post, reply, quote, repost."""
ALL_MEDIA_FLAGS = 7
"""image 1, video 2, other 4."""

Ids = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
Times = NDArray[np.int64]
Offsets = NDArray[np.uint32]
Mask = NDArray[np.bool_]

_TYPES: Mapping[str, str] = {
    "ids": "<u8",
    "author_ids": "<u8",
    "kinds": "u1",
    "media_flags": "u1",
    "posted_at_us": "<i8",
    "language_indexes": "u1",
    "embed_offsets": "<u4",
    "embed_ids": "<u8",
    "embed_author_ids": "<u8",
}


@dataclass(frozen=True, eq=False)
class Batch:
    """N posts with M embeds, one license and one purpose. Made by `of` or `of_bytes`, which check it."""

    license_id: str
    purpose: int
    """A number that may lie outside the closed table; that denies, it does not fail."""
    ids: Ids
    """N post ids; 0 is a fault."""
    author_ids: Ids
    """N; 0 is an unnamed contributor."""
    kinds: Bytes
    """N numbers of ContentKind."""
    media_flags: Bytes
    """N sums of MediaFlag."""
    posted_at_us: Times
    """N microseconds since the epoch, UTC; 0 where no time was given."""
    languages: tuple[str, ...]
    """Distinct, in the order in which posts first use them."""
    language_indexes: Bytes
    """N indexes into `languages`."""
    embed_offsets: Offsets
    """N + 1: embeds of post i stand at [offsets[i], offsets[i + 1]) of the two columns below."""
    embed_ids: Ids
    """M; 0 is a fault of the post."""
    embed_author_ids: Ids
    """M; 0 is an unnamed contributor."""

    @classmethod
    def of(
        cls,
        *,
        license_id: str,
        purpose: int,
        languages: Sequence[str],
        **columns: NDArray[Any],
    ) -> Self:
        """Checks the envelope and puts the languages into their canonical order.

        `columns` are the arrays named as in this class; `language_indexes` may be wider than a byte.

        Raises Refusal (invalid): PURPOSE_UNSPECIFIED, EMPTY_BATCH, TOO_MANY_POSTS, TOO_MANY_EMBEDS,
        TOO_MANY_LANGUAGES, COLUMN_LENGTHS (also for offsets that do not run from 0 to M and indexes out of
        range), INVALID_REQUEST (a language with a line feed, which separates languages in the digest).
        """
        if purpose == 0:
            raise invalid("PURPOSE_UNSPECIFIED", "a purpose must be given", field="purpose")
        check_size(len(columns["ids"]))
        _check_lengths(columns)
        _check_offsets(columns["embed_offsets"], len(columns["embed_ids"]))
        _check_languages(languages, columns["language_indexes"])
        indexes = columns.pop("language_indexes").astype(np.uint8, copy=False)
        canonical_languages, indexes = _in_order_of_use(languages, indexes)
        return cls(
            license_id=license_id,
            purpose=purpose,
            languages=canonical_languages,
            language_indexes=indexes,
            **{name: column.astype(_TYPES[name], copy=False) for name, column in columns.items()},
        )

    @classmethod
    def of_bytes(cls, *, license_id: str, purpose: int, languages: Sequence[str], **columns: bytes) -> Self:
        """`of` for columns as they travel: little-endian, named as in this class; raises what `of` raises.

        The arrays share the memory of the bytes and cannot be written.
        """
        arrays = {name: _column(name, content) for name, content in columns.items()}
        return cls.of(license_id=license_id, purpose=purpose, languages=languages, **arrays)

    def __len__(self) -> int:
        """N, the number of posts."""
        return len(self.ids)

    @property
    def embed_counts(self) -> NDArray[np.uint32]:
        """N numbers of embeds."""
        return np.diff(self.embed_offsets)

    def take(self, mask: Mask) -> "Batch":
        """The posts where `mask` (N booleans) is true, in order, with their embeds."""
        counts = self.embed_counts
        embeds = np.repeat(mask, counts)
        offsets = np.zeros(np.count_nonzero(mask) + 1, dtype=np.uint32)
        np.cumsum(counts[mask], out=offsets[1:])
        languages, indexes = _in_order_of_use(self.languages, self.language_indexes[mask])
        return Batch(
            license_id=self.license_id,
            purpose=self.purpose,
            ids=self.ids[mask],
            author_ids=self.author_ids[mask],
            kinds=self.kinds[mask],
            media_flags=self.media_flags[mask],
            posted_at_us=self.posted_at_us[mask],
            languages=languages,
            language_indexes=indexes,
            embed_offsets=offsets,
            embed_ids=self.embed_ids[embeds],
            embed_author_ids=self.embed_author_ids[embeds],
        )

    def canonical(self) -> bytes:
        """R of docs/receipt-format.md."""
        return self._canonical

    def fingerprint(self) -> bytes:
        """H(R), 32 bytes: another one under the same request id is other content."""
        return hashlib.sha256(self._canonical).digest()

    @cached_property
    def _canonical(self) -> bytes:
        blocks = (
            self.license_id.encode(),
            (self.purpose & 0xFFFF_FFFF).to_bytes(4, "little"),
            self.ids.tobytes(),
            self.author_ids.tobytes(),
            self.kinds.tobytes(),
            self.media_flags.tobytes(),
            self.posted_at_us.tobytes(),
            "\n".join(self.languages).encode(),
            self.language_indexes.tobytes(),
            self.embed_offsets.tobytes(),
            self.embed_ids.tobytes(),
            self.embed_author_ids.tobytes(),
        )
        return b"".join(part for block in blocks for part in (len(block).to_bytes(8, "little"), block))

    def faults(self, now_us: int, margin_us: int) -> Reasons:
        """N bytes: what is wrong with each post by itself, 0 where nothing is.

        A time over `margin_us` ahead of `now_us` is a fault, and so is one at or before the epoch, which is
        where an unset time lies. Of posts with one id all but the first are duplicates.
        """
        return first_of(self.objections(now_us, margin_us), len(self))

    def objections(self, now_us: int, margin_us: int) -> tuple[Objection, ...]:
        """Everything that is wrong with each post, as `faults` tells the first of it."""
        id_is_fault = self.ids == 0
        id_is_fault[self._posts_of_embeds(self.embed_ids == 0)] = True
        unknown_kind = (self.kinds == 0) | (self.kinds > LARGEST_KIND) | (self.media_flags > ALL_MEDIA_FLAGS)
        no_time = (self.posted_at_us <= 0) | (self.posted_at_us > now_us + margin_us)
        return (
            (Reason.FAULT_ID, id_is_fault),
            (Reason.FAULT_KIND, unknown_kind),
            (Reason.FAULT_TIME, no_time),
            (Reason.DUPLICATE, self._repeated()),
        )

    def _repeated(self) -> Mask:
        """N booleans: an earlier post has the same id."""
        repeated = np.zeros(len(self), dtype=np.bool_)
        in_order = np.sort(self.ids)
        # Most batches have no duplicates, and sorting alone is far cheaper than finding first places.
        if (in_order[1:] == in_order[:-1]).any():
            repeated[:] = True
            repeated[np.unique(self.ids, return_index=True)[1]] = False
        return repeated

    def _posts_of_embeds(self, embeds: Mask) -> NDArray[np.intp]:
        """Positions of the posts that hold the embeds where `embeds` (M booleans) is true."""
        return np.searchsorted(self.embed_offsets, np.flatnonzero(embeds), side="right") - 1


def check_size(posts: int) -> None:
    """Raises Refusal (invalid, EMPTY_BATCH or TOO_MANY_POSTS) unless a batch may have so many posts."""
    if posts == 0:
        raise invalid("EMPTY_BATCH", "the batch has no posts", field="batch")
    if posts > MAX_POSTS:
        raise invalid("TOO_MANY_POSTS", f"{posts} posts; a batch may have {MAX_POSTS} at most", field="batch")


def _column(name: str, content: bytes) -> NDArray[Any]:
    dtype = np.dtype(_TYPES[name])
    if len(content) % dtype.itemsize:
        raise _column_lengths(
            name, f"{len(content)} bytes are no whole number of {dtype.itemsize}-byte values"
        )
    return np.frombuffer(content, dtype)


def _check_lengths(columns: Mapping[str, NDArray[Any]]) -> None:
    posts, embeds = len(columns["ids"]), len(columns["embed_ids"])
    if embeds > MAX_EMBEDS:
        raise invalid(
            "TOO_MANY_EMBEDS",
            f"{embeds} embeds; a batch may have {MAX_EMBEDS} at most",
            field="batch",
        )
    for name, column in columns.items():
        expected = embeds if name in {"embed_ids", "embed_author_ids"} else posts + (name == "embed_offsets")
        if len(column) != expected:
            raise _column_lengths(name, f"{len(column)} values where {expected} are due")


def _check_offsets(offsets: NDArray[Any], embeds: int) -> None:
    if offsets[0] != 0 or offsets[-1] != embeds or (offsets[1:] < offsets[:-1]).any():
        raise _column_lengths("embed_offsets", f"offsets must run from 0 to {embeds} and never fall")


def _check_languages(languages: Sequence[str], indexes: NDArray[Any]) -> None:
    if len(languages) > MAX_LANGUAGES:
        raise invalid(
            "TOO_MANY_LANGUAGES",
            f"{len(languages)} languages; a batch may have {MAX_LANGUAGES} at most",
            field="batch",
        )
    if indexes.max() >= len(languages):
        raise _column_lengths("language_indexes", f"an index names none of the {len(languages)} languages")
    for position, language in enumerate(languages):
        if "\n" in language:
            raise invalid(
                "INVALID_REQUEST", "a language holds a line feed", field=f"columns.languages[{position}]"
            )


def _column_lengths(name: str, what: str) -> Refusal:
    return invalid("COLUMN_LENGTHS", f"{name}: {what}", field=f"columns.{name}")


def _in_order_of_use(languages: Sequence[str], indexes: Bytes) -> tuple[tuple[str, ...], Bytes]:
    """The languages that are used, each once, in the order of first use, and the indexes that fit them."""
    first_use = np.full(len(languages), len(indexes))
    # Of several values assigned to one place the last one stays, so the column is walked backwards.
    first_use[indexes[::-1]] = np.arange(len(indexes))[::-1]
    new_index_of: dict[str, int] = {}
    new_indexes = np.zeros(MAX_LANGUAGES, dtype=np.uint8)
    for old in np.argsort(first_use, kind="stable").tolist():
        if first_use[old] < len(indexes):
            new_indexes[old] = new_index_of.setdefault(languages[old], len(new_index_of))
    return tuple(new_index_of), new_indexes[indexes]
