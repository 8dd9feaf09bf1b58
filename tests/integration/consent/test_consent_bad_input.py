"""What a caller must not be able to do: each bad request is refused with its reason, and changes nothing."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Kind, Refusal
from sluice.consent.v1 import choice_pb2, halt_pb2, policy_pb2, state_change_pb2, subject_service_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.type.v1 import purpose_pb2
from tests.support.clock import NOON_US
from tests.support.consent_callers import (
    Consent,
    a_deny,
    a_policy,
    an_allow,
    choice_rows,
    state_rows,
    subject_rows,
    timestamp,
)

SECOND_US = 1_000_000


async def refusal_of(call: Any) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value.kind, refused.value.reason


async def head(consent: Consent) -> int:
    return (await consent.check()).revision.number


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        (a_deny(7, purpose=99), "INVALID_REQUEST"),
        (a_deny(7, purpose=purpose_pb2.PURPOSE_VETTED_RESEARCH), "PURPOSE_NOT_CHOOSABLE"),
        (an_allow(7, notice_digest=b""), "NOTICE_DIGEST_MISSING"),
        (an_allow(7, notice_digest=b"short"), "NOTICE_DIGEST_MISSING"),
        (a_deny(0), "INVALID_REQUEST"),
        (a_deny(7, stance=0), "INVALID_REQUEST"),
        (a_deny(7, licensee_id="Acme Inc."), "INVALID_REQUEST"),
        (a_deny(7, licensee_id="everyone"), "INVALID_REQUEST"),
        (a_deny(7, licensee_id="all"), "INVALID_REQUEST"),
        (choice_pb2.Choice(subject_id=7, stance=choice_pb2.STANCE_DENY), "INVALID_REQUEST"),
    ],
)
async def test_c1_a_choice_that_cannot_be_one_is_refused(
    consent: Consent, choice: choice_pb2.Choice, reason: str
) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7))

    refused = await refusal_of(consent.operator.write("RecordChoice", pb.RecordChoiceRequest(choice=choice)))

    assert refused == (Kind.INVALID, reason)
    assert await head(consent) == 1


async def test_c1_a_deny_with_a_broken_digest_is_taken(consent: Consent) -> None:
    await consent.put_in_force(7)

    await consent.choose(a_deny(7, notice_digest=b"short"))

    assert await consent.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c1_an_allow_of_someone_unknown_is_refused_and_a_deny_is_kept(consent: Consent) -> None:
    request = pb.RecordChoiceRequest(choice=an_allow(7))

    assert await refusal_of(consent.operator.write("RecordChoice", request)) == (
        Kind.NOT_FOUND, "SUBJECT_UNKNOWN",
    )  # fmt: skip
    await consent.choose(a_deny(7))
    await consent.put_in_force(7)
    assert await consent.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c1_of_choices_from_the_future_an_allow_is_refused_and_a_deny_is_of_now(
    consent: Consent,
) -> None:
    await consent.put_in_force(7, 8)
    future = timestamp(NOON_US + 60 * SECOND_US)

    (answer,) = await consent.pipeline.pages(
        "RecordChoices", choice_rows(an_allow(7, stated_at=future), a_deny(8, stated_at=future))
    )
    told = await consent.operator.call("GetChoices", pb.GetChoicesRequest(subject_id=8))

    assert [(row.line, row.reason) for row in answer.rejected] == [(1, "STATED_IN_THE_FUTURE")]
    assert [choice.choice.stated_at.ToMicroseconds() for choice in told.choices] == [NOON_US]
    assert await consent.reasons((7,), (8,)) == ["ALLOWED", "CHOICE_DENIES"]


async def test_c1_a_live_choice_is_of_now_whatever_time_it_claims(consent: Consent) -> None:
    recorded = await consent.choose(a_deny(7, stated_at=timestamp(NOON_US - 60 * SECOND_US)))

    assert recorded.stated_at.ToMicroseconds() == NOON_US


async def test_c1_an_imported_allow_needs_the_time_at_which_it_was_stated(consent: Consent) -> None:
    await consent.put_in_force(7)

    (answer,) = await consent.pipeline.pages("RecordChoices", choice_rows(an_allow(7)))

    assert [(row.line, row.reason) for row in answer.rejected] == [(1, "STATED_TIME_MISSING")]


async def test_c1_a_subject_names_so_many_licensees_and_no_more(consent: Consent) -> None:
    rows = [a_deny(7, licensee_id=f"licensee-{number}") for number in range(1, 130)]

    (answer,) = await consent.pipeline.pages("RecordChoices", choice_rows(*rows))

    assert (answer.accepted, [(row.line, row.reason) for row in answer.rejected]) == (
        128, [(129, "TOO_MANY_SCOPES")],
    )  # fmt: skip


WHOLE_POLICY: dict[str, Any] = {
    "text_digest": b"t" * 32,
    "rules": [policy_pb2.PolicyRule(jurisdiction="US", purpose="PURPOSE_AI_INPUT", regime="REGIME_OPT_IN")],
}


def two_regimes() -> policy_pb2.Policy:
    policy = a_policy(NOON_US)
    policy.rules.append(policy.rules[0])
    return policy


def with_rule(**fields: Any) -> policy_pb2.Policy:
    policy = a_policy(NOON_US)
    rule: dict[str, Any] = {"jurisdiction": "US", "purpose": 6, "regime": policy_pb2.REGIME_OPT_IN}
    policy.rules.append(policy_pb2.PolicyRule(**(rule | fields)))
    return policy


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (a_policy(NOON_US - 1), "POLICY_IN_THE_PAST"),
        (a_policy(NOON_US + 10 * 365 * 86_400 * SECOND_US), "POLICY_TOO_FAR_AHEAD"),
        (policy_pb2.Policy(**WHOLE_POLICY, effective_at=Timestamp(seconds=2**62)), "INVALID_REQUEST"),
        (policy_pb2.Policy(**WHOLE_POLICY, effective_at=Timestamp(seconds=-(2**62))), "INVALID_REQUEST"),
        (two_regimes(), "POLICY_RULES_OVERLAP"),
        (with_rule(purpose=purpose_pb2.PURPOSE_VETTED_RESEARCH), "PURPOSE_WITHOUT_REGIME"),
        (with_rule(purpose=99), "INVALID_REQUEST"),
        (with_rule(regime=0), "INVALID_REQUEST"),
        (with_rule(jurisdiction="usa"), "INVALID_REQUEST"),
        (policy_pb2.Policy(effective_at=timestamp(NOON_US), text_digest=b"t" * 32), "INVALID_REQUEST"),
    ],
)
async def test_c3_a_policy_that_contradicts_itself_or_changes_the_past_is_refused(
    consent: Consent, policy: policy_pb2.Policy, reason: str
) -> None:
    refused = await refusal_of(
        consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=policy))
    )

    assert refused == (Kind.INVALID, reason)
    assert await head(consent) == 0


async def test_c3_a_policy_begins_after_every_version_that_was_announced(consent: Consent) -> None:
    later = pb.PublishPolicyRequest(policy=a_policy(NOON_US + SECOND_US))
    await consent.operator.write("PublishPolicy", later)

    request = pb.PublishPolicyRequest(policy=a_policy(NOON_US))

    assert await refusal_of(consent.operator.write("PublishPolicy", request)) == (
        Kind.PRECONDITION, "POLICY_OUT_OF_ORDER",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (state_pb.OrderHaltRequest(cause="a test"), "INVALID_REQUEST"),
        (state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(everything=True)), "INVALID_REQUEST"),
        (
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(everything=True), cause=" \t\n "),
            "INVALID_REQUEST",
        ),
        (
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(everything=True), cause="ä" * 501),
            "INVALID_REQUEST",
        ),
        (
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(everything=True), cause="a test\f"),
            "INVALID_REQUEST",
        ),
        (
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(everything=False), cause="a test"),
            "INVALID_REQUEST",
        ),
        (
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(jurisdiction="usa"), cause="a test"),
            "INVALID_REQUEST",
        ),
        (
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(licensee_id="everyone"), cause="a test"),
            "INVALID_REQUEST",
        ),
        (state_pb.LiftHaltRequest(halt_id=0), "INVALID_REQUEST"),
    ],
)
async def test_c12_a_halt_that_names_nothing_is_refused(consent: Consent, request_: Any, reason: str) -> None:
    method = "OrderHalt" if isinstance(request_, state_pb.OrderHaltRequest) else "LiftHalt"

    assert await refusal_of(consent.operator.write(method, request_)) == (Kind.INVALID, reason)
    assert await head(consent) == 0


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("GetChoices", pb.GetChoicesRequest()),
        ("ListChoiceHistory", pb.ListChoiceHistoryRequest(subject_id=7, page_size=501)),
        ("ListChoiceHistory", pb.ListChoiceHistoryRequest(subject_id=7, page_token="!")),
        ("ListHalts", state_pb.ListHaltsRequest(page_token="MDE=")),
        ("EraseSubject", subject_service_pb2.EraseSubjectRequest(request_id="x", subject_id=7)),
    ],
)
async def test_a_request_that_breaks_its_contract_is_refused(
    consent: Consent, method: str, request_: Any
) -> None:
    kind, reason = await refusal_of(consent.operator.call(method, request_))

    assert kind is Kind.INVALID
    assert reason in {"INVALID_REQUEST", "PAGE_TOKEN_INVALID"}


def writes() -> list[tuple[str, Any, Any]]:
    """Method, a request, and another one."""
    everything = halt_pb2.HaltScope(everything=True)
    return [
        (
            "RecordChoice",
            pb.RecordChoiceRequest(choice=a_deny(7)),
            pb.RecordChoiceRequest(choice=a_deny(8)),
        ),
        (
            "RecordSignals",
            pb.RecordSignalsRequest(subject_id=7, source="browser", sec_gpc="1"),
            pb.RecordSignalsRequest(subject_id=7, source="browser", sec_gpc="0"),
        ),
        ("ImportSubjects", subject_rows(7), subject_rows(8)),
        (
            "PublishPolicy",
            pb.PublishPolicyRequest(policy=a_policy(NOON_US)),
            pb.PublishPolicyRequest(policy=a_policy(NOON_US + 1)),
        ),
        (
            "OrderHalt",
            state_pb.OrderHaltRequest(scope=everything, cause="a test"),
            state_pb.OrderHaltRequest(scope=everything, cause="another"),
        ),
        (
            "EraseSubject",
            subject_service_pb2.EraseSubjectRequest(subject_id=7),
            subject_service_pb2.EraseSubjectRequest(subject_id=8),
        ),
    ]


@pytest.mark.parametrize(("method", "request_", "other"), writes())
async def test_a_request_id_that_comes_again_with_other_content_is_refused(
    consent: Consent, method: str, request_: Any, other: Any
) -> None:
    named = type(request_)()
    named.CopyFrom(request_)
    first = await consent.operator.write(method, named)
    changed = type(other)()
    changed.CopyFrom(other)
    changed.request_id = named.request_id

    refused = await refusal_of(consent.operator.call(method, changed))
    again = await consent.operator.call(method, named)

    assert refused == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert again.revision == first.revision


async def test_a_page_of_states_under_an_id_that_another_page_had_is_refused(consent: Consent) -> None:
    change = state_change_pb2.StateChange(post_id=1, kind=state_change_pb2.STATE_CHANGE_KIND_DENY)
    page = consent.pipeline.named(state_rows(change))
    other = state_rows(change, change)
    other.request_id = page.request_id

    refused = await refusal_of(consent.pipeline.pages("RecordStates", page, other))

    assert refused == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize("request_id", ["", "7", "00000000-0000-4000-8000-000000000000"])
async def test_a_write_without_an_id_of_its_own_is_refused(consent: Consent, request_id: str) -> None:
    request = pb.RecordChoiceRequest(request_id=request_id, choice=a_deny(7))

    kind, reason = await refusal_of(consent.operator.call("RecordChoice", request))

    assert kind is Kind.INVALID
    assert reason in {"INVALID_REQUEST", "REQUEST_ID_MALFORMED"}
