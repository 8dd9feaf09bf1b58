"""W5: a decision that is paused while the fence moves releases nothing that was withdrawn before that."""

from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, unavailable
from services.licensing.desk import TRIES
from services.licensing.ledger import Ledger
from services.licensing.peers import ConsentPeer, MeteringPeer
from services.licensing.storage.ledger import LedgerStore
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from tests.support.cluster import SECOND_US, Cluster, a_post
from tests.support.fences import before_each_conclusion, consents_head, move_fence_to_the_head, withdrawn

POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]
GOES, CHOICE_DENIES, UNKNOWN = 1, 46, 40


def held(reservation: metering_pb.Reservation) -> int:
    return sum(count.posts for count in reservation.held)


def sums(reservation: metering_pb.Reservation) -> tuple[int, int, int, int]:
    """Posts reserved, still held, settled and freed."""
    r = reservation
    return r.posts_reserved, held(r), r.posts_settled, r.posts_freed


async def test_w5_who_withdrew_before_the_fence_is_dropped_and_the_room_for_it_freed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_conclusion(monkeypatch, withdrawn(cluster, 2))

    decision = await cluster.decide(POSTS)
    await cluster.outbox.deliver()
    reduced = await cluster.reservation(decision.reservation_id)
    audited = await cluster.audit()
    await cluster.confirm(decision.decision_id, bytes([0b001]))
    await cluster.outbox.deliver()

    assert list(decision.reasons) == [GOES, CHOICE_DENIES, GOES]
    assert decision.outcome == pb.OUTCOME_PARTIAL
    assert decision.consent_revision.number == (await consents_head(cluster)).number
    assert (reduced.state, sums(reduced)) == (metering_pb.RESERVATION_STATE_HELD, (3, 2, 0, 1))
    assert sums(await cluster.reservation(decision.reservation_id)) == (3, 0, 1, 2)
    assert await cluster.holds() == []
    assert [check.check for check in audited if check.difference_count] == []


async def test_w5_room_that_was_freed_is_there_for_the_next_one(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ten = [a_post(200 + n, n) for n in range(1, 11)]
    before_each_conclusion(monkeypatch, withdrawn(cluster, 1, 2))

    await cluster.decide(ten)
    await cluster.outbox.deliver()

    assert (await cluster.decide([a_post(301, 3), a_post(302, 4)])).outcome == pb.OUTCOME_RELEASED
    assert (await cluster.decide([a_post(303, 3)])).outcome == pb.OUTCOME_DENIED


async def test_w5_a_fence_that_moved_for_others_drops_nothing_and_costs_one_question(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_conclusion(monkeypatch, withdrawn(cluster, 9))

    decision = await cluster.decide(POSTS)

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert decision.consent_revision.number == (await consents_head(cluster)).number
    assert sums(await cluster.reservation(decision.reservation_id)) == (3, 3, 0, 0)


async def test_w5_where_all_have_withdrawn_the_hold_is_cancelled_and_the_answer_a_denial(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = list[str]()

    async def withdraw_all() -> None:
        holds.extend(await cluster.holds())
        await withdrawn(cluster, 1, 2, 3)()

    before_each_conclusion(monkeypatch, withdraw_all)

    decision = await cluster.decide(POSTS)
    await cluster.outbox.deliver()

    assert list(decision.reasons) == [CHOICE_DENIES] * 3
    assert decision.reservation_id == ""
    assert sums(await cluster.reservation(holds[0])) == (3, 0, 0, 3)
    assert await cluster.holds() == []


async def test_w5_a_fence_that_moves_again_meanwhile_is_asked_for_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = before_each_conclusion(monkeypatch, withdrawn(cluster, 2), withdrawn(cluster, 3))

    decision = await cluster.decide(POSTS)
    await cluster.outbox.deliver()

    assert left == []
    assert list(decision.reasons) == [GOES, CHOICE_DENIES, CHOICE_DENIES]
    assert sums(await cluster.reservation(decision.reservation_id)) == (3, 1, 0, 2)


async def test_w5_a_fence_that_is_always_faster_sends_the_request_back_and_holds_nothing(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster = [withdrawn(cluster, 20)] * (TRIES * TRIES)
    left = before_each_conclusion(monkeypatch, *faster)

    with pytest.raises(Refusal) as refused:
        await cluster.decide(POSTS)
    await cluster.outbox.deliver()

    assert (refused.value.kind, refused.value.reason) == (Kind.ABORTED, "DECISION_CONTENDED")
    assert left == []
    assert await cluster.holds() == []


async def test_w5_what_was_denied_before_is_not_released_by_asking_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def become_known() -> None:
        await cluster.know(30)
        await withdrawn(cluster, 9)()

    before_each_conclusion(monkeypatch, become_known)

    decision = await cluster.decide([*POSTS, a_post(104, 30)])
    later = await cluster.decide([a_post(104, 30)])

    assert list(decision.reasons) == [GOES, GOES, GOES, UNKNOWN]
    assert list(later.reasons) == [GOES]


async def test_w5_a_denial_needs_no_newer_answer(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    head = await consents_head(cluster)
    before_each_conclusion(monkeypatch, withdrawn(cluster, 9))

    decision = await cluster.decide([a_post(104, 30)])

    assert list(decision.reasons) == [UNKNOWN]
    assert decision.consent_revision.number == head.number


async def test_w5_without_consent_nothing_concludes_behind_the_fence_and_the_hold_is_swept(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, asked = Peer.call, list[bytes]()

    async def silent_the_second_time(peer: Any, method: Any, request: Any, **keywords: Any) -> Any:
        if isinstance(request, consent_pb.CheckConsentRequest) and len(request.post_ids) > 8:
            asked.append(request.post_ids)
            if len(asked) > 1:
                raise unavailable("PEER_UNAVAILABLE", "consent does not answer")
        return await call(peer, method, request, **keywords)

    left = before_each_conclusion(monkeypatch, withdrawn(cluster, 2))
    request_id = cluster.new_id()
    with monkeypatch.context() as patch:
        patch.setattr(Peer, "call", silent_the_second_time)
        with pytest.raises(Refusal) as refused:
            await cluster.decide(POSTS, request_id)
    in_vain = await cluster.holds()
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "PEER_UNAVAILABLE")
    assert (left, len(in_vain)) == ([], 1)
    assert await cluster.holds() == []
    assert list((await cluster.decide(POSTS, request_id)).reasons) == [GOES, CHOICE_DENIES, GOES]


class ProcessDiedError(Exception):
    """Stands for a process that is gone: nothing after this line happened."""


def dying(method: Callable[..., Any], call: int, died: list[str], *, after: bool) -> Callable[..., Any]:
    """The method, which never comes back from a call, counted from 1: it is gone before it, or after it."""
    calls = iter(range(1, 1_000))

    async def die_or_do(*args: Any, **keywords: Any) -> Any:
        number = next(calls)
        answer = None if number == call and not after else await method(*args, **keywords)
        if number == call:
            died.append(method.__name__)
            raise ProcessDiedError
        return answer

    return die_or_do


# The first question is that of the decision, the second finds out where the fence is to be moved to.
DEATHS = [
    (Ledger, "conclude", 1, False),
    (Ledger, "conclude", 1, True),
    (ConsentPeer, "check", 3, False),
    (ConsentPeer, "check", 3, True),
    (Ledger, "conclude", 2, False),
    (Ledger, "conclude", 2, True),
    (MeteringPeer, "reduce", 1, False),
    (MeteringPeer, "reduce", 1, True),
    (MeteringPeer, "settle", 1, False),
    (MeteringPeer, "settle", 1, True),
]


@pytest.mark.parametrize(
    "death",
    DEATHS,
    ids=[f"{'after' if after else 'before'} {name} {call}" for _, name, call, after in DEATHS],
)
async def test_w5_whichever_process_dies_where_the_repeat_concludes_once_and_the_sums_hold(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, death: tuple[type, str, int, bool]
) -> None:
    owner, name, call, after = death
    request_id, reserved, died = cluster.new_id(), list[str](), list[str]()
    reserve = MeteringPeer.reserve

    async def noted(meter: MeteringPeer, reservation_id: str, *args: Any) -> Any:
        reserved.append(reservation_id)
        return await reserve(meter, reservation_id, *args)

    monkeypatch.setattr(MeteringPeer, "reserve", noted)
    await cluster.opt_out(2)
    await move_fence_to_the_head(cluster)
    monkeypatch.setattr(owner, name, dying(getattr(owner, name), call, died, after=after))
    before_each_conclusion(monkeypatch, withdrawn(cluster, 3))

    decision = await until_it_lives(lambda: cluster.decide([*POSTS, a_post(104, 4)], request_id))
    await until_it_lives(cluster.outbox.deliver)
    await cluster.confirm(decision.decision_id, bytes([0b0001]))
    await until_it_lives(cluster.outbox.deliver)
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert died == [name]
    assert list(decision.reasons) == [GOES, CHOICE_DENIES, CHOICE_DENIES, GOES]
    assert await cluster.holds() == []
    for reservation_id in reserved:
        reservation = await cluster.reservation(reservation_id)
        posts, still_held, settled, freed = sums(reservation)
        assert posts == still_held + settled + freed
        assert settled == (1 if reservation_id == decision.reservation_id else 0)
    await cluster.publisher.publish()
    assert [check.check for check in await cluster.audit() if check.difference_count] == []


async def until_it_lives(ask: Callable[[], Any]) -> Any:
    """Asks, and once more where a process died of it."""
    try:
        return await ask()
    except (ProcessDiedError, Refusal):
        return await ask()


async def test_w5_a_conclusion_behind_the_fence_whose_answer_is_lost_is_repeated(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, lost = LedgerStore.write, list[bool]()

    async def lose_the_first_answer(store: LedgerStore, unit: Any) -> Any:
        outcome = await write(store, unit)
        if not lost:
            lost.append(True)
            raise unavailable("COMMIT_UNKNOWN", "it may have been written")
        return outcome

    before_each_conclusion(monkeypatch, withdrawn(cluster, 2))
    monkeypatch.setattr(LedgerStore, "write", lose_the_first_answer)

    request_id = cluster.new_id()

    with pytest.raises(Refusal, match="COMMIT_UNKNOWN"):
        await cluster.decide(POSTS, request_id)
    # As a pipeline does.
    decision = await cluster.decide(POSTS, request_id)

    assert lost
    assert list(decision.reasons) == [GOES, CHOICE_DENIES, GOES]
