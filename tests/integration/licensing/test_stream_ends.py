"""What a stream of decisions ends with when a message is too large to be read, and who hears of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from bench.stream_client import StreamClient
from services.chassis.channels import LARGEST_REQUEST_BYTES
from services.chassis.identity import PrincipalKind
from services.licensing.desk import ReleaseDesk
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.cluster import Cluster, a_post
from tests.support.streams import a_request
from tests.support.waiting import PATIENCE_SECONDS

POST = a_post(101, 1)
TOO_LARGE = pb.DecideRequest(request_id="x" * LARGEST_REQUEST_BYTES)


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def token(cluster: Cluster) -> str:
    return cluster.licensing.token(PrincipalKind.PIPELINE, "firehose")


@pytest.fixture
async def client(cluster: Cluster, token: str) -> AsyncIterator[StreamClient]:
    client = StreamClient(cluster.licensing.address, lambda: token)
    yield client
    await client.close()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """That a decision was begun; the first has no end."""
    decide, begun = ReleaseDesk.decide, asyncio.Event()

    async def hang_once(desk: ReleaseDesk, request: Any) -> Any:
        if begun.is_set():
            return await decide(desk, request)
        begun.set()
        return await asyncio.Event().wait()

    monkeypatch.setattr(ReleaseDesk, "decide", hang_once)
    return begun


async def test_a_message_that_is_too_large_ends_the_stream_and_what_had_no_answer_is_sent_again(
    cluster: Cluster, token: str, begun: asyncio.Event
) -> None:
    request = a_request(cluster, [POST])
    async with grpc.aio.insecure_channel(cluster.licensing.address) as channel:
        stub: Any = ReleaseServiceStub(channel)
        call = stub.DecideStream(metadata=[("authorization", f"Bearer {token}")])
        await call.write(pb.DecideStreamRequest(request=request))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        await call.write(pb.DecideStreamRequest(request=TOO_LARGE))
        code = await asyncio.wait_for(call.code(), PATIENCE_SECONDS)

    again = await cluster.decide([POST], request.request_id)

    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (again.outcome, again.replayed) == (pb.OUTCOME_RELEASED, False)


async def test_who_measures_is_told_that_the_stream_has_ended(
    cluster: Cluster, client: StreamClient, begun: asyncio.Event
) -> None:
    unanswered = asyncio.create_task(client.decide(a_request(cluster, [POST])))
    await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)

    with pytest.raises(AssertionError, match="the stream has ended"):
        await asyncio.wait_for(client.decide(TOO_LARGE), PATIENCE_SECONDS)
    with pytest.raises(AssertionError, match="the stream has ended"):
        await asyncio.wait_for(unanswered, PATIENCE_SECONDS)
    with pytest.raises(AssertionError, match="the stream has ended"):
        await asyncio.wait_for(client.decide(a_request(cluster, [POST])), PATIENCE_SECONDS)
