"""A batch of posts as consent sees it: who wrote each, and who wrote what is embedded in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import Refusal, invalid

MOST_POSTS = 10_000


@dataclass(frozen=True)
class Batch:
    """Columns of N posts with M embeds; made by `batch_of`."""

    post_ids: NDArray[np.uint64]
    """N ids."""
    author_ids: NDArray[np.uint64]
    """N ids; 0 is an unnamed contributor."""
    embed_offsets: NDArray[np.uint32]
    """N + 1 places in the next columns, from 0 to M."""
    embed_ids: NDArray[np.uint64]
    """M ids; 0 where it is not known, which no post has."""
    embed_author_ids: NDArray[np.uint64]
    """M ids; 0 is an unnamed contributor."""


def batch_of(
    post_ids: bytes, author_ids: bytes, embed_offsets: bytes, embed_ids: bytes, embed_author_ids: bytes
) -> Batch:
    """Reads little-endian columns: ids of 8 bytes, offsets of 4.

    Raises Refusal TOO_MANY_POSTS, COLUMN_LENGTHS.
    """
    posts, embeds = len(post_ids) // 8, len(embed_ids) // 8
    if posts > MOST_POSTS:
        raise invalid("TOO_MANY_POSTS", f"a batch has at most {MOST_POSTS} posts", field="post_ids")
    lengths = (
        ("post_ids", post_ids, 8 * posts),
        ("author_ids", author_ids, 8 * posts),
        ("embed_offsets", embed_offsets, 4 * (posts + 1)),
        ("embed_ids", embed_ids, 8 * embeds),
        ("embed_author_ids", embed_author_ids, 8 * embeds),
    )
    for name, column, length in lengths:
        if len(column) != length:
            raise _column_lengths(
                name, f"{name} has {len(column)} bytes where {length} belong to the other columns"
            )
    offsets = np.frombuffer(embed_offsets, dtype="<u4")
    if offsets[0] != 0 or offsets[-1] != embeds or bool(np.any(offsets[1:] < offsets[:-1])):
        raise _column_lengths("embed_offsets", "offsets rise from 0 to the number of embeds")
    return Batch(
        post_ids=np.frombuffer(post_ids, dtype="<u8"),
        author_ids=np.frombuffer(author_ids, dtype="<u8"),
        embed_offsets=offsets,
        embed_ids=np.frombuffer(embed_ids, dtype="<u8"),
        embed_author_ids=np.frombuffer(embed_author_ids, dtype="<u8"),
    )


def _column_lengths(field: str, message: str) -> Refusal:
    return invalid("COLUMN_LENGTHS", message, field=field)
