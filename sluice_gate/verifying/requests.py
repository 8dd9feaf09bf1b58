"""What was asked, post by post, and its canonical form (docs/receipt-format.md, "Canonical request")."""

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise

from google.protobuf.message import DecodeError

from sluice.licensing.v1.post_pb2 import Post as PostMessage
from sluice.licensing.v1.post_pb2 import PostColumns
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice_gate.errors import VerificationError
from sluice_gate.posts import Post

MAX_LANGUAGES = 256
"""Distinct languages of one request: an index into them is a byte."""
_EARLIEST_US, _LATEST_US = -(2**63), 2**63 - 1


def parse_request(data: bytes) -> DecideRequest:
    """A request out of its bytes, in their one deterministic form. Raises VerificationError."""
    try:
        request = DecideRequest.FromString(data)
    except DecodeError as error:
        raise VerificationError("REQUEST_MALFORMED", "the request cannot be read") from error
    if request.SerializeToString(deterministic=True) != data:
        raise VerificationError("NOT_CANONICAL", "the request is not in the one form of its content")
    return request


def posts_of(request: DecideRequest) -> list[Post]:
    """The posts of a request in either form. Raises VerificationError."""
    if request.HasField("columns"):
        return _from_columns(request.columns)
    return [_from_message(post) for post in request.posts.posts]


def canonical_request(license_id: str, purpose: int, posts: Sequence[Post]) -> bytes:
    """R of docs/receipt-format.md. Raises VerificationError where it has none."""
    languages = list(dict.fromkeys(post.language for post in posts))
    if len(languages) > MAX_LANGUAGES:
        raise VerificationError("REQUEST_MALFORMED", f"the posts are in over {MAX_LANGUAGES} languages")
    embeds = [embed for post in posts for embed in post.embeds]
    offsets = [0]
    for post in posts:
        offsets.append(offsets[-1] + len(post.embeds))
    blocks = (
        license_id.encode(),
        struct.pack("<I", purpose & 0xFFFFFFFF),
        _uint64s(post.id for post in posts),
        _uint64s(post.author_id for post in posts),
        bytes(_byte(post.kind) for post in posts),
        bytes(_byte(post.media_flags) for post in posts),
        struct.pack(f"<{len(posts)}q", *(post.posted_at_us for post in posts)),
        "\n".join(languages).encode(),
        bytes(languages.index(post.language) for post in posts),
        struct.pack(f"<{len(offsets)}I", *offsets),
        _uint64s(id for id, _ in embeds),
        _uint64s(author for _, author in embeds),
    )
    return b"".join(block(content) for content in blocks)


def canonical_ids(license_id: str, purpose: int, ids: Iterable[int]) -> bytes:
    """S of docs/receipt-format.md: what a licensee sends who names posts by their ids."""
    blocks = (license_id.encode(), struct.pack("<I", purpose & 0xFFFFFFFF), _uint64s(ids))
    return b"".join(block(content) for content in blocks)


def block(content: bytes) -> bytes:
    """The content after its length in bytes, 64 bits little-endian."""
    return struct.pack("<Q", len(content)) + content


def _from_columns(columns: PostColumns) -> list[Post]:
    posts = len(columns.kinds)
    try:
        ids = struct.unpack(f"<{posts}Q", columns.ids)
        authors = struct.unpack(f"<{posts}Q", columns.author_ids)
        times = struct.unpack(f"<{posts}q", columns.posted_at_us)
        offsets = struct.unpack(f"<{posts + 1}I", columns.embed_offsets)
        embeds = list(
            zip(
                struct.unpack(f"<{offsets[-1]}Q", columns.embed_ids),
                struct.unpack(f"<{offsets[-1]}Q", columns.embed_author_ids),
                strict=True,
            )
        )
        languages = [columns.languages[index] for index in columns.language_indexes]
        if offsets[0] or any(before > after for before, after in pairwise(offsets)):
            raise VerificationError("REQUEST_MALFORMED", "the offsets of the embeds are out of order")
        embedded = [tuple(embeds[start:end]) for start, end in pairwise(offsets)]
        rows = zip(ids, authors, columns.kinds, columns.media_flags, languages, times, embedded, strict=True)
        return [Post(*row) for row in rows]
    except (struct.error, ValueError, IndexError) as error:
        raise VerificationError("REQUEST_MALFORMED", "the columns do not fit together") from error


def _byte(number: int) -> int:
    """A number as a byte; 255 stands for all that are none, negative ones among them."""
    return number if 0 <= number <= 255 else 255


def _from_message(post: PostMessage) -> Post:
    # A time that does not fit into 64 bits is the nearest that does.
    time_us = post.posted_at.seconds * 1_000_000 + post.posted_at.nanos // 1_000
    return Post(
        id=post.id,
        author_id=post.author_id,
        kind=post.kind,
        media_flags=post.media_flags,
        language=post.language,
        posted_at_us=max(_EARLIEST_US, min(time_us, _LATEST_US)),
        embeds=tuple((embed.id, embed.author_id) for embed in post.embeds),
    )


def _uint64s(numbers: Iterable[int]) -> bytes:
    return b"".join(struct.pack("<Q", number) for number in numbers)
