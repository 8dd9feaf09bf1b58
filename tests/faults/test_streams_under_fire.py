"""Licensing is killed with -9 in the middle of a stream of decisions; the same requests are sent again."""

import contextlib

import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from services.console.credentials import PIPELINE, token_source
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.fleet import Fleet
from tests.support.job_checks import books_at_rest
from tests.support.platforms import Platform

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUESTS, POSTS = 60, 20


def requests(fleet: Fleet, platform: Platform, license_id: str) -> list[pb.DecideRequest]:
    """Each for posts of its own."""
    authors = [account.id for account in platform.accounts]
    posts = [
        Post(number + 1, authors[number % len(authors)], 1, 0, "en", 1_600_000_000_000_000, ())
        for number in range(REQUESTS * POSTS)
    ]
    return [
        pb.DecideRequest(
            request_id=fleet.new_id(),
            license_id=license_id,
            purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
            columns=columns_of(posts[first : first + POSTS]),
        )
        for first in range(0, len(posts), POSTS)
    ]


async def streamed(
    fleet: Fleet, asked: list[pb.DecideRequest], kill_after: int | None = None
) -> list[pb.DecideStreamResponse]:
    """The answers that came, by a stream that breaks when licensing is killed."""
    answers: list[pb.DecideStreamResponse] = []
    tokens = token_source(fleet.state, None, PIPELINE)
    peer = Peer(fleet.address("licensing"), tokens, name="licensing")
    with contextlib.suppress(Refusal):
        async with peer.open(ReleaseServiceStub(peer.channel).DecideStream) as stream:
            for request in asked:
                await stream.send(pb.DecideStreamRequest(request=request))
            for _ in asked:
                answers.append(await stream.receive())
                if len(answers) == kill_after:
                    fleet.kill("licensing")
    await peer.close()
    return answers


async def test_a_kill_in_the_middle_of_a_stream_leaves_each_request_decided_once(
    fleet: Fleet, platform: Platform
) -> None:
    await fleet.license("streamed")
    asked = requests(fleet, platform, "streamed")

    before = await streamed(fleet, asked, kill_after=3)
    await fleet.recovered()
    after = await streamed(fleet, asked)
    books = await books_at_rest(fleet)

    receipts = {answer.request_id: answer.decision.receipt for answer in after}
    assert 3 <= len(before) < REQUESTS
    assert len(receipts) == REQUESTS
    assert all(receipts.values())
    assert all(receipts[answer.request_id] == answer.decision.receipt for answer in before)
    assert len(books.bills("streamed")) == REQUESTS
