"""Turns either form of a batch into columns: what says the same becomes the same."""

import itertools
from collections.abc import Sequence

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray

from services.chassis.refusals import invalid
from services.chassis.timestamps import microseconds
from services.licensing.domain.posts import Batch, check_size
from sluice.licensing.v1 import explanation_service_pb2, post_pb2, release_service_pb2

LARGEST_BYTE = 255
EARLIEST_US, LATEST_US = -(2**63), 2**63 - 1


def batch_of(
    request: release_service_pb2.DecideRequest | explanation_service_pb2.ExplainReleaseRequest,
) -> Batch:
    """The posts of a request as columns; raises what `Batch.of` raises."""
    match request.WhichOneof("batch"):
        case "columns":
            return _of_columns(request.license_id, request.purpose, request.columns)
        case "posts":
            return _of_messages(request.license_id, request.purpose, request.posts.posts)
    raise invalid("EMPTY_BATCH", "the request holds no posts", field="batch")


def _of_columns(license_id: str, purpose: int, columns: post_pb2.PostColumns) -> Batch:
    return Batch.of_bytes(
        license_id=license_id,
        purpose=purpose,
        ids=columns.ids,
        author_ids=columns.author_ids,
        kinds=columns.kinds,
        media_flags=columns.media_flags,
        posted_at_us=columns.posted_at_us,
        languages=columns.languages,
        language_indexes=columns.language_indexes,
        embed_offsets=columns.embed_offsets,
        embed_ids=columns.embed_ids,
        embed_author_ids=columns.embed_author_ids,
    )


def _of_messages(license_id: str, purpose: int, messages: Sequence[post_pb2.Post]) -> Batch:
    check_size(len(messages))
    # Each look into a message makes Python objects for it, so everything is looked at once.
    posts = list(messages)
    embeds_of = [list(post.embeds) for post in posts]
    embeds = list(itertools.chain.from_iterable(embeds_of))
    offsets = np.zeros(len(posts) + 1, dtype=np.uint32)
    np.cumsum(np.fromiter(map(len, embeds_of), np.uint32), out=offsets[1:])
    index_of: dict[str, int] = {}
    language_indexes = [index_of.setdefault(post.language, len(index_of)) for post in posts]
    return Batch.of(
        license_id=license_id,
        purpose=purpose,
        ids=np.array([post.id for post in posts], np.uint64),
        author_ids=np.array([post.author_id for post in posts], np.uint64),
        kinds=_bytes([post.kind for post in posts]),
        media_flags=_bytes([post.media_flags for post in posts]),
        posted_at_us=np.array([_time_us(post.posted_at) for post in posts], np.int64),
        languages=tuple(index_of),
        language_indexes=np.array(language_indexes),
        embed_offsets=offsets,
        embed_ids=np.array([embed.id for embed in embeds], np.uint64),
        embed_author_ids=np.array([embed.author_id for embed in embeds], np.uint64),
    )


def _bytes(numbers: Sequence[int]) -> NDArray[np.uint8]:
    """Numbers (at most 32 bits wide) as bytes; what does not fit becomes 255, which is as much a fault."""
    wide = np.array(numbers, np.int64)
    return np.where((wide < 0) | (wide > LARGEST_BYTE), LARGEST_BYTE, wide).astype(np.uint8)


def _time_us(time: Timestamp) -> int:
    """Microseconds since the epoch, rounded down; 0 where unset, the nearest that fits where far off.

    What is no time becomes the latest, which is as much a fault of its post.
    """
    time_us = microseconds(time)
    if time_us is None:
        return LATEST_US
    return time_us if EARLIEST_US <= time_us <= LATEST_US else max(EARLIEST_US, min(time_us, LATEST_US))
