"""The service as its callers meet it: real gRPC, a real database, in one process and across restarts."""

import base64
from pathlib import Path
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import reason_pb2, subject_pb2
from sluice.type.v1 import purpose_pb2
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent_callers import (
    Consent,
    a_check,
    a_deny,
    a_policy,
    choice_rows,
    running,
    subject_rows,
)

SECOND_US = 1_000_000
LARGE_ID = 2**53 + 1


async def test_an_opt_out_is_seen_by_the_next_check_and_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    posts = (LARGE_ID,), (8,), (8, LARGE_ID), (9,), (8, 0), (99,)
    async with running(tmp_path, clock) as consent:
        await consent.pipeline.write("ImportSubjects", subject_rows(LARGE_ID, 8, 9))
        await consent.pipeline.pages("RecordChoices", choice_rows(a_deny(9)))
        await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=a_policy(NOON_US)))
        before = await consent.reasons(*posts)
        author = consent.caller(PrincipalKind.SUBJECT, str(LARGE_ID))

        recorded = await author.write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(LARGE_ID)))
        after = await consent.check(*posts)

    async with running(tmp_path, clock) as restarted:
        again = await restarted.check(*posts)

    denied = ["CHOICE_DENIES", "CONTRIBUTOR_UNNAMED", "SUBJECT_UNKNOWN"]
    assert before == ["ALLOWED", "ALLOWED", "ALLOWED", *denied]
    assert list(after.reasons) == [8, 1, 8, 8, 14, 2]
    assert after.revision == recorded.revision
    assert after.policy_version == 1
    assert again == after


async def test_c9_an_answer_says_as_of_when_and_until_when(consent: Consent) -> None:
    recorded = await consent.operator.write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(7)))

    answer = await consent.check((7,))

    assert answer.checked_at.ToMicroseconds() == NOON_US
    assert answer.good_until.ToMicroseconds() == NOON_US + 30 * SECOND_US
    assert recorded.stated_at.ToMicroseconds() == NOON_US
    assert recorded.in_force_after.ToMicroseconds() == NOON_US + 32 * SECOND_US
    assert (answer.revision.epoch, answer.revision.number) == (1, 1)


async def test_c3_a_policy_takes_effect_on_time(consent: Consent) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7))
    soon = a_policy(NOON_US + SECOND_US)
    published = await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=soon))
    before = await consent.check((7,))

    consent.clock.advance(SECOND_US)
    after = await consent.check((7,))
    listed = await consent.licensing.call("ListPolicies", pb.ListPoliciesRequest())

    assert published.policy.version == 1
    assert published.in_force_after.ToMicroseconds() == NOON_US + 32 * SECOND_US
    assert (before.policy_version, list(before.reasons)) == (0, [reason_pb2.CONSENT_REASON_NO_POLICY])
    assert before.good_until.ToMicroseconds() == NOON_US + SECOND_US
    assert (after.policy_version, list(after.reasons)) == (1, [reason_pb2.CONSENT_REASON_ALLOWED])
    assert listed.policies[0].activation_revision == after.revision.number == 3
    assert listed.policies[0].activated_at.ToMicroseconds() == NOON_US + SECOND_US


async def test_c3_a_retracted_policy_is_told_as_such_and_its_number_is_not_given_again(
    consent: Consent,
) -> None:
    policy = a_policy(NOON_US + SECOND_US)
    await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=policy))

    retracted = await consent.operator.write("RetractPolicy", pb.RetractPolicyRequest(version=1))
    policy.retracted_at.FromMicroseconds(NOON_US)
    again = await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=policy))
    listed = await consent.licensing.call("ListPolicies", pb.ListPoliciesRequest())

    assert retracted.policy.retracted_at.ToMicroseconds() == NOON_US
    assert retracted.policy.retraction_revision == retracted.revision.number == 2
    assert (again.policy.version, again.policy.HasField("retracted_at")) == (2, False)
    assert list(listed.policies) == [again.policy, retracted.policy]


async def test_policies_are_listed_newest_first_page_by_page(consent: Consent) -> None:
    for second in range(3):
        policy = a_policy(NOON_US + second)
        await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=policy))

    first = await consent.pipeline.call("ListPolicies", pb.ListPoliciesRequest(page_size=2))
    rest = await consent.pipeline.call(
        "ListPolicies", pb.ListPoliciesRequest(page_size=2, page_token=first.next_page_token)
    )

    assert [policy.version for policy in first.policies] == [3, 2]
    assert [policy.version for policy in rest.policies] == [1]
    assert rest.next_page_token == ""


@pytest.mark.parametrize("token", [b"-9", b"9" * 30])
async def test_a_page_token_that_no_answer_gave_is_refused(consent: Consent, token: bytes) -> None:
    request = pb.ListPoliciesRequest(page_token=base64.urlsafe_b64encode(token).decode())

    with pytest.raises(Refusal) as refused:
        await consent.pipeline.call("ListPolicies", request)

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "PAGE_TOKEN_INVALID")


async def test_good_rows_go_in_and_bad_ones_are_listed_once_and_again(consent: Consent) -> None:
    bad_row = pb.ImportSubjectsRequest.Row(
        line=9, subject=subject_pb2.Subject(subject_id=8, jurisdiction="us")
    )
    request = subject_rows(7)
    request.rows.append(bad_row)

    first = await consent.pipeline.write("ImportSubjects", request)
    replayed = await consent.pipeline.write("ImportSubjects", request)
    request.request_id = ""
    again = await consent.pipeline.write("ImportSubjects", request)

    assert (first.accepted, first.unchanged) == (1, 0)
    assert [(row.line, row.reason) for row in first.rejected] == [(9, "JURISDICTION_INVALID")]
    assert replayed == first
    assert (again.accepted, again.unchanged, again.rejected) == (0, 1, first.rejected)


async def test_a_license_covers_the_jurisdictions_that_it_lists(consent: Consent) -> None:
    await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=a_policy(NOON_US)))
    await consent.pipeline.write("ImportSubjects", subject_rows(7, jurisdiction="US-CA"))
    await consent.pipeline.write("ImportSubjects", subject_rows(8, jurisdiction="DE"))

    reasons = await consent.reasons((7,), (8,), author_jurisdictions=["US"])
    none = await consent.reasons((7,), author_jurisdictions=[])

    assert reasons == ["ALLOWED", "JURISDICTION_NOT_LICENSED"]
    assert none == ["JURISDICTION_NOT_LICENSED"]


async def test_a_purpose_outside_the_table_releases_nothing(consent: Consent) -> None:
    assert await consent.reasons((7,), (0,), purpose=99) == ["NO_POLICY", "NO_POLICY"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"purpose": 0}, "PURPOSE_UNSPECIFIED"),
        ({"author_ids": b"\1" * 7}, "COLUMN_LENGTHS"),
        ({"embed_offsets": b""}, "COLUMN_LENGTHS"),
        ({"post_ids": bytes(8 * 10_001)}, "TOO_MANY_POSTS"),
        ({"licensee_id": "Acme Inc."}, "INVALID_REQUEST"),
    ],
)
async def test_a_check_that_does_not_fit_together_is_refused(
    consent: Consent, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.check((7,), **fields)

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, reason)


async def test_a_subject_chooses_for_themselves_alone(consent: Consent) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7, 8))
    author = consent.caller(PrincipalKind.SUBJECT, "7")

    await author.write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(7)))
    refusals = []
    for other in (8, 999):
        with pytest.raises(Refusal) as refused:
            await author.write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(other)))
        refusals.append((refused.value.kind, refused.value.reason, refused.value.message))

    # Somebody else's id looks exactly like one that is not there.
    assert refusals == [(Kind.NOT_FOUND, "SUBJECT_UNKNOWN", "there is no such subject")] * 2


@pytest.mark.parametrize(
    ("kind", "roles", "method", "request_"),
    [
        (PrincipalKind.PIPELINE, [], "CheckConsent", a_check((7,))),
        (PrincipalKind.LICENSEE, [], "RecordChoice", pb.RecordChoiceRequest(choice=a_deny(7))),
        (PrincipalKind.OPERATOR, ["finance"], "RecordChoice", pb.RecordChoiceRequest(choice=a_deny(7))),
        (PrincipalKind.SUBJECT, [], "ImportSubjects", subject_rows(7)),
        (PrincipalKind.PIPELINE, [], "PublishPolicy", pb.PublishPolicyRequest(policy=a_policy(NOON_US))),
    ],
)
async def test_who_is_not_admitted_is_refused(
    consent: Consent, kind: PrincipalKind, roles: list[str], method: str, request_: Any
) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.caller(kind, "7", roles).call(method, request_)

    assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")


async def test_a_request_id_with_other_content_is_refused(consent: Consent) -> None:
    request = pb.RecordChoiceRequest(choice=a_deny(7))
    await consent.operator.write("RecordChoice", request)
    request.choice.subject_id = 8

    with pytest.raises(Refusal) as refused:
        await consent.operator.write("RecordChoice", request)

    assert (refused.value.kind, refused.value.reason) == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_a_policy_with_two_regimes_for_one_question_is_refused(consent: Consent) -> None:
    policy = a_policy(NOON_US)
    policy.rules.append(policy.rules[0])

    with pytest.raises(Refusal) as refused:
        await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=policy))

    assert refused.value.reason == "POLICY_RULES_OVERLAP"


async def test_a_choice_about_vetted_research_is_refused(consent: Consent) -> None:
    choice = a_deny(7, everyone=True, purpose=purpose_pb2.PURPOSE_VETTED_RESEARCH)

    with pytest.raises(Refusal) as refused:
        await consent.operator.write("RecordChoice", pb.RecordChoiceRequest(choice=choice))

    assert refused.value.reason == "PURPOSE_NOT_CHOOSABLE"
