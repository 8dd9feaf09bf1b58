"""How long a permit is valid, and what must still be so at the moment of the conclusion (C3, C9, L1, M2)."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.dialing import Peer
from services.licensing.desk import ReleaseDesk
from services.licensing.ledger import Ledger
from sluice.consent.v1 import consent_service_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.cluster import SECOND_US, Cluster, a_post

POSTS = [a_post(101, 1)]
TEN = [a_post(200 + n, n) for n in range(1, 11)]


def pause_before_the_hold(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, us: int) -> None:
    """Lets time pass, once, between the answer of consent and the conclusion."""
    hold_room, pauses = ReleaseDesk._hold_room, [us]

    async def pause(desk: ReleaseDesk, *args: Any) -> Any:
        cluster.clock.advance(pauses.pop() if pauses else 0)
        return await hold_room(desk, *args)

    monkeypatch.setattr(ReleaseDesk, "_hold_room", pause)


async def test_a_permit_ends_when_the_answer_of_consent_does_however_late_it_was_concluded(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_us = cluster.clock.now_us()
    pause_before_the_hold(cluster, monkeypatch, 10 * SECOND_US)

    decision = await cluster.decide(POSTS)

    assert decision.decided_at.ToMicroseconds() == asked_us + 10 * SECOND_US
    assert decision.not_after.ToMicroseconds() == asked_us + 30 * SECOND_US
    assert decision.valid_for.ToMicroseconds() == 30 * SECOND_US


async def test_a_permit_ends_with_the_policy_it_rests_on(cluster: Cluster) -> None:
    asked_us = cluster.clock.now_us()
    await cluster.publish_policy(in_us=5 * SECOND_US)

    decision = await cluster.decide(POSTS)

    assert decision.not_after.ToMicroseconds() == asked_us + 5 * SECOND_US


async def test_a_consent_that_promises_too_much_is_cut_to_our_own_limit(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Peer.call

    async def promise(peer: Any, method: Any, request: Any, **keywords: Any) -> Any:
        response = await call(peer, method, request, **keywords)
        if isinstance(response, consent_service_pb2.CheckConsentResponse):
            response.good_until.FromMicroseconds(cluster.clock.now_us() + 3_600 * SECOND_US)
        return response

    monkeypatch.setattr(Peer, "call", promise)

    decision = await cluster.decide(POSTS)

    assert decision.valid_for.ToMicroseconds() == 30 * SECOND_US


async def test_l1_a_permit_ends_with_the_term_of_the_license(cluster: Cluster) -> None:
    ends_us, request_id, term_until = cluster.clock.now_us() + SECOND_US, cluster.new_id(), Timestamp()
    term_until.FromMicroseconds(ends_us)
    await cluster.license("ending", term_until=term_until)

    decision = await cluster.decide(POSTS, request_id, license_id="ending")
    cluster.clock.advance(2 * SECOND_US)
    again = await cluster.decide(POSTS, request_id, license_id="ending")

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert decision.not_after.ToMicroseconds() == ends_us
    assert decision.valid_for.ToMicroseconds() == SECOND_US
    assert (again.replayed, again.valid_for.ToMicroseconds()) == (True, 0)


async def test_l1_a_permit_ends_when_the_next_version_comes_into_force(cluster: Cluster) -> None:
    hour_us = cluster.clock.now_us() + 5 * SECOND_US
    await cluster.amend(1_000_000, at_us=hour_us)

    decision = await cluster.decide(POSTS)

    assert (decision.license_version, decision.outcome) == (1, pb.OUTCOME_RELEASED)
    assert decision.not_after.ToMicroseconds() == hour_us


async def test_l1_a_next_version_whose_hour_was_set_before_the_conclusion_ends_the_permit(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour_us, hold_room = cluster.clock.now_us() + 5 * SECOND_US, ReleaseDesk._hold_room

    async def amend_first(desk: ReleaseDesk, *args: Any) -> Any:
        await cluster.amend(1_000_000, at_us=hour_us)
        return await hold_room(desk, *args)

    monkeypatch.setattr(ReleaseDesk, "_hold_room", amend_first)

    decision = await cluster.decide(POSTS)

    assert (decision.license_version, decision.outcome) == (1, pb.OUTCOME_RELEASED)
    assert decision.not_after.ToMicroseconds() == hour_us


async def test_a_term_that_ends_before_the_conclusion_is_seen_by_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    term_until = Timestamp()
    term_until.FromMicroseconds(cluster.clock.now_us() + 5 * SECOND_US)
    await cluster.license("ending", term_until=term_until)
    pause_before_the_hold(cluster, monkeypatch, 5 * SECOND_US)

    decision = await cluster.decide(POSTS, license_id="ending")
    await cluster.outbox.deliver()

    assert (decision.outcome, list(decision.reasons)) == (pb.OUTCOME_DENIED, [10])
    assert await cluster.holds() == []


async def test_the_hold_of_a_decision_is_not_cancelled_for_a_repeat_that_finds_no_room_beside_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = cluster.new_id()
    decision = await cluster.decide(TEN, request_id)

    async def looked_too_early(*_: Any) -> None:
        return None

    monkeypatch.setattr(Ledger, "earlier", looked_too_early)
    again = await cluster.decide(TEN, request_id)
    await cluster.outbox.deliver()

    assert (again.decision_id, again.replayed) == (decision.decision_id, True)
    assert await cluster.holds() == [decision.reservation_id]
