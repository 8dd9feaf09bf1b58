"""Lists of decisions over the wire: who is told, what of them, and what is in none."""

from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.api_keys import KeyCaller
from tests.support.cluster import SECOND_US, TRAINING, Cluster, a_post

HOUR_US = 3_600 * SECOND_US


async def listed(
    cluster: Cluster, kind: PrincipalKind = PrincipalKind.OPERATOR, **fields: Any
) -> pb.ListDecisionsResponse:
    peer = cluster.licensing.peer(kind, "ada")
    request = pb.ListDecisionsRequest(**fields)
    return await peer.call(ReleaseServiceStub(peer.channel).ListDecisions, request)


def numbers(response: pb.ListDecisionsResponse) -> list[int]:
    return [decision.receipt_number for decision in response.decisions]


async def some_decisions(cluster: Cluster) -> list[pb.Decision]:
    """One released, one in part an hour later, and one denied."""
    await cluster.opt_out(2)
    first = await cluster.decide([a_post(1, 1), a_post(2, 3)])
    cluster.clock.advance(HOUR_US)
    return [
        first,
        await cluster.decide([a_post(1, 1), a_post(2, 2)]),
        await cluster.decide([a_post(1, 2)]),
    ]


async def test_a_decision_is_told_in_short_to_operators_and_auditors_alike(cluster: Cluster) -> None:
    _, partial, _ = await some_decisions(cluster)

    told = await listed(cluster, receipt_number=2)

    assert list(told.decisions) == [
        pb.DecisionSummary(
            decision_id=partial.decision_id,
            receipt_number=2,
            request_id=partial.request_id,
            asked_by="pipeline:firehose",
            licensee_id="acme",
            license_id="acme-training",
            license_version=1,
            purpose=TRAINING,
            outcome=pb.OUTCOME_PARTIAL,
            posts_asked=2,
            posts_released=1,
            decided_at=partial.decided_at,
            trace_id=partial.trace_id,
        )
    ]
    assert await listed(cluster, PrincipalKind.AUDITOR, receipt_number=2) == told


async def test_each_filter_finds_what_it_says_the_newest_first(cluster: Cluster) -> None:
    first, second, _ = await some_decisions(cluster)

    assert numbers(await listed(cluster)) == [3, 2, 1]
    assert numbers(await listed(cluster, licensee_id="acme", license_id="acme-training")) == [3, 2, 1]
    assert numbers(await listed(cluster, licensee_id="other")) == []
    assert numbers(await listed(cluster, outcome=pb.OUTCOME_DENIED)) == [3]
    assert numbers(await listed(cluster, request_id=first.request_id)) == [1]
    assert numbers(await listed(cluster, since=second.decided_at)) == [3, 2]
    assert numbers(await listed(cluster, until=second.decided_at)) == [1]
    assert numbers(await listed(cluster, receipt_number=2**64 - 1)) == []


async def test_pages_go_on_where_the_last_one_ended_whatever_is_decided_meanwhile(cluster: Cluster) -> None:
    await some_decisions(cluster)

    first = await listed(cluster, page_size=2)
    await cluster.decide([a_post(9, 9)])
    second = await listed(cluster, page_size=2, page_token=first.next_page_token)

    assert (numbers(first), numbers(second), second.next_page_token) == ([3, 2], [1], "")


async def test_what_was_asked_in_the_sandbox_is_in_no_list(cluster: Cluster) -> None:
    trial = await KeyCaller(cluster).peer(sandbox=True)
    request_id = cluster.new_id()
    request = pb.DecideRequest(request_id=request_id, license_id="acme-training", purpose=TRAINING)
    request.posts.posts.append(a_post(1, 1))
    await trial.call(ReleaseServiceStub(trial.channel).Decide, request)

    assert numbers(await listed(cluster)) == []
    assert numbers(await listed(cluster, request_id=request_id)) == []


@pytest.mark.parametrize("token", ["nonsense", "MDE=", "LTE=", "OTIyMzM3MjAzNjg1NDc3NTgwOA=="])
async def test_a_token_that_no_page_had_is_refused(cluster: Cluster, token: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await listed(cluster, page_token=token)


@pytest.mark.parametrize("name", ["since", "until"])
async def test_what_is_no_time_is_refused(cluster: Cluster, name: str) -> None:
    fields: dict[str, Any] = {name: {"seconds": 2**60}}

    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        await listed(cluster, **fields)


@pytest.mark.parametrize(
    "kind", [PrincipalKind.LICENSEE, PrincipalKind.PIPELINE, PrincipalKind.SUBJECT, PrincipalKind.AGENT]
)
async def test_nobody_else_is_told_of_decisions(cluster: Cluster, kind: PrincipalKind) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await listed(cluster, kind)
