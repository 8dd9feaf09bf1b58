"""Batches to be decided on: ordinary posts in English, all of one kind and age, none with an embed."""

import numpy as np
from numpy.typing import NDArray

from sluice.licensing.v1.post_pb2 import PostColumns
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice.type.v1.purpose_pb2 import Purpose

POSTED_AT_US = 1_600_000_000_000_000


def a_request(request_id: str, license_id: str, first: int, authors: NDArray[np.uint64]) -> DecideRequest:
    """For training: posts from `first` on, one for each of the authors (uint64, shape (posts,))."""
    batch = len(authors)
    columns = PostColumns(
        ids=np.arange(first, first + batch, dtype="<u8").tobytes(),
        author_ids=authors.astype("<u8").tobytes(),
        kinds=bytes([1]) * batch,
        media_flags=bytes(batch),
        posted_at_us=np.full(batch, POSTED_AT_US, "<i8").tobytes(),
        languages=["en"],
        language_indexes=bytes(batch),
        embed_offsets=bytes(4 * (batch + 1)),
    )
    return DecideRequest(
        request_id=request_id,
        license_id=license_id,
        purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
        columns=columns,
    )
