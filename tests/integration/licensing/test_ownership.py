"""Whose decision it is: what is not yours looks like what is not there, and only a pipeline names authors."""

from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.cluster import TRAINING, Cluster, a_post

POSTS = [a_post(101, 1), a_post(102, 2)]
BOTH = bytes([0b11])


async def call(cluster: Cluster, method: str, request: Any, kind: PrincipalKind, party: str) -> Any:
    """Calls the release desk as somebody."""
    peer = cluster.licensing.peer(kind, party, ["admin"])
    return await peer.call(getattr(ReleaseServiceStub(peer.channel), method), request)


def asking(cluster: Cluster, request_id: str | None = None) -> pb.DecideRequest:
    return pb.DecideRequest(
        request_id=request_id or cluster.new_id(),
        license_id="acme-training",
        purpose=TRAINING,
        posts=post_pb2.PostList(posts=POSTS),
    )


async def test_another_pipeline_can_neither_read_nor_confirm_a_decision(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    reading = pb.GetDecisionRequest(decision_id=decision.decision_id)
    confirming = pb.ConfirmDeliveryRequest(decision_id=decision.decision_id, delivered=BOTH)

    refused = []
    for method, request in (("GetDecision", reading), ("ConfirmDelivery", confirming)):
        with pytest.raises(Refusal) as refusal:
            await call(cluster, method, request, PrincipalKind.PIPELINE, "another")
        refused.append(refusal.value.reason)

    assert refused == ["DECISION_UNKNOWN", "DECISION_UNKNOWN"]
    assert (await cluster.decision(decision.decision_id)).delivery.state == pb.DELIVERY_STATE_OPEN


async def test_the_same_request_id_of_another_pipeline_is_another_request(cluster: Cluster) -> None:
    request = asking(cluster)
    first = await call(cluster, "Decide", request, PrincipalKind.PIPELINE, "one")

    second = await call(cluster, "Decide", request, PrincipalKind.PIPELINE, "another")

    assert not second.decision.replayed
    assert second.decision.decision_id != first.decision.decision_id


@pytest.mark.parametrize("kind", [kind for kind in PrincipalKind if kind is not PrincipalKind.PIPELINE])
async def test_nobody_but_a_pipeline_may_say_who_wrote_a_post_or_what_was_delivered(
    cluster: Cluster, kind: PrincipalKind
) -> None:
    decision = await cluster.decide(POSTS)
    confirming = pb.ConfirmDeliveryRequest(decision_id=decision.decision_id, delivered=BOTH)

    refused = []
    for method, request in (("Decide", asking(cluster)), ("ConfirmDelivery", confirming)):
        with pytest.raises(Refusal) as refusal:
            # The same name as the pipeline that asked: it is somebody else all the same.
            await call(cluster, method, request, kind, "firehose")
        refused.append(refusal.value.reason)

    assert refused == ["NOT_ADMITTED", "NOT_ADMITTED"]


@pytest.mark.parametrize(
    ("kind", "party", "sees_reasons", "sees_salt"),
    [
        (PrincipalKind.PIPELINE, "firehose", True, True),
        (PrincipalKind.OPERATOR, "ada", True, False),
        (PrincipalKind.OPERATOR, "firehose", True, False),
        (PrincipalKind.AUDITOR, "grace", False, False),
    ],
)
async def test_a_reader_sees_what_is_theirs_to_see(
    cluster: Cluster, kind: PrincipalKind, party: str, sees_reasons: bool, sees_salt: bool
) -> None:
    decision = await cluster.decide(POSTS)

    request = pb.GetDecisionRequest(decision_id=decision.decision_id)
    seen = (await call(cluster, "GetDecision", request, kind, party)).decision

    assert seen.receipt == decision.receipt
    assert seen.verdicts == decision.verdicts
    assert (bool(seen.reasons), bool(seen.salt)) == (sees_reasons, sees_salt)


@pytest.mark.parametrize("party", ["firehose", "acme"])
async def test_a_licensee_does_not_see_what_a_pipeline_asked_for_them(cluster: Cluster, party: str) -> None:
    decision = await cluster.decide(POSTS)

    with pytest.raises(Refusal) as refused:
        request = pb.GetDecisionRequest(decision_id=decision.decision_id)
        await call(cluster, "GetDecision", request, PrincipalKind.LICENSEE, party)

    assert refused.value.reason == "DECISION_UNKNOWN"


@pytest.mark.parametrize("kind", [PrincipalKind.SUBJECT, PrincipalKind.SERVICE])
async def test_nobody_else_reads_decisions(cluster: Cluster, kind: PrincipalKind) -> None:
    decision = await cluster.decide(POSTS)

    with pytest.raises(Refusal) as refused:
        request = pb.GetDecisionRequest(decision_id=decision.decision_id)
        await call(cluster, "GetDecision", request, kind, "firehose")

    assert refused.value.reason == "NOT_ADMITTED"
