"""What follows for a subject, over gRPC and on both engines: as CheckConsent says, and why."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import halt_pb2, policy_pb2, subject_pb2
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.consent.v1 import subject_service_pb2 as subject_service
from sluice.consent.v1.standing_pb2 import GetStandingRequest, GetStandingResponse, PurposeStanding
from sluice.type.v1 import purpose_pb2
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import consent_database, consent_database_at
from tests.support.consent_callers import (
    TRAINING,
    Consent,
    a_check,
    a_deny,
    a_policy,
    an_allow,
    reason_name,
    running,
    subject_rows,
)
from tests.support.engines import ENGINES, url_on

SHARING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING
CHOOSABLE = [number for number in purpose_pb2.Purpose.values() if 0 < number < 8]
NOBODY = "nobody-names-them"


@pytest_asyncio.fixture(params=ENGINES)
async def consent(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Consent]:
    """With nothing on record, at noon, on each engine."""
    database = consent_database_at(url_on(request.param, request, tmp_path, consent_database_at))
    async with running(tmp_path, ManualClock(), database) as service:
        yield service


async def standing(consent: Consent, *licensees: str, subject_id: int = 7) -> GetStandingResponse:
    """What the subject is told, once every part of it is what a check says."""
    request = GetStandingRequest(subject_id=subject_id, licensee_ids=licensees)
    response = await consent.subject(subject_id).call("GetStanding", request)
    assert isinstance(response, GetStandingResponse)
    told = {NOBODY: response.anyone} | {each.licensee_id: each.purposes for each in response.licensees}
    for licensee, by_purpose in told.items():
        assert [each.purpose for each in by_purpose] == CHOOSABLE
        for each in by_purpose:
            check = a_check((subject_id,), licensee_id=licensee, purpose=each.purpose)
            checked = await consent.licensing.call("CheckConsent", check)
            assert (each.reason, response.policy_version, response.revision) == (
                checked.reasons[0], checked.policy_version, checked.revision,
            )  # fmt: skip
    return response


def of(told: GetStandingResponse, licensee: str = NOBODY, purpose: int = TRAINING) -> PurposeStanding:
    """Of whoever is not listed, what follows for anyone."""
    named = {each.licensee_id: each.purposes for each in told.licensees}
    return next(each for each in named.get(licensee, told.anyone) if each.purpose == purpose)


def said(each: PurposeStanding) -> tuple[Any, ...]:
    """Reason, whether a choice decided, the record, and the needed purpose that denies."""
    return reason_name(each.reason), each.by_choice, each.record_revision, each.denied_by_purpose


async def halt(consent: Consent, **scope: Any) -> int:
    """The id of a new halt."""
    order = state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(**scope), cause="a leak")
    halted = await consent.operator.write("OrderHalt", order)
    number: int = halted.halt.halt_id
    return number


async def test_c2_opted_out_of_all_and_one_licensee_allowed_since(consent: Consent) -> None:
    await consent.put_in_force(7)
    denied = await consent.choose(a_deny(7))
    opted_out = await standing(consent)
    allowed = await consent.choose(an_allow(7, licensee_id="acme"))

    told = await standing(consent, "third")

    assert list(opted_out.licensees) == []
    assert said(of(opted_out)) == ("CHOICE_DENIES", True, denied.revision.number, 0)
    assert [each.licensee_id for each in told.licensees] == ["acme", "third"]
    assert said(of(told, "acme")) == ("ALLOWED", True, allowed.revision.number, 0)
    assert said(of(told, "third")) == said(of(told)) == said(of(opted_out))
    assert of(told).regime == policy_pb2.REGIME_OPT_OUT
    assert told.as_of.ToMicroseconds() == NOON_US


async def test_c7_gpc_denies_training_by_need_until_an_allow_names_training(consent: Consent) -> None:
    await consent.put_in_force(7)
    sent = pb.RecordSignalsRequest(subject_id=7, source="browser", sec_gpc="1")
    gpc = (await consent.subject(7).write("RecordSignals", sent)).recorded[0].revision
    objected = await standing(consent)
    allowed = await consent.choose(an_allow(7, licensee_id="acme", purpose=TRAINING))

    told = await standing(consent)

    assert said(of(objected)) == ("CHOICE_DENIES", True, gpc, SHARING)
    assert said(of(objected, purpose=SHARING)) == ("CHOICE_DENIES", True, gpc, 0)
    assert said(of(told, "acme")) == ("ALLOWED", True, allowed.revision.number, 0)
    assert said(of(told, "acme", SHARING)) == ("CHOICE_DENIES", True, gpc, 0)
    assert said(of(told)) == ("CHOICE_DENIES", True, gpc, SHARING)


async def test_c3_what_is_prohibited_no_allow_allows(consent: Consent) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7))
    await consent.choose(an_allow(7))
    policy = a_policy(NOON_US, policy_pb2.REGIME_PROHIBITED)
    await consent.operator.write("PublishPolicy", pb.PublishPolicyRequest(policy=policy))

    told = await standing(consent)
    listed = await consent.operator.call("ListPolicies", pb.ListPoliciesRequest())

    assert said(of(told)) == ("PROHIBITED", False, listed.policies[0].activation_revision, 0)
    assert of(told).regime == policy_pb2.REGIME_PROHIBITED
    # The policy says nothing of data mining: nothing goes.
    mining = of(told, purpose=purpose_pb2.PURPOSE_DATA_MINING)
    assert (said(mining), mining.regime) == (("NO_POLICY", False, 0, 0), policy_pb2.REGIME_UNSPECIFIED)


async def test_c3_who_asks_is_told_by_the_policy_that_is_due(consent: Consent) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7))
    soon = pb.PublishPolicyRequest(policy=a_policy(NOON_US + 1))
    await consent.operator.write("PublishPolicy", soon)
    request = GetStandingRequest(subject_id=7)

    before = await consent.subject(7).call("GetStanding", request)
    consent.clock.advance(1)
    after = await consent.subject(7).call("GetStanding", request)

    assert (before.policy_version, said(of(before))) == (0, ("NO_POLICY", False, 0, 0))
    assert (after.policy_version, said(of(after))) == (1, ("ALLOWED", False, 3, 0))
    assert after.as_of.ToMicroseconds() == NOON_US + 1


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"notice_digests": []}, "NOTICE_NOT_SERVED"),
        ({"states": [subject_pb2.SUBJECT_STATE_MINOR]}, "SUBJECT_MINOR"),
        ({"withheld_countries": ["DE"]}, "WITHHELD"),
        ({"jurisdiction": "JP"}, "NOT_OPTED_IN"),
    ],
)
async def test_c3_c4_c5_who_never_chose_is_told_what_is_known_of_them(
    consent: Consent, facts: dict[str, Any], reason: str
) -> None:
    described = await consent.pipeline.write("ImportSubjects", subject_rows(7, **facts))
    await consent.put_in_force()

    told = of(await standing(consent))

    # Who did not opt in is denied by the policy, whose activation is the third record.
    record = 3 if reason == "NOT_OPTED_IN" else described.revision.number
    assert said(told) == (reason, False, record, 0)


async def test_c12_halts_of_each_kind_are_told_with_their_ids(consent: Consent) -> None:
    await consent.put_in_force(7)
    of_acme = await halt(consent, licensee_id="acme")
    acme = await standing(consent)
    of_sharing = await halt(consent, purpose=SHARING)
    sharing = await standing(consent)
    of_us = await halt(consent, jurisdiction="US")
    us = await standing(consent)
    of_all = await halt(consent, everything=True)
    everything = await standing(consent)

    assert said(of(acme, "acme")) == ("HALTED", False, of_acme, 0)
    # By the policy, which took effect when somebody asked first.
    assert said(of(acme)) == ("ALLOWED", False, of_acme + 1, 0)
    assert said(of(sharing)) == ("HALTED", False, of_sharing, SHARING)
    assert said(of(sharing, purpose=SHARING)) == ("HALTED", False, of_sharing, 0)
    # What stops it for all comes before what stops a jurisdiction.
    assert said(of(us)) == ("HALTED", False, of_sharing, SHARING)
    assert said(of(everything)) == ("HALTED", False, of_all, 0)
    await consent.operator.write("LiftHalt", state_pb.LiftHaltRequest(halt_id=of_all))
    await consent.operator.write("LiftHalt", state_pb.LiftHaltRequest(halt_id=of_sharing))
    assert said(of(await standing(consent))) == ("HALTED", False, of_us, 0)


async def test_c11_whoever_is_unknown_or_erased_is_answered_for(consent: Consent) -> None:
    await consent.put_in_force(7)
    await consent.choose(an_allow(7, licensee_id="acme"))
    await consent.choose(a_deny(9, licensee_id="acme"))
    erase = subject_service.EraseSubjectRequest(subject_id=7)
    await consent.operator.write("EraseSubject", erase)

    erased, unknown, before = [await standing(consent, subject_id=who) for who in (7, 8, 9)]

    assert [each.licensee_id for each in (*erased.licensees, *unknown.licensees)] == []
    assert [each.licensee_id for each in before.licensees] == ["acme"]
    for told in (erased, unknown, before):
        assert {said(each) for each in told.anyone} == {("SUBJECT_UNKNOWN", False, 0, 0)}
        assert {each.regime for each in told.anyone} == {policy_pb2.REGIME_UNSPECIFIED}


async def test_a_subject_asks_for_their_own_an_agent_for_theirs_and_operators_for_anybodys(
    consent: Consent,
) -> None:
    await consent.put_in_force(7, 8)
    request = GetStandingRequest(subject_id=7)

    told = [await who.call("GetStanding", request) for who in (consent.agent("helper", 7), consent.operator)]
    refusals = []
    for caller in (consent.subject(8), consent.agent("7", 8)):
        with pytest.raises(Refusal) as refused:
            await caller.call("GetStanding", request)
        refusals.append((refused.value.kind, refused.value.reason))
    for kind, roles in ((PrincipalKind.OPERATOR, ["finance"]), (PrincipalKind.LICENSEE, [])):
        with pytest.raises(Refusal) as refused:
            await consent.caller(kind, "7", roles).call("GetStanding", request)
        refusals.append((refused.value.kind, refused.value.reason))

    assert told[0] == told[1] == await standing(consent)
    assert refusals == [
        (Kind.NOT_FOUND, "SUBJECT_UNKNOWN"),
        (Kind.NOT_FOUND, "SUBJECT_UNKNOWN"),
        (Kind.FORBIDDEN, "NOT_ADMITTED"),
        (Kind.FORBIDDEN, "NOT_ADMITTED"),
    ]


@pytest.mark.parametrize(
    "request_",
    [
        GetStandingRequest(),
        GetStandingRequest(subject_id=7, licensee_ids=["everyone"]),
        GetStandingRequest(subject_id=7, licensee_ids=["Acme"]),
        GetStandingRequest(subject_id=7, licensee_ids=["acme", "acme"]),
        GetStandingRequest(subject_id=7, licensee_ids=[f"licensee-{n}" for n in range(501)]),
    ],
)
async def test_what_is_no_list_of_licensees_is_refused(
    consent: Consent, request_: GetStandingRequest
) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.operator.call("GetStanding", request_)

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "INVALID_REQUEST")


async def test_c10_what_cannot_be_read_is_not_told(tmp_path: Path) -> None:
    database = consent_database(tmp_path)
    async with running(tmp_path, ManualClock(), database) as consent:
        await consent.put_in_force(7)
        told = await standing(consent)
        await database.close()

        with pytest.raises(Refusal) as refused:
            await consent.subject(7).call("GetStanding", GetStandingRequest(subject_id=7))

    assert reason_name(of(told).reason) == "ALLOWED"
    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "DATABASE_CLOSED")
