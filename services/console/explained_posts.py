"""A file of posts, explained by licensing batch by batch; nothing is stored, held or delivered."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.chassis.side_by_side import side_by_side
from services.console.connections import Connections
from sluice.licensing.v1 import explanation_service_pb2 as pb
from sluice.licensing.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from sluice.licensing.v1.reason_pb2 import Reason
from sluice_gate.batching import Batch, batches
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from sluice_gate.reading.forms import PostForm
from sluice_gate.reading.reader import PostReader

AT_ONCE = 4
"""Batches asked about at the same time, as many as a release asks for by default."""
ROOM_ALONE = (Reason.REASON_RELEASED, Reason.REASON_NO_ROOM)
"""The reasons of a post that nothing stands in the way of but want of room."""

OnProgress = Callable[[int, int], None]
"""Is told how many bytes of the file are done, and of how many."""


@dataclass(frozen=True)
class Question:
    """What is asked about a file."""

    posts: Path
    form: PostForm
    license_id: str
    purpose: int
    version: int
    """Of the license; 0 is as it stands."""
    batch_size: int
    only: frozenset[int] = frozenset()
    """Ids of the posts that are in question; empty: all. Batches without any of them are not asked about."""

    def is_about(self, post: Post) -> bool:
        """Whether the post is in question."""
        return not self.only or post.id in self.only


@dataclass(frozen=True)
class Explained:
    """One batch of N posts with its answer."""

    batch: Batch
    answer: pb.ExplainReleaseResponse

    @property
    def reasons(self) -> NDArray[np.uint8]:
        """N reasons, those that count."""
        return np.frombuffer(self.answer.reasons, np.uint8)

    @property
    def all_reasons(self) -> NDArray[np.uint64]:
        """N sets: bit r is set for each Reason r that applies."""
        return np.frombuffer(self.answer.all_reasons, "<u8")


async def explained(
    connections: Connections, question: Question, on_progress: OnProgress
) -> AsyncGenerator[Explained]:
    """The batches of a file, each as soon as it is answered; to be closed. Raises Refusal and FormError.

    Nothing is stored, held or delivered.
    """
    reader = PostReader(question.posts, question.form)
    peer = connections.peer("licensing")
    stub = ExplanationServiceStub(peer.channel)
    done = reader.body.start

    async def ask(batch: Batch) -> Explained:
        nonlocal done
        answer = pb.ExplainReleaseResponse()
        if any(question.is_about(post) for post in batch.posts):
            answer = await peer.call(stub.ExplainRelease, _request(question, batch))
        done += batch.span.end - batch.span.start
        on_progress(done, reader.size)
        return Explained(batch, answer)

    try:
        asking = side_by_side(_each(reader, question.batch_size), ask, at_once=AT_ONCE)
        async for each in asking:
            yield each
    finally:
        await asking.aclose()
        reader.close()


async def _each(reader: PostReader, size: int) -> AsyncIterator[Batch]:
    for batch in batches(reader, size, reader.body):
        yield batch


def _request(question: Question, batch: Batch) -> pb.ExplainReleaseRequest:
    return pb.ExplainReleaseRequest(
        license_id=question.license_id,
        purpose=question.purpose,  # type: ignore[arg-type]  # an open enum: any number can be sent
        license_version=question.version,
        columns=columns_of(batch.posts),
    )
