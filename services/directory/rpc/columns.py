"""Posts as the contract writes them, in either form, and back."""

import itertools
import struct
from collections.abc import Sequence

from services.chassis.refusals import Refusal, invalid
from services.chassis.timestamps import microseconds
from services.directory.domain.posts import Post, check_size
from sluice.directory.v1.directory_service_pb2 import PutPostsRequest
from sluice.licensing.v1 import post_pb2


def posts_of(request: PutPostsRequest) -> list[Post]:
    """The posts of a request. Raises Refusal (invalid): COLUMN_LENGTHS, and what `check_size` raises."""
    if request.HasField("columns"):
        return _of_columns(request.columns)
    return [_of_message(post) for post in request.posts.posts]


def columns_of(posts: Sequence[Post]) -> post_pb2.PostColumns:
    """N posts with M embeds as columns: little-endian, of N, N + 1 (offsets) and M numbers."""
    languages: dict[str, int] = {}
    indexes = bytes(languages.setdefault(post.language, len(languages)) for post in posts)
    offsets = list(itertools.accumulate((len(post.embeds) for post in posts), initial=0))
    embeds = [embed for post in posts for embed in post.embeds]
    return post_pb2.PostColumns(
        ids=_packed("Q", [post.id for post in posts]),
        author_ids=_packed("Q", [post.author_id for post in posts]),
        kinds=bytes(post.kind for post in posts),
        media_flags=bytes(post.media_flags for post in posts),
        posted_at_us=_packed("q", [post.posted_at_us for post in posts]),
        languages=list(languages),
        language_indexes=indexes,
        embed_offsets=_packed("I", offsets),
        embed_ids=_packed("Q", [id for id, _ in embeds]),
        embed_author_ids=_packed("Q", [author_id for _, author_id in embeds]),
    )


def _of_message(post: post_pb2.Post) -> Post:
    return Post(
        id=post.id,
        author_id=post.author_id,
        kind=post.kind,
        media_flags=post.media_flags,
        # What is no time is as good as none.
        posted_at_us=microseconds(post.posted_at) or 0,
        language=post.language,
        embeds=tuple((embed.id, embed.author_id) for embed in post.embeds),
    )


def _of_columns(columns: post_pb2.PostColumns) -> list[Post]:
    posts = len(columns.kinds)
    check_size(posts, len(columns.embed_ids) // 8, len(columns.languages))
    offsets = _unpacked("I", columns.embed_offsets, posts + 1, "embed_offsets")
    embeds = len(columns.embed_ids) // 8
    if offsets[0] != 0 or offsets[-1] != embeds or any(a > b for a, b in itertools.pairwise(offsets)):
        raise _misfit("embed_offsets")
    if max(columns.language_indexes, default=0) >= len(columns.languages):
        raise _misfit("language_indexes")
    embedded = list(
        zip(
            _unpacked("Q", columns.embed_ids, embeds, "embed_ids"),
            _unpacked("Q", columns.embed_author_ids, embeds, "embed_author_ids"),
            strict=True,
        )
    )
    rows = zip(
        _unpacked("Q", columns.ids, posts, "ids"),
        _unpacked("Q", columns.author_ids, posts, "author_ids"),
        columns.kinds,
        _unpacked("B", columns.media_flags, posts, "media_flags"),
        _unpacked("q", columns.posted_at_us, posts, "posted_at_us"),
        [columns.languages[i] for i in _unpacked("B", columns.language_indexes, posts, "language_indexes")],
        [tuple(embedded[start:end]) for start, end in itertools.pairwise(offsets)],
        strict=True,
    )
    return [Post(*row) for row in rows]


def _packed(code: str, numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}{code}", *numbers)


def _unpacked(code: str, column: bytes, numbers: int, name: str) -> tuple[int, ...]:
    try:
        return struct.unpack(f"<{numbers}{code}", column)
    except struct.error as error:
        raise _misfit(name) from error


def _misfit(name: str) -> Refusal:
    return invalid("COLUMN_LENGTHS", f"{name} does not fit the other columns", field=f"columns.{name}")
