"""States, halts and the stream of withdrawals over gRPC (C4, C5, C12, W1)."""

from typing import Any

import pytest

from services.chassis.dialing import Stream
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.consent.v1 import halt_pb2, state_change_pb2, withdrawal_pb2
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.state_change_pb2 import StateChange, StateChangeKind
from sluice.type.v1 import purpose_pb2, revision_pb2
from tests.support.clock import NOON_US
from tests.support.consent import FIRST_EMBED
from tests.support.consent_callers import TRAINING, Consent, a_deny, an_allow, state_rows, timestamp

SECOND_US = 1_000_000
DELETE = state_change_pb2.STATE_CHANGE_KIND_DELETE
UNDELETE = state_change_pb2.STATE_CHANGE_KIND_UNDELETE
SUSPEND = state_change_pb2.STATE_CHANGE_KIND_SUSPEND
UNSUSPEND = state_change_pb2.STATE_CHANGE_KIND_UNSUSPEND
WITHHELD = state_change_pb2.STATE_CHANGE_KIND_WITHHELD
DENY = state_change_pb2.STATE_CHANGE_KIND_DENY
EVERYTHING = halt_pb2.HaltScope(everything=True)


def of_subject(
    kind: "state_change_pb2.StateChangeKind", at_us: int | None = None, **fields: Any
) -> StateChange:
    when = {} if at_us is None else {"occurred_at": timestamp(at_us)}
    return StateChange(**({"subject_id": 7, "kind": kind} | when | fields))


def of_post(kind: "StateChangeKind", post_id: int, **fields: Any) -> StateChange:
    return StateChange(post_id=post_id, kind=kind, **fields)


async def record(consent: Consent, *changes: StateChange) -> pb.RecordStatesResponse:
    (answer,) = await consent.pipeline.pages("RecordStates", state_rows(*changes))
    assert isinstance(answer, pb.RecordStatesResponse)
    return answer


async def test_c4_states_hold_from_their_acknowledgement(consent: Consent) -> None:
    await consent.put_in_force(7, 8)
    consent.clock.advance(SECOND_US)

    suspended = await record(consent, of_subject(SUSPEND))
    denied = await consent.reasons((7,), (8,), (8, 7))
    consent.clock.advance(1)
    await record(consent, of_subject(UNSUSPEND))

    assert (suspended.accepted, suspended.unchanged, list(suspended.rejected)) == (1, 0, [])
    assert suspended.in_force_after.ToMicroseconds() == NOON_US + 33 * SECOND_US
    assert denied == ["SUBJECT_SUSPENDED", "ALLOWED", "SUBJECT_SUSPENDED"]
    assert await consent.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]


async def test_c5_posts_are_denied_deleted_and_withheld_on_their_own(consent: Consent) -> None:
    await consent.put_in_force(7)

    await record(
        consent, of_post(DENY, 1), of_post(DELETE, 2), of_post(WITHHELD, FIRST_EMBED, countries=["DE", "FR"])
    )

    posts = (7,), (7,), (7, 7), (7,)
    assert await consent.reasons(*posts) == ["POST_DENIED", "POST_DELETED", "WITHHELD", "ALLOWED"]
    assert await consent.reasons(*posts, territory=["US", "FR-75"]) == [
        "POST_DENIED", "POST_DELETED", "WITHHELD", "ALLOWED",
    ]  # fmt: skip
    assert await consent.reasons(*posts, territory=["US"]) == [
        "POST_DENIED", "POST_DELETED", "ALLOWED", "ALLOWED",
    ]  # fmt: skip


async def test_c4_changes_that_come_late_and_again_change_nothing(consent: Consent) -> None:
    await consent.put_in_force(7)
    consent.clock.advance(100)
    late = of_subject(UNDELETE, NOON_US + 40)
    latest = of_subject(DELETE, NOON_US + 50)

    first = await record(consent, latest, late)
    again = await record(consent, late, latest)

    assert (first.accepted, first.unchanged) == (1, 1)
    assert (again.accepted, again.unchanged) == (0, 2)
    assert again.revision == first.revision
    assert await consent.reasons((7,)) == ["SUBJECT_DELETED"]


async def test_good_changes_go_in_and_bad_ones_are_listed_by_line_and_reason(consent: Consent) -> None:
    await consent.put_in_force(7)

    answer = await record(
        consent,
        of_subject(DENY),
        of_post(SUSPEND, 1),
        of_subject(UNDELETE, NOON_US + SECOND_US),
        of_subject(DELETE, NOON_US + SECOND_US),
        of_subject(WITHHELD, countries=["germany"]),
        StateChange(kind=DELETE),
        of_subject(state_change_pb2.STATE_CHANGE_KIND_NOTICE_SERVED),
        of_subject(UNSUSPEND, subject_id=999),
    )

    assert answer.accepted == 2
    assert [(row.line, row.reason) for row in answer.rejected] == [
        (1, "CHANGE_NOT_OF_SUBJECT"),
        (2, "CHANGE_NOT_OF_POST"),
        (3, "OCCURRED_IN_THE_FUTURE"),
        (5, "COUNTRY_INVALID"),
        (6, "TARGET_MISSING"),
        (7, "NOTICE_DIGEST_INVALID"),
    ]
    assert await consent.reasons((7,), (999,)) == ["SUBJECT_DELETED", "SUBJECT_UNKNOWN"]


@pytest.mark.parametrize(
    ("scope", "halted"),
    [
        (EVERYTHING, ["HALTED", "HALTED"]),
        (halt_pb2.HaltScope(purpose=purpose_pb2.PURPOSE_THIRD_PARTY_SHARING), ["HALTED", "HALTED"]),
        (halt_pb2.HaltScope(purpose=purpose_pb2.PURPOSE_SEARCH_INDEX), ["ALLOWED", "SUBJECT_UNKNOWN"]),
        (halt_pb2.HaltScope(licensee_id="acme"), ["HALTED", "HALTED"]),
        (halt_pb2.HaltScope(licensee_id="other"), ["ALLOWED", "SUBJECT_UNKNOWN"]),
        (halt_pb2.HaltScope(jurisdiction="US"), ["HALTED", "SUBJECT_UNKNOWN"]),
    ],
)
async def test_c12_a_halt_holds_from_its_acknowledgement_until_it_is_lifted(
    consent: Consent, scope: halt_pb2.HaltScope, halted: list[str]
) -> None:
    await consent.put_in_force(7)
    order = pb.OrderHaltRequest(scope=scope, cause="a leak")

    ordered = await consent.operator.write("OrderHalt", order)
    during = await consent.reasons((7,), (99,))
    lifted = await consent.operator.write("LiftHalt", pb.LiftHaltRequest(halt_id=ordered.halt.halt_id))

    assert during == halted
    assert (ordered.halt.scope, ordered.halt.cause, ordered.halt.ordered_by) == (
        scope,
        "a leak",
        "operator:ada",
    )
    assert ordered.halt.halt_id == ordered.revision.number
    assert ordered.in_force_after.ToMicroseconds() == NOON_US + 32 * SECOND_US
    assert not ordered.halt.HasField("lifted_at")
    assert (lifted.halt.lifted_by, lifted.halt.lifted_at.ToMicroseconds()) == ("operator:ada", NOON_US)
    assert await consent.reasons((7,), (99,)) == ["ALLOWED", "SUBJECT_UNKNOWN"]


async def test_c12_halts_are_listed_newest_first_page_by_page(consent: Consent) -> None:
    for licensee in ("acme", "other", "third"):
        scope = halt_pb2.HaltScope(licensee_id=licensee)
        await consent.operator.write("OrderHalt", pb.OrderHaltRequest(scope=scope, cause="a test"))
    await consent.operator.write("LiftHalt", pb.LiftHaltRequest(halt_id=2))

    first = await consent.operator.call("ListHalts", pb.ListHaltsRequest(page_size=2))
    rest = await consent.operator.call(
        "ListHalts", pb.ListHaltsRequest(page_size=2, page_token=first.next_page_token)
    )
    in_force = await consent.operator.call("ListHalts", pb.ListHaltsRequest(in_force_only=True))

    assert [halt.scope.licensee_id for halt in (*first.halts, *rest.halts)] == ["third", "other", "acme"]
    assert rest.next_page_token == ""
    assert [halt.halt_id for halt in in_force.halts] == [3, 1]


async def test_c12_a_halt_is_lifted_once(consent: Consent) -> None:
    ordered = await consent.operator.write("OrderHalt", pb.OrderHaltRequest(scope=EVERYTHING, cause="a test"))
    request = pb.LiftHaltRequest(halt_id=ordered.halt.halt_id)
    lifted = await consent.operator.write("LiftHalt", request)

    replayed = await consent.operator.write("LiftHalt", request)
    request.request_id = ""
    with pytest.raises(Refusal) as again:
        await consent.operator.write("LiftHalt", request)
    with pytest.raises(Refusal) as unknown:
        await consent.operator.write("LiftHalt", pb.LiftHaltRequest(halt_id=99))

    assert replayed == lifted
    assert (again.value.kind, again.value.reason) == (Kind.PRECONDITION, "HALT_ENDED")
    assert (unknown.value.kind, unknown.value.reason) == (Kind.NOT_FOUND, "HALT_UNKNOWN")


@pytest.mark.parametrize(
    ("kind", "roles", "method", "request_"),
    [
        (PrincipalKind.OPERATOR, ["finance"], "OrderHalt", pb.OrderHaltRequest(scope=EVERYTHING, cause="x")),
        (PrincipalKind.PIPELINE, [], "OrderHalt", pb.OrderHaltRequest(scope=EVERYTHING, cause="x")),
        (PrincipalKind.SUBJECT, [], "ListHalts", pb.ListHaltsRequest()),
        (PrincipalKind.LICENSEE, [], "ListHalts", pb.ListHaltsRequest()),
    ],
)
async def test_c12_only_some_operators_halt(
    consent: Consent, kind: PrincipalKind, roles: list[str], method: str, request_: Any
) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.caller(kind, "7", roles).call(method, request_)

    assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")


def watching(consent: Consent, epoch: int = 0, number: int = 0) -> Any:
    after = revision_pb2.Revision(epoch=epoch, number=number)
    return consent.licensing.following("WatchWithdrawals", pb.WatchWithdrawalsRequest(after=after))


async def until_checkpoint(stream: Stream[Any, Any], at_least: int) -> list[int]:
    """The numbers of the withdrawals before the first checkpoint that is as far as that."""
    numbers: list[int] = []
    while True:
        step = await stream.receive()
        if step.HasField("withdrawal"):
            numbers.append(step.withdrawal.revision.number)
            continue
        assert all(number <= step.checkpoint.number for number in numbers)
        if step.checkpoint.number >= at_least:
            return numbers


async def test_w1_withdrawals_are_told_with_what_they_match(consent: Consent) -> None:
    await consent.put_in_force(7)
    await consent.check((7,))
    await consent.choose(a_deny(7, licensee_id="acme", purpose=TRAINING))
    await consent.choose(an_allow(7))
    await record(consent, of_subject(WITHHELD, countries=["FR", "DE"]), of_post(DELETE, 9))
    halt = pb.OrderHaltRequest(scope=halt_pb2.HaltScope(licensee_id="acme"), cause="a leak", recall=True)
    await consent.operator.write("OrderHalt", halt)

    async with watching(consent) as stream:
        told = [(await stream.receive()).withdrawal for _ in range(5)]

    policy, choice, withheld, deleted, halted = told
    assert [(each.revision.epoch, each.revision.number) for each in told] == [
        (1, 3), (1, 4), (1, 6), (1, 7), (1, 8),
    ]  # fmt: skip
    assert (policy.cause, policy.policy_version) == (withdrawal_pb2.WITHDRAWAL_CAUSE_POLICY, 1)
    assert (choice.subject_id, choice.licensee_id, list(choice.purposes)) == (7, "acme", [TRAINING])
    assert (withheld.subject_id, list(withheld.countries)) == (7, ["DE", "FR"])
    assert (deleted.post_id, deleted.subject_id, list(deleted.purposes)) == (9, 0, [*range(1, 9)])
    assert halted.halt == halt_pb2.HaltScope(licensee_id="acme")
    assert choice.recorded_at.ToMicroseconds() == NOON_US


async def test_w1_a_checkpoint_comes_after_the_withdrawals_up_to_it(consent: Consent) -> None:
    async with watching(consent) as stream:
        assert await until_checkpoint(stream, 0) == []
        await consent.choose(a_deny(7))
        await consent.choose(a_deny(8))
        assert await until_checkpoint(stream, 2) == [1, 2]
        await consent.put_in_force()
        await consent.choose(a_deny(9))
        assert await until_checkpoint(stream, 4) == [4]


async def test_w1_whoever_was_cut_off_goes_on_from_where_they_were(consent: Consent) -> None:
    for who in range(1, 7):
        await consent.choose(a_deny(who))
    async with watching(consent) as stream:
        kept = [(await stream.receive()).withdrawal.revision.number for _ in range(2)]

    async with watching(consent, 1, kept[-1]) as stream:
        rest = await until_checkpoint(stream, 6)

    assert kept + rest == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("epoch", "number", "reason"), [(2, 1, "CURSOR_OF_ANOTHER_EPOCH"), (1, 2, "CURSOR_AHEAD")]
)
async def test_r5_a_position_that_is_not_on_record_is_refused(
    consent: Consent, epoch: int, number: int, reason: str
) -> None:
    await consent.choose(a_deny(7))

    with pytest.raises(Refusal) as refused:
        async with watching(consent, epoch, number) as stream:
            await stream.receive()

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, reason)


async def test_w1_a_position_at_the_head_is_good(consent: Consent) -> None:
    await consent.choose(a_deny(7))

    async with watching(consent, 1, 1) as stream:
        step = await stream.receive()

    assert step.checkpoint == revision_pb2.Revision(epoch=1, number=1)


@pytest.mark.parametrize("kind", [PrincipalKind.LICENSEE, PrincipalKind.SUBJECT, PrincipalKind.PIPELINE])
async def test_w1_no_licensee_is_told_who_withdrew(consent: Consent, kind: PrincipalKind) -> None:
    caller = consent.caller(kind, "acme")

    with pytest.raises(Refusal) as refused:
        async with caller.following("WatchWithdrawals", pb.WatchWithdrawalsRequest()) as stream:
            await stream.receive()

    assert refused.value.reason == "NOT_ADMITTED"


async def test_w1_who_follows_is_let_go_when_consent_is_told_to_stop(consent: Consent) -> None:
    await consent.choose(a_deny(7))

    async with watching(consent) as stream:
        await until_checkpoint(stream, 1)
        await consent.drain()
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            # Checkpoints that were sent before are still read.
            await until_checkpoint(stream, 2)
