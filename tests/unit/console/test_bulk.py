"""One choice for many: the requests that it comes to, and what became of each."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Kind, Refusal, not_found, unavailable
from services.console.settings_page.bulk import SIDE_BY_SIDE, Bulk, record_all
from services.console.settings_page.switches import TRAINING
from sluice.consent.v1.choice_pb2 import STANCE_ALLOW, STANCE_DENY
from sluice.consent.v1.consent_service_pb2 import RecordChoiceRequest

FORM = "0199c82c-c000-7000-9db6-dce623142a19"
NO = Bulk(subjects=(1, 2, 3), stance=STANCE_DENY, purposes=TRAINING, licensee_id="")


class Consent:
    """Records; refuses those it is told to, and takes its time."""

    def __init__(self, **refusals: Refusal) -> None:
        self.refusals = {int(key[1:]): refusal for key, refusal in refusals.items()}
        self.requests: list[RecordChoiceRequest] = []
        self.under_way = self.most = 0

    async def record(self, requests: Sequence[RecordChoiceRequest]) -> Timestamp:
        self.requests.extend(requests)
        choices = [request.choice for request in requests]
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if choices[0].subject_id in self.refusals:
            raise self.refusals[choices[0].subject_id]
        return Timestamp(seconds=max(choice.subject_id * 10 + choice.purpose for choice in choices))


async def test_each_purpose_is_a_choice_and_the_latest_says_when_it_is_in_force() -> None:
    consent = Consent()

    outcomes = await record_all(NO, FORM, consent.record)

    assert [each.in_force_after.seconds for each in outcomes.recorded if each.in_force_after] == [13, 23, 33]
    assert outcomes.in_force_after is not None
    assert outcomes.in_force_after.seconds == 33
    assert {request.choice.purpose for request in consent.requests} == set(TRAINING)
    assert all(request.choice.everyone for request in consent.requests)


async def test_the_same_form_sent_again_makes_the_same_requests_each_with_an_id_of_its_own() -> None:
    consent = Consent()

    await record_all(NO, FORM, consent.record)
    first, consent.requests = consent.requests, []
    await record_all(Bulk.of(json.loads(json.dumps(NO.seen))), FORM, consent.record)

    assert consent.requests == first
    assert len({request.request_id for request in first}) == 6


def test_no_purposes_are_all_of_them_and_a_licensee_is_named_alone() -> None:
    (choice,) = dataclasses.replace(NO, purposes=(), licensee_id="acme").choices(2**64 - 1)

    assert choice.all_purposes
    assert choice.licensee_id == "acme"
    assert not choice.everyone
    assert choice.subject_id == 2**64 - 1


def test_a_yes_carries_the_digest_of_its_notice() -> None:
    yes = dataclasses.replace(NO, stance=STANCE_ALLOW, notice_digest="11" * 32, policy=4)

    assert yes.allows
    assert {choice.notice_digest for choice in yes.choices(1)} == {b"\x11" * 32}


async def test_what_is_refused_of_one_stops_no_other() -> None:
    consent = Consent(_2=not_found("SUBJECT_UNKNOWN", "there is nobody with this id"))

    outcomes = await record_all(NO, FORM, consent.record)

    assert [each.subject_id for each in outcomes.recorded] == [1, 3]
    assert [(each.subject_id, each.reason) for each in outcomes.refused] == [(2, "SUBJECT_UNKNOWN")]
    assert not outcomes.open


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.UNAUTHENTICATED])
async def test_where_nobody_answers_no_more_is_sent_and_all_of_that_stays_open(kind: Kind) -> None:
    consent = Consent(_1=Refusal(kind, "NOT_NOW", "later"))
    many = dataclasses.replace(NO, subjects=tuple(range(1, 257)), purposes=())

    outcomes = await record_all(many, FORM, consent.record)

    assert len(consent.requests) <= 2 * SIDE_BY_SIDE
    assert len(outcomes.recorded) + len(outcomes.open) == 256
    assert len(outcomes.open) > 200
    assert {each.reason for each in outcomes.open} == {"NOT_NOW"}


async def test_a_fault_of_one_record_is_open_and_stops_no_other() -> None:
    consent = Consent(_2=Refusal(Kind.INTERNAL, "INTERNAL", "a defect"))

    outcomes = await record_all(NO, FORM, consent.record)

    assert [each.subject_id for each in outcomes.open] == [2]
    assert len(outcomes.recorded) == 2


async def test_few_are_under_way_at_a_time() -> None:
    consent = Consent()
    many = dataclasses.replace(NO, subjects=tuple(range(1, 101)))

    await record_all(many, FORM, consent.record)

    assert consent.most == SIDE_BY_SIDE


async def test_nothing_is_in_force_where_nothing_is_recorded() -> None:
    consent = Consent(_1=unavailable("PEER_UNAVAILABLE", "no answer"))

    outcomes = await record_all(dataclasses.replace(NO, subjects=(1,)), FORM, consent.record)

    assert outcomes.in_force_after is None
