"""What licensing hears of consent about withdrawals, and what it does not believe."""

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, precondition, unauthenticated
from services.licensing import withdrawal_peer
from services.licensing.domain.answers import Revision
from services.licensing.domain.reasons import Reason
from services.licensing.domain.recalls.releases import Release
from services.licensing.domain.recalls.withdrawals import Cause, HaltScope, Withdrawal
from services.licensing.domain.released import Unresolved, released_of
from services.licensing.domain.terms import Purpose
from services.licensing.withdrawal_peer import RecheckPeer, WithdrawalPeer
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.consent.v1 import halt_pb2, withdrawal_pb2
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.type.v1 import purpose_pb2, revision_pb2
from tests.support.clock import NOON_US
from tests.support.indexed import Post, batch_of
from tests.support.scripted import Script, scripted
from tests.support.waiting import PATIENCE_SECONDS

SHARING, TRAINING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING, purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE
A_RELEASE = Release(7, "acme", "l", 1, int(TRAINING), frozenset({"DE"}), Revision(1, 3), NOON_US, NOON_US)
A_POLICY = Withdrawal(Revision(1, 9), Cause.POLICY, NOON_US)
ALLOWED, PROHIBITED = 1, 11


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


@pytest_asyncio.fixture
async def peer(script: Script) -> AsyncIterator[Peer]:
    peer = Peer(script.address, lambda: "token", name="consent", default_deadline_us=5_000_000)
    yield peer
    await peer.close()


def a_step(number: int, **fields: Any) -> pb.WatchWithdrawalsResponse:
    withdrawal = withdrawal_pb2.Withdrawal(
        revision=revision_pb2.Revision(epoch=1, number=number), purposes=[SHARING, TRAINING], **fields
    )
    withdrawal.recorded_at.FromMicroseconds(NOON_US)
    return pb.WatchWithdrawalsResponse(withdrawal=withdrawal)


def a_checkpoint(number: int) -> pb.WatchWithdrawalsResponse:
    return pb.WatchWithdrawalsResponse(checkpoint=revision_pb2.Revision(epoch=1, number=number))


async def test_a_stream_that_outlives_our_token_ends_and_is_no_fault(script: Script, peer: Peer) -> None:
    over = Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "open it again", retry_after_us=1_000)
    script.stream("WatchWithdrawals", [a_checkpoint(9), over])

    stream = WithdrawalPeer(peer).follow(Revision(1, 4))

    assert [step async for step in stream] == [Revision(1, 9)]


async def test_a_stream_that_ends_well_with_the_process_that_told_it_is_no_fault(
    script: Script, peer: Peer
) -> None:
    script.stream("WatchWithdrawals", [a_checkpoint(9)])

    stream = WithdrawalPeer(peer).follow(Revision(1, 4))

    assert [step async for step in stream] == [Revision(1, 9)]


async def test_a_token_that_consent_does_not_take_at_all_is_a_fault(script: Script, peer: Peer) -> None:
    script.stream("WatchWithdrawals", [unauthenticated("TOKEN_EXPIRED", "the token has expired")])

    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        await steps(peer, 1)


async def steps(peer: Peer, count: int) -> list[Withdrawal | Revision]:
    found: list[Withdrawal | Revision] = []
    async with contextlib.aclosing(WithdrawalPeer(peer).follow(Revision(1, 4))) as stream:
        while len(found) < count:
            found.append(await anext(stream))
    return found


async def test_the_stream_is_read_from_a_position_on_with_withdrawals_and_checkpoints(
    script: Script, peer: Peer
) -> None:
    choice = a_step(5, cause=Cause.CHOICE, subject_id=2**64 - 1, licensee_id="acme", countries=["DE"])
    script.stream("WatchWithdrawals", [choice, a_checkpoint(9)])

    withdrawal, checkpoint = await steps(peer, 2)

    assert withdrawal == Withdrawal(
        Revision(1, 5),
        Cause.CHOICE,
        NOON_US,
        subject_id=2**64 - 1,
        licensee_id="acme",
        purposes=frozenset({1, 2}),
        countries=frozenset({"DE"}),
    )
    assert checkpoint == Revision(1, 9)
    assert script.asked["WatchWithdrawals"][0].after == revision_pb2.Revision(epoch=1, number=4)


@pytest.mark.parametrize(
    ("scope", "licensee_id", "purposes"),
    [
        (halt_pb2.HaltScope(licensee_id="acme"), "acme", {1, 2}),
        (halt_pb2.HaltScope(purpose=TRAINING), "", {2}),
        (halt_pb2.HaltScope(purpose=SHARING), "", set(Purpose) - {Purpose.VETTED_RESEARCH}),
        (halt_pb2.HaltScope(jurisdiction="US"), "", {1, 2}),
        (halt_pb2.HaltScope(everything=True), "", {1, 2}),
    ],
)
async def test_a_halt_is_about_those_whom_it_stops(
    script: Script, peer: Peer, scope: halt_pb2.HaltScope, licensee_id: str, purposes: set[int]
) -> None:
    script.stream("WatchWithdrawals", [a_step(5, cause=Cause.HALT, halt=scope)])

    (halt,) = await steps(peer, 1)

    assert isinstance(halt, Withdrawal)
    assert (halt.licensee_id, set(halt.purposes), halt.needs_recheck) == (licensee_id, purposes, True)
    assert halt.halt is not None
    assert halt.halt.field == scope.WhichOneof("scope")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "PEER_UNAVAILABLE"),
        ([pb.WatchWithdrawalsResponse()], "PEER_ANSWER_INVALID"),
        ([precondition("CURSOR_AHEAD", "it has lost something")], "CURSOR_AHEAD"),
    ],
)
async def test_a_stream_that_ends_or_says_nothing_is_an_error(
    script: Script, peer: Peer, answers: list[Any], reason: str
) -> None:
    script.stream("WatchWithdrawals", answers)

    with pytest.raises(Refusal, match=reason):
        await steps(peer, 1)


async def test_a_stream_that_is_silent_for_long_is_given_up(
    script: Script, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawal_peer, "SILENT_SECONDS", 0.05)
    over = threading.Event()

    def say_nothing() -> None:
        over.wait(PATIENCE_SECONDS)

    script.stream("WatchWithdrawals", [say_nothing])
    try:
        with pytest.raises(Refusal, match="gone silent"):
            await steps(peer, 1)
    finally:
        over.set()


def an_answer(*reasons: int, number: int = 9) -> consent_pb.CheckConsentResponse:
    revision = revision_pb2.Revision(epoch=1, number=number)
    return consent_pb.CheckConsentResponse(reasons=bytes(reasons), revision=revision)


TWO = released_of(batch_of([Post(1, 5, ((8, 6),)), Post(2, 5)]), np.ones(2, np.bool_))


async def test_consent_is_asked_again_with_the_territory_of_then_wherever_authors_are_now(
    script: Script, peer: Peer
) -> None:
    script.answer("CheckConsent", an_answer(ALLOWED, PROHIBITED))

    reasons = await RecheckPeer(peer).reasons(A_RELEASE, TWO, A_POLICY)

    assert reasons.tolist() == [Reason.RELEASED, Reason.PROHIBITED]
    (asked,) = script.asked["CheckConsent"]
    assert (asked.licensee_id, list(asked.territory), list(asked.author_jurisdictions)) == (
        "acme",
        ["DE"],
        ["*"],
    )
    assert np.frombuffer(asked.embed_author_ids, "<u8").tolist() == [6]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (an_answer(ALLOWED), "PEER_ANSWER_INVALID"),
        (an_answer(ALLOWED, 99), "PEER_ANSWER_INVALID"),
        (an_answer(ALLOWED, ALLOWED, number=8), "PEER_BEHIND"),
    ],
)
async def test_an_answer_that_is_too_short_or_too_old_is_not_believed(
    script: Script, peer: Peer, answer: consent_pb.CheckConsentResponse, reason: str
) -> None:
    script.answer("CheckConsent", answer)

    with pytest.raises(Refusal, match=reason):
        await RecheckPeer(peer).reasons(A_RELEASE, TWO, A_POLICY)


@pytest.mark.parametrize(
    ("withdrawal", "recheck"),
    [
        (A_POLICY, consent_pb.Recheck(policy=True)),
        *(
            (
                Withdrawal(Revision(1, 9), Cause.HALT, NOON_US, halt=HaltScope(*scope)),
                consent_pb.Recheck(halt=halt_pb2.HaltScope(**{scope[0]: value})),  # type: ignore[arg-type]
            )
            for scope, value in [
                (("everything", ""), True),
                (("purpose", "2"), TRAINING),
                (("jurisdiction", "US-CA"), "US-CA"),
                (("licensee_id", "acme"), "acme"),
            ]
        ),
        (Withdrawal(Revision(1, 9), Cause.HALT, NOON_US), None),
    ],
)
async def test_w1_consent_hears_what_it_is_asked_again_for(
    script: Script, peer: Peer, withdrawal: Withdrawal, recheck: consent_pb.Recheck | None
) -> None:
    script.answer("CheckConsent", an_answer(ALLOWED, ALLOWED))

    await RecheckPeer(peer).reasons(A_RELEASE, TWO, withdrawal)

    (asked,) = script.asked["CheckConsent"]
    assert (asked.recheck if asked.HasField("recheck") else None) == recheck


async def test_of_a_release_that_kept_its_manifest_alone_every_contributor_is_asked_about(
    script: Script, peer: Peer
) -> None:
    script.answer("CheckConsent", an_answer(ALLOWED, ALLOWED))
    manifest = Unresolved(
        contributors=np.array([5, 6, 7], np.uint64),
        post_offsets=np.array([0, 2, 3, 4], np.uint32),
        post_ids=np.array([1, 2, 1, 2], np.uint64),
    )

    await RecheckPeer(peer).reasons(A_RELEASE, manifest, A_POLICY)

    (asked,) = script.asked["CheckConsent"]
    authors, embedded = np.frombuffer(asked.author_ids, "<u8"), np.frombuffer(asked.embed_author_ids, "<u8")
    assert (authors.tolist(), embedded.tolist()) == ([5, 5], [6, 7])
    assert np.frombuffer(asked.embed_offsets, "<u4").tolist() == [0, 1, 2]
    assert np.frombuffer(asked.embed_ids, "<u8").tolist() == [1, 2]
