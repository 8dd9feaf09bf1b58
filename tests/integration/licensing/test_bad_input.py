"""What bad input gets: a refusal with a reason, or a stored denial; never a charge, never a release."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal
from services.licensing.ledger import Ledger
from services.licensing.peers import ConsentPeer, MeteringPeer
from sluice.consent.v1 import consent_service_pb2
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.cluster import SECOND_US, Cluster, a_post, licensing_of

POSTS = [a_post(101, 1)]


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"license_id": "not-there"}, "LICENSE_UNKNOWN"),
        ({"license_id": ""}, "INVALID_REQUEST"),
        ({"purpose": 0}, "PURPOSE_UNSPECIFIED"),
        ({"columns": post_pb2.PostColumns(embed_offsets=bytes(4))}, "EMPTY_BATCH"),
        ({"columns": post_pb2.PostColumns(ids=bytes(8), author_ids=bytes(16))}, "COLUMN_LENGTHS"),
        ({"columns": post_pb2.PostColumns(ids=bytes(9))}, "COLUMN_LENGTHS"),
        ({"request_id": "not-a-uuid"}, "REQUEST_ID_MALFORMED"),
        ({"request_id": "x" * 37}, "INVALID_REQUEST"),
        ({"request_id": "9b2d9b0e-6f0e-4c07-9d3b-111111111111"}, "REQUEST_ID_MALFORMED"),
        ({"request_id": "01000000-0000-7000-8000-000000000001"}, "REQUEST_ID_TOO_OLD"),
        ({"request_id": "0fffffff-0000-7000-8000-000000000001"}, "REQUEST_ID_IN_FUTURE"),
    ],
)
async def test_a_fault_of_the_envelope_is_refused_and_nothing_is_stored(
    cluster: Cluster, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await cluster.decide(POSTS, **fields)

    assert refused.value.reason == reason
    assert await cluster.holds() == []


@pytest.mark.parametrize(("posts", "reason"), [([], "EMPTY_BATCH"), (POSTS * 10_001, "TOO_MANY_POSTS")])
async def test_a_batch_of_no_posts_or_of_too_many_is_refused(
    cluster: Cluster, posts: list[post_pb2.Post], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await cluster.decide(posts)

    assert refused.value.reason == reason


async def test_a_fault_of_one_post_denies_that_post_alone(cluster: Cluster) -> None:
    ahead = a_post(104, 1)
    ahead.posted_at.FromMicroseconds(cluster.clock.now_us() + 2 * SECOND_US)
    posts = [
        a_post(101, 1),
        a_post(0, 1),
        a_post(102, 1, kind=99),
        a_post(103, 1, media_flags=8),
        ahead,
        a_post(101, 1),
        a_post(105, 1, (0, 2)),
        a_post(106, 0),
        a_post(107, 1, (500, 0)),
        a_post(108, 999),
    ]

    decision = await cluster.decide(posts)

    assert list(decision.reasons) == [1, 20, 21, 21, 22, 23, 20, 52, 52, 40]
    assert list(decision.verdicts) == [1, 2, 2, 2, 2, 5, 2, 3, 3, 3]
    assert (await cluster.reservation(decision.reservation_id)).posts_reserved == 1


@pytest.mark.parametrize("purpose", [2**31 - 1, 99, -5, 6])
async def test_a_purpose_that_is_not_licensed_or_not_known_is_denied_and_asks_nobody(
    cluster: Cluster, purpose: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr(ConsentPeer, "check", nobody)
    monkeypatch.setattr(MeteringPeer, "reserve", nobody)

    decision = await cluster.decide(POSTS, purpose=purpose)

    assert decision.outcome == pb.OUTCOME_DENIED
    assert list(decision.reasons) == [11]
    assert decision.receipt


async def test_a_request_id_with_other_content_is_refused(cluster: Cluster) -> None:
    request_id = cluster.new_id()
    first = await cluster.decide(POSTS, request_id)

    with pytest.raises(Refusal) as refused:
        await cluster.decide([a_post(101, 2)], request_id)

    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert await cluster.holds() == [first.reservation_id]


async def test_a_suspended_license_denies_with_a_receipt(cluster: Cluster) -> None:
    await cluster.suspend()

    decision = await cluster.decide(POSTS)

    assert (decision.outcome, list(decision.reasons)) == (pb.OUTCOME_DENIED, [10])
    assert not decision.HasField("not_after")
    assert await cluster.holds() == []


async def test_a_batch_without_room_is_told_when_to_come_back(cluster: Cluster) -> None:
    counted_us = cluster.clock.now_us()
    first = await cluster.decide([a_post(200 + n, n) for n in range(1, 9)])
    await cluster.confirm(first.decision_id, b"\xff")
    await cluster.outbox.deliver()
    cluster.clock.advance(60 * SECOND_US)

    denied = await cluster.decide([a_post(300 + n, n) for n in range(1, 4)])
    never = await cluster.decide([a_post(400 + n, n) for n in range(1, 12)])

    assert denied.room_denial.retry_at.ToMicroseconds() == counted_us + 86_400 * SECOND_US
    assert denied.room_denial.retry_at_is_exact
    assert never.room_denial.never_fits
    assert set(denied.verdicts) == set(never.verdicts) == {4}


@contextlib.asynccontextmanager
async def nobody_answers() -> AsyncIterator[str]:
    """The address of a server that takes connections and says nothing."""
    listening = socket.create_server(("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


@contextlib.asynccontextmanager
async def nobody_is_there() -> AsyncIterator[str]:
    """An address at which nothing listens."""
    async with nobody_answers() as address:
        pass
    yield address


@pytest.mark.parametrize("trouble", [nobody_is_there, nobody_answers])
@pytest.mark.parametrize("peer", ["consent", "metering"])
async def test_a_peer_that_is_down_or_hangs_leaves_it_undecided_before_the_caller_loses_patience(
    cluster: Cluster, tmp_path: Path, peer: str, trouble: Callable[[], AbstractAsyncContextManager[str]]
) -> None:
    async with (
        trouble() as address,
        licensing_of(
            cluster,
            tmp_path,
            f"sqlite:///{tmp_path}/alone.db",
            peer_deadline_seconds=0.3,
            **{f"{peer}_target": address},
        ),
    ):
        await cluster.license()

        with pytest.raises(Refusal) as refused:
            await cluster.decide(POSTS)

    # Licensing says who did not answer; a caller whose own time had run out would name licensing.
    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "PEER_UNAVAILABLE")
    assert peer in refused.value.message
    assert await cluster.holds() == []


async def test_a_peer_that_refuses_licensing_itself_is_no_fault_of_the_caller(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Peer.call

    async def turn_away(peer: Any, method: Any, request: Any, **keywords: Any) -> Any:
        if isinstance(request, consent_service_pb2.CheckConsentRequest):
            raise Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "the token has expired")
        return await call(peer, method, request, **keywords)

    monkeypatch.setattr(Peer, "call", turn_away)

    with pytest.raises(Refusal) as refused:
        await cluster.decide(POSTS)

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "PEER_REFUSED")


async def lied_to(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Refusal:
    """What a decision comes to when consent's answer has these fields instead of its own."""
    call = Peer.call

    async def lie(peer: Any, method: Any, request: Any, **keywords: Any) -> Any:
        response = await call(peer, method, request, **keywords)
        if isinstance(response, consent_service_pb2.CheckConsentResponse):
            for name, value in fields.items():
                if name == "checked_at":
                    response.checked_at.FromMicroseconds(value)
                else:
                    setattr(response, name, value)
        return response

    monkeypatch.setattr(Peer, "call", lie)
    with pytest.raises(Refusal) as refused:
        await cluster.decide([a_post(101, 1), a_post(102, 2)])
    return refused.value


@pytest.mark.parametrize("reasons", [b"", b"\x01", b"\x01\x01\x01"])
async def test_an_answer_with_another_number_of_verdicts_releases_nothing(
    cluster: Cluster, reasons: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = await lied_to(cluster, monkeypatch, reasons=reasons)

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_ANSWER_INVALID")
    assert await cluster.holds() == []


@pytest.mark.parametrize("off_us", [-2 * SECOND_US, 2 * SECOND_US])
async def test_a_peer_whose_clock_differs_by_more_than_the_margin_is_not_believed(
    cluster: Cluster, off_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C9."""
    refusal = await lied_to(cluster, monkeypatch, checked_at=cluster.clock.now_us() + off_us)

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "CLOCKS_DIFFER")


async def test_a_caller_who_goes_away_mid_decision_leaves_decision_and_charge_together(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = cluster.new_id()
    conclude, concluding = Ledger.conclude, asyncio.Event()

    async def tell(ledger: Ledger, *args: Any) -> Any:
        concluding.set()
        return await conclude(ledger, *args)

    monkeypatch.setattr(Ledger, "conclude", tell)
    call = asyncio.create_task(cluster.decide(POSTS, request_id))
    await concluding.wait()

    call.cancel()
    decision = await cluster.decide(POSTS, request_id)
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert (await cluster.reservation(decision.reservation_id)).posts_settled == 1
    assert await cluster.holds() == []
