"""Calls of DecideStream, for a pipeline that sends and takes as a test says."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.chassis.dialing import Stream
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.cluster import TRAINING, Cluster

DecideStreamCall = Stream[pb.DecideStreamRequest, pb.DecideStreamResponse]


def a_request(cluster: Cluster, posts: Sequence[post_pb2.Post], **fields: Any) -> pb.DecideRequest:
    """What `Cluster.decide` asks, as a message."""
    batch = {} if "columns" in fields else {"posts": post_pb2.PostList(posts=posts)}
    defaults = {"request_id": cluster.new_id(), "license_id": "acme-training", "purpose": TRAINING}
    return pb.DecideRequest(**{**defaults, **batch, **fields})


async def decide_on_stream(
    cluster: Cluster, requests: Iterable[pb.DecideRequest]
) -> list[pb.DecideStreamResponse]:
    """The answers of one stream in the order of its requests, which are all sent before any is taken."""
    sent = list(requests)
    peer = cluster.licensing.peer(PrincipalKind.PIPELINE, "firehose")
    try:
        async with peer.open(ReleaseServiceStub(peer.channel).DecideStream) as stream:
            for request in sent:
                await stream.send(pb.DecideStreamRequest(request=request))
            answers = [await stream.receive() for _ in sent]
            await stream.finish()
    except Refusal as refusal:
        raise AssertionError(f"the stream ended: {refusal}") from refusal
    answers.sort(key=lambda answer: answer.number)
    assert [answer.number for answer in answers] == list(range(1, len(sent) + 1))
    return answers
