"""Whichever process dies where: one decision a request, one charge, and nothing held for the dead."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal, unavailable
from services.licensing.desk import ReleaseDesk
from services.licensing.domain.answers import HoldAnswer
from services.licensing.ledger import Ledger
from services.licensing.peers import MeteringPeer
from services.licensing.storage.ledger import LedgerStore
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from tests.support.cluster import SECOND_US, Cluster, a_post

POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]
TEN = [a_post(200 + n, n) for n in range(1, 11)]


class ProcessDiedError(Exception):
    """Stands for a process that is gone: nothing after this line happened."""


def dying_once(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which the first time does nothing and never comes back."""
    lives = iter([False])

    async def die_or_do(*args: Any, **keywords: Any) -> Any:
        if next(lives, True):
            return await method(*args, **keywords)
        raise ProcessDiedError

    return die_or_do


async def crash_before_the_conclusion(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, posts: list[Any], request_id: str
) -> str:
    """Asks, and dies between the hold and the conclusion; the id of the hold that is left."""
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "conclude", dying_once(Ledger.conclude))
        with pytest.raises(Refusal) as refused:
            await cluster.decide(posts, request_id)
    assert refused.value.kind is Kind.INTERNAL
    return (await cluster.holds())[-1]


async def test_after_a_crash_and_an_opt_out_the_same_request_concludes_once_on_todays_consent(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = cluster.new_id()
    left_hold = await crash_before_the_conclusion(cluster, monkeypatch, POSTS, request_id)
    await cluster.opt_out(2)

    decision = await cluster.decide(POSTS, request_id)
    again = await cluster.decide(POSTS, request_id)

    assert list(decision.verdicts) == [1, 3, 1]
    assert (again.decision_id, again.replayed) == (decision.decision_id, True)
    assert decision.reservation_id != left_hold
    assert (await cluster.reservation(decision.reservation_id)).posts_reserved == 2


async def test_the_sweeper_frees_the_hold_of_an_attempt_that_never_concluded(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_hold = await crash_before_the_conclusion(cluster, monkeypatch, POSTS, cluster.new_id())
    cluster.clock.advance(61 * SECOND_US)

    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    reservation = await cluster.reservation(left_hold)
    assert reservation.state == metering_pb.RESERVATION_STATE_CANCELLED
    assert (reservation.posts_reserved, reservation.posts_freed) == (3, 3)


async def test_a_hold_younger_than_the_age_of_sweeping_is_left_alone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_hold = await crash_before_the_conclusion(cluster, monkeypatch, POSTS, cluster.new_id())
    cluster.clock.advance(59 * SECOND_US)

    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert await cluster.holds() == [left_hold]


async def test_an_attempt_tombstoned_by_the_sweeper_cannot_conclude_and_is_tried_anew(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude = Ledger.conclude
    swept: list[str] = []

    async def paused_until_swept(ledger: Ledger, *args: Any) -> Any:
        if not swept:
            swept.extend(await cluster.holds())
            await ledger.give_up(swept)
        return await conclude(ledger, *args)

    monkeypatch.setattr(Ledger, "conclude", paused_until_swept)

    decision = await cluster.decide(POSTS)
    await cluster.outbox.deliver()

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert decision.reservation_id not in swept
    assert await cluster.holds() == [decision.reservation_id]


async def test_two_calls_that_race_on_one_request_id_get_one_decision(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude, both_hold = Ledger.conclude, asyncio.Barrier(2)

    async def meet(ledger: Ledger, *args: Any) -> Any:
        await both_hold.wait()
        return await conclude(ledger, *args)

    monkeypatch.setattr(Ledger, "conclude", meet)
    request_id = cluster.new_id()

    one, other = await asyncio.gather(cluster.decide(POSTS, request_id), cluster.decide(POSTS, request_id))
    await cluster.outbox.deliver()

    assert one.decision_id == other.decision_id
    assert one.receipt == other.receipt
    assert {one.replayed, other.replayed} == {False, True}
    assert await cluster.holds() == [one.reservation_id]


async def test_a_commit_whose_answer_is_lost_is_not_cancelled(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LedgerStore.write

    async def lose_the_answer(store: LedgerStore, unit: Any) -> Any:
        await write(store, unit)
        raise unavailable("COMMIT_UNKNOWN", "it may have been written")

    monkeypatch.setattr(LedgerStore, "write", lose_the_answer)
    request_id = cluster.new_id()

    with pytest.raises(Refusal, match="COMMIT_UNKNOWN"):
        await cluster.decide(POSTS, request_id)
    decision = await cluster.decide(POSTS, request_id)
    held = await cluster.holds()
    monkeypatch.undo()
    cluster.clock.advance(SECOND_US)
    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert (decision.replayed, decision.outcome) == (True, pb.OUTCOME_RELEASED)
    assert held == [decision.reservation_id] == await cluster.holds()


async def test_a_retry_does_not_compete_for_room_with_its_own_dead_attempt(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = cluster.new_id()
    left_hold = await crash_before_the_conclusion(cluster, monkeypatch, TEN, request_id)

    decision = await cluster.decide(TEN, request_id)

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert await cluster.holds() == [decision.reservation_id]
    assert (await cluster.reservation(left_hold)).posts_freed == 10


async def test_another_request_does_compete_with_a_hold_that_nobody_has_resolved(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_the_conclusion(cluster, monkeypatch, TEN, cluster.new_id())

    decision = await cluster.decide(POSTS)

    assert decision.outcome == pb.OUTCOME_DENIED
    assert set(decision.reasons) == {60}
    assert decision.room_denial.retry_at.ToMicroseconds() > cluster.clock.now_us()


async def test_a_cancel_that_overtakes_its_reserve_leaves_nothing_held(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = MeteringPeer.reserve
    overtaken: list[str] = []

    async def overtake_once(meter: MeteringPeer, reservation_id: str, *args: Any) -> HoldAnswer:
        if not overtaken:
            overtaken.append(reservation_id)
            await meter.cancel(reservation_id)
        return await reserve(meter, reservation_id, *args)

    monkeypatch.setattr(MeteringPeer, "reserve", overtake_once)

    decision = await cluster.decide(POSTS)

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert decision.reservation_id not in overtaken
    assert await cluster.holds() == [decision.reservation_id]
    assert (await cluster.reservation(overtaken[0])).posts_reserved == 0


async def test_a_license_suspended_before_the_conclusion_is_seen_by_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4."""
    hold_room = ReleaseDesk._hold_room
    suspended: list[bool] = []

    async def suspend_then_hold(desk: ReleaseDesk, *args: Any) -> Any:
        if not suspended:
            suspended.append(True)
            await cluster.suspend()
        return await hold_room(desk, *args)

    monkeypatch.setattr(ReleaseDesk, "_hold_room", suspend_then_hold)

    decision = await cluster.decide(POSTS)
    await cluster.outbox.deliver()

    assert decision.outcome == pb.OUTCOME_DENIED
    assert set(decision.reasons) == {10}
    assert await cluster.holds() == []


async def test_an_answer_of_consent_that_has_grown_too_old_is_asked_for_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C9."""
    hold_room = ReleaseDesk._hold_room
    paused: list[bool] = []

    async def pause_then_hold(desk: ReleaseDesk, *args: Any) -> Any:
        if not paused:
            paused.append(True)
            await cluster.opt_out(2)
            cluster.clock.advance(31 * SECOND_US)
        return await hold_room(desk, *args)

    monkeypatch.setattr(ReleaseDesk, "_hold_room", pause_then_hold)

    decision = await cluster.decide(POSTS)
    await cluster.outbox.deliver()

    assert list(decision.verdicts) == [1, 3, 1]
    assert await cluster.holds() == [decision.reservation_id]


async def test_what_became_of_attempts_is_told_to_those_who_audit(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    concluded = await cluster.decide(POSTS)
    dead = await crash_before_the_conclusion(cluster, monkeypatch, POSTS, cluster.new_id())
    auditor = cluster.licensing.peer(PrincipalKind.AUDITOR)
    stub = ReleaseServiceStub(auditor.channel)
    request = pb.CheckAttemptsRequest(reservation_ids=[concluded.reservation_id, dead])

    at_once = await auditor.call(stub.CheckAttempts, request)
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    swept = await auditor.call(stub.CheckAttempts, request)

    assert list(at_once.states) == [pb.ATTEMPT_STATE_CONCLUDED, pb.ATTEMPT_STATE_UNKNOWN]
    assert list(swept.states) == [pb.ATTEMPT_STATE_CONCLUDED, pb.ATTEMPT_STATE_TOMBSTONED]
