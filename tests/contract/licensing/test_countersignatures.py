"""What licensees say they received: the first word stands, differences are listed, no bill changes (B2)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.licensing.v1 import delivery_service_pb2 as pb
from sluice.licensing.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from sluice.licensing.v1.release_service_pb2 import Decision
from tests.support.cluster import SECOND_US, Cluster, a_cluster, a_post
from tests.support.engines import ENGINES, urls_on

POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]
TWO_OF_THREE, ALL = b"\x05", b"\x07"


@pytest_asyncio.fixture(params=ENGINES)
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path, urls=urls_on(request.param, request, tmp_path)) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 4))
        await cluster.license()
        yield cluster


async def countersign(
    cluster: Cluster, decision: Decision, posts: int, licensee: str = "acme"
) -> pb.Countersignature:
    peer = cluster.licensing.peer(PrincipalKind.LICENSEE, licensee)
    request = pb.CountersignDeliveryRequest(decision_id=decision.decision_id, posts_received=posts)
    stub = DeliveryServiceStub(peer.channel)
    return (await peer.call(stub.CountersignDelivery, request)).countersignature


async def differences(
    cluster: Cluster, kind: PrincipalKind = PrincipalKind.OPERATOR, party: str = "ada", **fields: Any
) -> pb.ListDeliveryDifferencesResponse:
    peer = cluster.licensing.peer(kind, party, ["finance"])
    request = pb.ListDeliveryDifferencesRequest(**fields)
    return await peer.call(DeliveryServiceStub(peer.channel).ListDeliveryDifferences, request)


async def expire(cluster: Cluster) -> None:
    cluster.clock.advance(31 * SECOND_US)
    await cluster.sweeper.sweep()


async def test_the_first_countersignature_stands_and_the_same_again_is_the_same_answer(
    cluster: Cluster,
) -> None:
    decision = await cluster.decide(POSTS)
    first = await countersign(cluster, decision, 3)
    cluster.clock.advance(SECOND_US)

    again = await countersign(cluster, decision, 3)
    with pytest.raises(Refusal) as refused:
        await countersign(cluster, decision, 2)

    assert again == first
    assert (first.licensee_id, first.posts_received, first.receipt_number) == ("acme", 3, 1)
    assert (refused.value.kind, refused.value.reason) == (Kind.ALREADY_EXISTS, "COUNTERSIGNED_OTHERWISE")


async def test_of_two_that_come_at_once_one_stands(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)

    calls = (countersign(cluster, decision, posts) for posts in (1, 2, 1, 2))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    told = [outcome for outcome in outcomes if isinstance(outcome, pb.Countersignature)]
    assert len(told) == 2
    assert told[0] == told[1]
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, Refusal)} == {
        "COUNTERSIGNED_OTHERWISE"
    }


async def test_a_countersignature_that_says_no_number_is_refused(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    peer = cluster.licensing.peer(PrincipalKind.LICENSEE, "acme")
    request = pb.CountersignDeliveryRequest(decision_id=decision.decision_id)

    with pytest.raises(Refusal) as refused:
        await peer.call(DeliveryServiceStub(peer.channel).CountersignDelivery, request)

    assert refused.value.reason == "INVALID_REQUEST"
    assert [violation.field for violation in refused.value.violations] == ["posts_received"]


async def test_a_decision_of_another_or_that_released_nothing_looks_like_one_that_is_not_there(
    cluster: Cluster,
) -> None:
    released = await cluster.decide(POSTS)
    denied = await cluster.decide([a_post(1, 99)])
    not_there = Decision(decision_id="01999999-1111-7000-8000-000000000000")

    for decision, licensee in ((released, "beta"), (denied, "acme"), (not_there, "acme")):
        with pytest.raises(Refusal) as refused:
            await countersign(cluster, decision, 0, licensee)
        assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "DECISION_UNKNOWN")


async def test_b2_what_differs_from_the_confirmation_is_listed_and_changes_no_bill(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    await countersign(cluster, decision, 3)
    still_open = await differences(cluster)

    billed = await cluster.confirm(decision.decision_id, TWO_OF_THREE)
    (difference,) = (await differences(cluster)).differences

    assert not still_open.differences
    assert difference.countersignature.posts_received == 3
    assert (difference.posts_released, difference.posts_billed) == (3, 2)
    assert difference.HasField("confirmed_at")
    assert difference.license_id == "acme-training"
    delivery = (await cluster.decision(decision.decision_id)).delivery
    # Who confirmed it is for operators and auditors alone.
    delivery.ClearField("confirmed_by")
    assert delivery == billed


async def test_who_received_what_was_confirmed_makes_no_difference(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    await cluster.confirm(decision.decision_id, ALL)

    await countersign(cluster, decision, 3)

    assert not (await differences(cluster)).differences


async def test_b2_without_a_confirmation_it_is_compared_with_what_counts_in_full_until_one_comes(
    cluster: Cluster,
) -> None:
    decision = await cluster.decide(POSTS)
    await countersign(cluster, decision, 2)
    await expire(cluster)
    (difference,) = (await differences(cluster)).differences

    await cluster.confirm(decision.decision_id, TWO_OF_THREE)

    assert (difference.posts_billed, difference.HasField("confirmed_at")) == (3, False)
    assert not (await differences(cluster)).differences


async def test_a_licensee_is_shown_their_own_differences_alone(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    await countersign(cluster, decision, 1)
    await expire(cluster)
    licensee = PrincipalKind.LICENSEE

    assert len((await differences(cluster, licensee, "acme")).differences) == 1
    assert len((await differences(cluster, licensee, "acme", licensee_id="acme")).differences) == 1
    assert not (await differences(cluster, licensee, "beta")).differences
    assert not (await differences(cluster, licensee, "beta", licensee_id="acme")).differences
    assert len((await differences(cluster, PrincipalKind.AUDITOR, licensee_id="acme")).differences) == 1
    assert not (await differences(cluster, licensee_id="beta")).differences


async def test_differences_come_in_pages_by_receipt(cluster: Cluster) -> None:
    for _ in range(5):
        await countersign(cluster, await cluster.decide(POSTS), 1)
    await expire(cluster)

    token, numbers = "", []
    while True:
        page = await differences(cluster, page_size=2, page_token=token)
        numbers += [each.countersignature.receipt_number for each in page.differences]
        token = page.next_page_token
        if not token:
            break

    assert numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("token", ["nonsense", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "MS41"])
async def test_a_token_that_no_page_had_is_refused(cluster: Cluster, token: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await differences(cluster, page_token=token)


@pytest.mark.parametrize("kind", [kind for kind in PrincipalKind if kind is not PrincipalKind.LICENSEE])
async def test_nobody_but_a_licensee_says_what_one_received(cluster: Cluster, kind: PrincipalKind) -> None:
    decision = await cluster.decide(POSTS)
    peer = cluster.licensing.peer(kind, "acme", ["admin"])
    request = pb.CountersignDeliveryRequest(decision_id=decision.decision_id, posts_received=3)

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await peer.call(DeliveryServiceStub(peer.channel).CountersignDelivery, request)
