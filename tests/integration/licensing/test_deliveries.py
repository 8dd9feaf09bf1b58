"""What becomes of a release: the table of deliveries, end to end, with the sums that must always hold."""

from typing import Any

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.licensing.peers import MeteringPeer
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from tests.support.cluster import SECOND_US, Cluster, a_post

POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]
TWO_OF_THREE = bytes([0b101])
NONE = bytes([0])


async def test_what_is_confirmed_in_time_is_what_counts_and_is_billed(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)

    delivery = await cluster.confirm(decision.decision_id, TWO_OF_THREE)
    await cluster.outbox.deliver()

    assert delivery.state == pb.DELIVERY_STATE_CONFIRMED
    assert (delivery.posts_released, delivery.posts_metered, delivery.posts_billed) == (3, 2, 2)
    reservation = await cluster.reservation(decision.reservation_id)
    assert (reservation.posts_reserved, reservation.posts_settled, reservation.posts_freed) == (3, 2, 1)


async def test_what_is_never_confirmed_counts_in_full(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    cluster.clock.advance(30 * SECOND_US)

    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    delivery = (await cluster.decision(decision.decision_id)).delivery
    assert delivery.state == pb.DELIVERY_STATE_EXPIRED
    assert (delivery.posts_metered, delivery.posts_billed) == (3, 3)
    reservation = await cluster.reservation(decision.reservation_id)
    assert (reservation.state, reservation.posts_settled) == (metering_pb.RESERVATION_STATE_SETTLED, 3)


async def test_a_permit_is_not_settled_a_microsecond_before_its_end(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    cluster.clock.advance(30 * SECOND_US - 1)

    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert (await cluster.decision(decision.decision_id)).delivery.state == pb.DELIVERY_STATE_OPEN
    assert await cluster.holds() == [decision.reservation_id]


@pytest.mark.parametrize("swept_first", [True, False])
async def test_a_first_confirmation_that_comes_late_lowers_the_bill_and_not_the_meter(
    cluster: Cluster, swept_first: bool
) -> None:
    decision = await cluster.decide(POSTS)
    cluster.clock.advance(30 * SECOND_US)
    if swept_first:
        await cluster.sweeper.sweep()

    delivery = await cluster.confirm(decision.decision_id, NONE)
    await cluster.outbox.deliver()

    assert delivery.state == pb.DELIVERY_STATE_CONFIRMED_LATE
    assert (delivery.posts_metered, delivery.posts_billed) == (3, 0)
    assert (await cluster.reservation(decision.reservation_id)).posts_settled == 3


async def test_the_last_microsecond_of_a_permit_is_in_time(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    cluster.clock.advance(30 * SECOND_US - 1)

    delivery = await cluster.confirm(decision.decision_id, TWO_OF_THREE)

    assert delivery.state == pb.DELIVERY_STATE_CONFIRMED


async def test_the_same_confirmation_again_changes_nothing_and_another_is_refused(cluster: Cluster) -> None:
    decision = await cluster.decide(POSTS)
    first = await cluster.confirm(decision.decision_id, TWO_OF_THREE)
    cluster.clock.advance(60 * SECOND_US)

    again = await cluster.confirm(decision.decision_id, TWO_OF_THREE)
    with pytest.raises(Refusal) as refused:
        await cluster.confirm(decision.decision_id, NONE)

    assert again == first
    assert refused.value.reason == "CONFIRMED_OTHERWISE"


@pytest.mark.parametrize(
    ("bitmap", "reason"),
    [
        (b"", "BITMAP_LENGTH"),
        (bytes(2), "BITMAP_LENGTH"),
        (bytes([0b1000]), "DELIVERED_WITHOUT_RELEASE"),
        (bytes([0b010]), "DELIVERED_WITHOUT_RELEASE"),
    ],
)
async def test_a_confirmation_of_what_was_not_released_is_refused(
    cluster: Cluster, bitmap: bytes, reason: str
) -> None:
    await cluster.opt_out(2)
    decision = await cluster.decide(POSTS)

    with pytest.raises(Refusal) as refused:
        await cluster.confirm(decision.decision_id, bitmap)

    assert refused.value.reason == reason
    assert (await cluster.decision(decision.decision_id)).delivery.state == pb.DELIVERY_STATE_OPEN


async def test_a_decision_that_is_not_there_cannot_be_confirmed(cluster: Cluster) -> None:
    with pytest.raises(Refusal) as refused:
        await cluster.confirm(cluster.new_id(), NONE)

    assert refused.value.reason == "DECISION_UNKNOWN"


async def test_a_replay_says_what_validity_is_left_and_is_void_after_it(cluster: Cluster) -> None:
    request_id = cluster.new_id()
    first = await cluster.decide(POSTS, request_id)
    cluster.clock.advance(20 * SECOND_US)
    second = await cluster.decide(POSTS, request_id)
    cluster.clock.advance(10 * SECOND_US)

    third = await cluster.decide(POSTS, request_id)

    assert [answer.valid_for.seconds for answer in (first, second, third)] == [30, 10, 0]
    assert [answer.replayed for answer in (first, second, third)] == [False, True, True]
    assert [answer.is_void for answer in (first, second, third)] == [False, False, True]
    assert first.receipt == second.receipt == third.receipt


async def test_settling_waits_in_the_outbox_for_as_long_as_metering_does_not_answer(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any) -> None:
        raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

    decision = await cluster.decide(POSTS)
    with monkeypatch.context() as patch:
        patch.setattr(MeteringPeer, "settle", silent)
        delivery = await cluster.confirm(decision.decision_id, TWO_OF_THREE)
        await cluster.outbox.deliver()
        await cluster.outbox.deliver()
    held_meanwhile = await cluster.holds()

    await cluster.outbox.deliver()

    assert delivery.state == pb.DELIVERY_STATE_CONFIRMED
    assert held_meanwhile == [decision.reservation_id]
    assert (await cluster.reservation(decision.reservation_id)).posts_settled == 2


async def test_a_settlement_that_metering_has_forgotten_is_said_again_by_the_sweeper(
    cluster: Cluster,
) -> None:
    decision = await cluster.decide(POSTS)
    await cluster.confirm(decision.decision_id, TWO_OF_THREE)
    (message,) = await cluster.outbox._messages.due(10)
    await cluster.outbox._messages.remove([message.seq], [])
    cluster.clock.advance(61 * SECOND_US)

    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert (await cluster.reservation(decision.reservation_id)).posts_settled == 2
