"""Tokens for an API key: renewed before they expire, by a clock of our own, never shown once they have."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import pytest

from sluice.licensing.v1.token_service_pb2 import GetTokenResponse
from sluice_gate import AnswerInvalid, ApiKeyTokens, CallRefused, exchanging
from tests.support.gate import Failure, FakeReleases, GateClock, licensing
from tests.support.release_jobs import a_request
from tests.support.waiting import PATIENCE_SECONDS

SECOND_US = 1_000_000
LIFETIME_US = 300 * SECOND_US


@dataclass
class Desk:
    """Where tokens come from: they are numbered, and valid for five minutes."""

    clock: GateClock
    lifetime_us: int = LIFETIME_US
    takes_us: int = 0
    refusals: list[CallRefused] = field(default_factory=list)
    given: int = 0
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self) -> GetTokenResponse:
        try:
            self.clock.advance(self.takes_us)
            if self.refusals:
                raise self.refusals.pop(0)
            self.given += 1
            response = GetTokenResponse(token=f"token-{self.given}")
            response.valid_for.FromMicroseconds(self.lifetime_us)
            return response
        finally:
            self.asked.release()

    def was_asked(self) -> None:
        """Returns when one more call has come."""
        assert self.asked.acquire(timeout=PATIENCE_SECONDS)


def a_refusal(reason: str = "PEER_UNAVAILABLE", *, passing: bool = True) -> CallRefused:
    return CallRefused(reason, "no", passing=passing)


@pytest.fixture
def desk() -> Desk:
    return Desk(GateClock())


def the_next(tokens: Callable[[], str], after: str) -> str:
    """The first token that is another one; a renewal goes on beside the caller."""
    for _ in range(10_000_000):
        if (token := tokens()) != after:
            return token
    raise AssertionError("no other token came")


def test_a_token_is_shown_again_until_half_of_its_life_is_over(desk: Desk) -> None:
    tokens = ApiKeyTokens(desk, desk.clock)

    shown = [tokens()]
    desk.clock.advance(LIFETIME_US // 2 - 1)
    shown.append(tokens())

    assert shown == ["token-1", "token-1"]
    assert desk.given == 1


def test_from_then_on_the_old_one_is_shown_while_another_is_got(desk: Desk) -> None:
    tokens = ApiKeyTokens(desk, desk.clock)
    desk.clock.advance(LIFETIME_US // 2)

    assert tokens() == "token-1"
    assert the_next(tokens, "token-1") == "token-2"
    assert desk.given == 2


def test_an_outage_is_outlived_by_the_token_that_is_there(desk: Desk) -> None:
    tokens = ApiKeyTokens(desk, desk.clock)
    desk.was_asked()
    desk.refusals.append(a_refusal())
    desk.clock.advance(LIFETIME_US // 2)

    assert tokens() == "token-1"
    desk.was_asked()
    desk.clock.advance(LIFETIME_US // 4)

    assert the_next(tokens, "token-1") == "token-2"


def test_when_there_is_no_valid_token_the_caller_hears_why(desk: Desk) -> None:
    tokens = ApiKeyTokens(desk, desk.clock)
    desk.clock.advance(LIFETIME_US)
    desk.refusals.append(a_refusal("API_KEY_INVALID", passing=False))

    with pytest.raises(CallRefused) as refused:
        tokens()

    assert (refused.value.reason, refused.value.passing) == ("API_KEY_INVALID", False)
    assert tokens() == "token-2"


def test_validity_counts_from_when_the_request_was_sent(desk: Desk) -> None:
    desk.takes_us = 10 * SECOND_US
    tokens = ApiKeyTokens(desk, desk.clock)
    desk.clock.advance(LIFETIME_US - 10 * SECOND_US)

    assert tokens() == "token-2"


@pytest.mark.parametrize("lifetime_us", [0, -1])
def test_a_token_that_is_over_when_it_comes_is_not_used(lifetime_us: int) -> None:
    clock = GateClock()

    with pytest.raises(AnswerInvalid, match="TOKEN_NOT_VALID"):
        ApiKeyTokens(Desk(clock, lifetime_us), clock)


def test_a_token_that_was_not_believed_is_exchanged_once_however_many_callers_had_it(desk: Desk) -> None:
    tokens = ApiKeyTokens(desk, desk.clock)

    shown = [tokens.renewed("token-1") for _ in range(3)]

    assert shown == ["token-2"] * 3
    assert (tokens(), desk.given) == ("token-2", 2)


async def test_a_call_whose_token_is_not_believed_is_sent_again_with_another(desk: Desk) -> None:
    fake = FakeReleases(failures=[Failure(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")])

    async with licensing(fake, ApiKeyTokens(desk, desk.clock)) as client:
        decision = await client.decide(a_request(1))

    assert decision.receipt
    assert [headers["authorization"] for headers in fake.headers] == ["Bearer token-1", "Bearer token-2"]


async def test_a_call_is_sent_again_once_and_then_its_refusal_is_told(desk: Desk) -> None:
    refusing = [Failure(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID") for _ in range(3)]
    fake = FakeReleases(failures=refusing)

    async with licensing(fake, ApiKeyTokens(desk, desk.clock)) as client:
        with pytest.raises(CallRefused) as refused:
            await client.confirm("decision", b"")

    assert (refused.value.reason, refused.value.passing, len(fake.headers)) == ("TOKEN_INVALID", False, 2)


async def test_a_key_that_was_revoked_meanwhile_is_what_the_caller_hears_of(desk: Desk) -> None:
    fake = FakeReleases(failures=[Failure(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")])
    tokens = ApiKeyTokens(desk, desk.clock)
    desk.refusals.append(a_refusal("API_KEY_INVALID", passing=False))

    async with licensing(fake, tokens) as client:
        with pytest.raises(CallRefused, match="API_KEY_INVALID"):
            await client.decide(a_request(1))


async def test_a_token_that_comes_from_elsewhere_is_sent_once() -> None:
    fake = FakeReleases(failures=[Failure(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")])

    async with licensing(fake) as client:
        with pytest.raises(CallRefused, match="TOKEN_EXPIRED"):
            await client.decide(a_request(1))

    assert len(fake.headers) == 1


def test_a_key_goes_unencrypted_to_this_machine_alone_unless_that_is_said() -> None:
    with pytest.raises(CallRefused) as refused:
        exchanging("licensing.example:7603", lambda: "sluice_live_x")

    assert (refused.value.reason, refused.value.passing) == ("PLAINTEXT", False)
    exchanging("127.0.0.1:7603", lambda: "sluice_live_x")
    exchanging("licensing.example:7603", lambda: "sluice_live_x", insecure=True)
    exchanging("licensing.example:7603", lambda: "sluice_live_x", grpc.ssl_channel_credentials())


def test_where_nobody_answers_that_is_said() -> None:
    with pytest.raises(CallRefused) as refused:
        ApiKeyTokens(exchanging("127.0.0.1:1", lambda: "sluice_live_x"))

    assert refused.value.passing
