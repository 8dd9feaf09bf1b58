"""Posts as the columns of the contract: the fast form of a request."""

from collections.abc import Sequence

import numpy as np

from sluice.licensing.v1.post_pb2 import PostColumns
from sluice_gate.posts import Post


def columns_of(posts: Sequence[Post]) -> PostColumns:
    """The wire form of N posts with M embeds: little-endian columns of N, N + 1 (offsets) and M numbers.

    At most 256 distinct languages, which `batching` sees to.
    """
    languages: dict[str, int] = {}
    indexes = bytes(languages.setdefault(post.language, len(languages)) for post in posts)
    offsets = np.zeros(len(posts) + 1, "<u4")
    np.cumsum([len(post.embeds) for post in posts], out=offsets[1:])
    embeds = [embed for post in posts for embed in post.embeds]
    return PostColumns(
        ids=np.array([post.id for post in posts], "<u8").tobytes(),
        author_ids=np.array([post.author_id for post in posts], "<u8").tobytes(),
        kinds=bytes([post.kind for post in posts]),
        media_flags=bytes([post.media_flags for post in posts]),
        posted_at_us=np.array([post.posted_at_us for post in posts], "<i8").tobytes(),
        languages=list(languages),
        language_indexes=indexes,
        embed_offsets=offsets.tobytes(),
        embed_ids=np.array([id for id, _ in embeds], "<u8").tobytes(),
        embed_author_ids=np.array([author for _, author in embeds], "<u8").tobytes(),
    )
