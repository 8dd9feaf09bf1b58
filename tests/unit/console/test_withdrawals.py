"""Withdrawals are followed without a gap, and told in words."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
import typer

from services.chassis.refusals import Kind, Refusal, precondition, unavailable
from services.console.halts import Of, scope_of, scope_words
from services.console.moments import read
from services.console.watching import Watching
from services.console.withdrawals import line_of, place_of, position_of, position_words
from sluice.consent.v1.halt_pb2 import HaltScope
from sluice.consent.v1.state_service_pb2 import WatchWithdrawalsResponse as Step
from sluice.consent.v1.withdrawal_pb2 import Withdrawal, WithdrawalCause
from sluice.type.v1.purpose_pb2 import Purpose
from sluice.type.v1.revision_pb2 import Revision

NOON = read("2026-01-31T12:00:00Z")
EVERY_PURPOSE = [Purpose.Name(number) for number in sorted(Purpose.values()) if number]


def at(number: int) -> Revision:
    return Revision(epoch=1, number=number)


def a_withdrawal(number: int) -> Step:
    return Step(withdrawal=Withdrawal(revision=at(number)))


def a_checkpoint(number: int) -> Step:
    return Step(checkpoint=at(number))


class Consent:
    """Gives one stream after the other: each some steps, then a refusal or an end."""

    def __init__(self, *streams: Sequence[Step | Refusal]) -> None:
        self.asked: list[int] = []
        self.told: list[Step] = []
        self.slept: list[float] = []
        self._streams = list(streams)

    @contextlib.asynccontextmanager
    async def follow(self, after: Revision) -> AsyncIterator[AsyncIterator[Step]]:
        self.asked.append(after.number)
        yield self._steps(self._streams.pop(0))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def watched(self, *, once: bool, after: int = 0) -> Watching[Revision, Step]:
        watching = Watching(at(after), self.told.append, place_of, once=once, sleep=self.sleep)
        await watching.run(self.follow)
        return watching

    async def _steps(self, stream: Sequence[Step | Refusal]) -> AsyncIterator[Step]:
        for step in stream:
            if isinstance(step, Refusal):
                raise step
            yield step


async def test_once_is_up_to_the_first_checkpoint() -> None:
    consent = Consent([a_withdrawal(3), a_checkpoint(5), a_withdrawal(7)])

    watching = await consent.watched(once=True)

    assert consent.told == [a_withdrawal(3), a_checkpoint(5)]
    assert position_words(watching.position) == "1:5"


async def test_a_stream_that_is_lost_is_taken_up_after_the_last_step() -> None:
    too_slow = Refusal(Kind.EXHAUSTED, "READER_TOO_SLOW", "too slow", retry_after_us=100_000)
    consent = Consent(
        [a_withdrawal(3), unavailable("PEER_UNAVAILABLE", "lost")],
        [a_withdrawal(4), a_checkpoint(6), too_slow],
        [a_withdrawal(8)],
        [precondition("CURSOR_OF_ANOTHER_EPOCH", "restored")],
    )

    with pytest.raises(Refusal, match="CURSOR_OF_ANOTHER_EPOCH"):
        await consent.watched(once=False)

    assert consent.asked == [0, 3, 6, 8]
    assert consent.told == [a_withdrawal(3), a_withdrawal(4), a_checkpoint(6), a_withdrawal(8)]
    assert consent.slept == [0.1, 0.1, 0.1]


def test_a_position_is_an_epoch_and_a_number() -> None:
    assert position_of("2:17") == Revision(epoch=2, number=17)
    assert position_of("") == Revision()


@pytest.mark.parametrize("text", ["17", "1:", ":1", "1:-1", "1:2:3", "a:b", "1:9223372036854775808"])
def test_what_is_no_position_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        position_of(text)


@pytest.mark.parametrize(
    ("withdrawal", "line"),
    [
        (
            Withdrawal(
                cause=WithdrawalCause.WITHDRAWAL_CAUSE_CHOICE,
                subject_id=2**63,
                licensee_id="acme",
                purposes=[Purpose.PURPOSE_AI_INPUT, Purpose.PURPOSE_AI_INDEX],
            ),
            "choice: subject 9223372036854775808, from acme, for ai_input ai_index",
        ),
        (
            Withdrawal(
                cause=WithdrawalCause.WITHDRAWAL_CAUSE_POST_WITHHELD,
                post_id=9,
                countries=["DE", "FR"],
                purposes=EVERY_PURPOSE,
            ),
            "post_withheld: post 9, for every purpose, in DE FR",
        ),
        (
            Withdrawal(
                cause=WithdrawalCause.WITHDRAWAL_CAUSE_HALT,
                halt=HaltScope(jurisdiction="US"),
                purposes=EVERY_PURPOSE,
            ),
            "halt: halt of jurisdiction US, for every purpose",
        ),
        (
            Withdrawal(
                cause=WithdrawalCause.WITHDRAWAL_CAUSE_POLICY, policy_version=3, purposes=EVERY_PURPOSE[:-1]
            ),
            "policy: policy version 3, for every purpose but vetted_research",
        ),
    ],
)
def test_a_withdrawal_is_one_line(withdrawal: Withdrawal, line: str) -> None:
    withdrawal.revision.CopyFrom(at(23))
    withdrawal.recorded_at.CopyFrom(NOON)

    assert line_of(withdrawal) == f"1:23  2026-01-31 12:00:00.000 UTC  {line}"


@pytest.mark.parametrize(
    ("of", "value", "scope", "words"),
    [
        (Of.EVERYTHING, None, HaltScope(everything=True), "everything"),
        (Of.PURPOSE, "ai_input", HaltScope(purpose=Purpose.PURPOSE_AI_INPUT), "purpose ai_input"),
        (Of.JURISDICTION, "US-CA", HaltScope(jurisdiction="US-CA"), "jurisdiction US-CA"),
        (Of.LICENSEE, "acme", HaltScope(licensee_id="acme"), "licensee acme"),
    ],
)
def test_a_halt_covers_what_it_says(of: Of, value: str | None, scope: HaltScope, words: str) -> None:
    assert scope_of(of, value) == scope
    assert scope_words(scope) == words
