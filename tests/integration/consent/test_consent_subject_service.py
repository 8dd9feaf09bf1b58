"""C11 over gRPC: why consent answers as it does, now and then; records given out and erased."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.consent.rpc.documents import PART_BYTES
from sluice.consent.v1 import consent_service_pb2 as consent_pb
from sluice.consent.v1 import explanation_pb2, halt_pb2, reason_pb2, state_change_pb2
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.consent.v1 import subject_service_pb2 as pb
from sluice.type.v1 import purpose_pb2
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent_callers import (
    TRAINING,
    Caller,
    Consent,
    a_deny,
    an_allow,
    choice_rows,
    reason_name,
    running,
    state_rows,
    subject_rows,
    timestamp,
)

HOUR_US = 3_600_000_000
FORMATS = (pb.EXPORT_FORMAT_JSON, pb.EXPORT_FORMAT_DPV, pb.EXPORT_FORMAT_KANTARA)


async def explain(
    consent: Consent, subject_id: int = 7, **fields: Any
) -> explanation_pb2.ExplainConsentResponse:
    request = explanation_pb2.ExplainConsentRequest(
        **{"subject_id": subject_id, "licensee_id": "acme", "purpose": TRAINING, **fields}
    )
    response = await consent.operator.call("ExplainConsent", request)
    assert isinstance(response, explanation_pb2.ExplainConsentResponse)
    return response


async def export(caller: Caller, form: "pb.ExportFormat", subject_id: int = 7) -> tuple[Any, list[Any]]:
    """The document, and the parts that it came in."""
    parts = await caller.whole("ExportSubject", pb.ExportSubjectRequest(subject_id=subject_id, format=form))
    return json.loads(b"".join(part.part for part in parts)), parts


async def erase(consent: Consent, subject_id: int = 7) -> pb.EraseSubjectResponse:
    response = await consent.operator.write("EraseSubject", pb.EraseSubjectRequest(subject_id=subject_id))
    assert isinstance(response, pb.EraseSubjectResponse)
    return response


async def test_c11_the_last_step_of_an_explanation_is_what_a_check_answers(consent: Consent) -> None:
    await consent.put_in_force(7)
    recorded = await consent.choose(a_deny(7))

    explained, checked = await explain(consent), await consent.check((7,))

    assert explained.reason == checked.reasons[0] == reason_pb2.CONSENT_REASON_CHOICE_DENIES
    assert [step.rule for step in explained.steps] == ["C12", "C5", "C4", "C12", "C5", "L2", "C2"]
    assert explained.steps[-1].record_revision == recorded.revision.number
    assert (explained.steps[-1].purpose, explained.steps[-1].reason) == (TRAINING, explained.reason)
    assert (explained.policy_version, explained.revision) == (checked.policy_version, checked.revision)
    assert explained.as_of.ToMicroseconds() == NOON_US


async def test_c11_what_was_known_at_a_time_is_explained(consent: Consent) -> None:
    await consent.put_in_force(7)
    steps = (
        consent.operator.write("RecordChoice", consent_pb.RecordChoiceRequest(choice=a_deny(7))),
        consent.operator.write("RecordChoice", consent_pb.RecordChoiceRequest(choice=an_allow(7))),
        consent.pipeline.pages(
            "RecordStates",
            state_rows(
                state_change_pb2.StateChange(post_id=9, kind=state_change_pb2.STATE_CHANGE_KIND_DELETE)
            ),
        ),
        consent.operator.write(
            "OrderHalt",
            state_pb.OrderHaltRequest(scope=halt_pb2.HaltScope(everything=True), cause="a leak"),
        ),
    )
    await consent.check((7,))
    for step in steps:
        consent.clock.advance(HOUR_US)
        await step

    told = [
        await explain(consent, post_id=9, as_of=timestamp(NOON_US + hour * HOUR_US)) for hour in range(-1, 5)
    ]

    assert [reason_name(each.reason) for each in told] == [
        "SUBJECT_UNKNOWN",
        "ALLOWED",
        "CHOICE_DENIES",
        "ALLOWED",
        "POST_DELETED",
        "HALTED",
    ]
    assert [each.policy_version for each in told] == [0, 1, 1, 1, 1, 1]
    assert told[2].as_of.ToMicroseconds() == NOON_US + HOUR_US


async def test_c11_the_explanation_of_now_activates_the_policy_that_is_due(consent: Consent) -> None:
    await consent.put_in_force(7)

    explained = await explain(consent)

    assert (reason_name(explained.reason), explained.policy_version) == ("ALLOWED", 1)


async def test_c11_the_jurisdictions_and_the_territory_are_looked_at_where_they_are_named(
    consent: Consent,
) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7, withheld_countries=["DE"]))
    await consent.put_in_force()

    outside = await explain(consent, author_jurisdictions=["DE"], territory=["US"])
    withheld = await explain(consent, territory=["DE"])

    assert (outside.steps[-1].rule, reason_name(outside.reason)) == ("L2", "JURISDICTION_NOT_LICENSED")
    assert (withheld.steps[-1].rule, reason_name(withheld.reason)) == ("C5", "WITHHELD")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"as_of": timestamp(NOON_US + 1)}, "AS_OF_IN_FUTURE"),
        ({"as_of": Timestamp(seconds=2**62)}, "AS_OF_IN_FUTURE"),
        ({"purpose": 0}, "PURPOSE_UNSPECIFIED"),
    ],
)
async def test_a_question_that_cannot_be_explained_is_refused(
    consent: Consent, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await explain(consent, **fields)

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, reason)


async def test_c11_nothing_was_known_before_all_time(consent: Consent) -> None:
    await consent.put_in_force(7)

    told = await explain(consent, as_of=Timestamp(seconds=-(2**62)))

    assert reason_name(told.reason) == "SUBJECT_UNKNOWN"
    assert told.as_of.ToJsonString() == "0001-01-01T00:00:00Z"


async def test_c11_records_are_exported_in_every_form(consent: Consent) -> None:
    await consent.put_in_force(7)
    await consent.choose(a_deny(7, purpose=purpose_pb2.PURPOSE_SEARCH_INDEX))
    await consent.choose(an_allow(7, licensee_id="acme"))

    (plain, parts), (dpv, dpv_parts), (kantara, _) = [
        await export(consent.subject(7), form) for form in FORMATS
    ]

    assert (plain["subject_id"], plain["as_of"]) == ("7", {"epoch": "1", "revision": "4"})
    assert [choice["revision"] for choice in plain["choices"]] == ["3", "4"]
    assert [len(plain["facts"]), len(plain["policies"])] == [1, 1]
    assert (parts[0].media_type, parts[0].revision.number) == ("application/json", 4)
    assert dpv_parts[0].media_type == "application/ld+json"
    assert len(dpv["@graph"]) == 2
    assert (kantara["version"], kantara["piiControllers"][0]["piiController"]) == (
        "KI-CR-v1.1.0", "Chirp Ltd",
    )  # fmt: skip


async def test_c11_a_long_export_comes_in_parts_that_say_once_what_they_are_of(consent: Consent) -> None:
    rows = [a_deny(7, licensee_id=f"licensee-{n}", stated_at=timestamp(NOON_US - n)) for n in range(1, 129)]
    for start in range(0, 128, 64):
        await consent.pipeline.pages("RecordChoices", choice_rows(*rows[start : start + 64]))
    lifted = [an_allow(7, licensee_id=f"licensee-{n}", stated_at=timestamp(NOON_US)) for n in range(1, 129)]
    await consent.pipeline.write("ImportSubjects", subject_rows(7))
    await consent.pipeline.pages("RecordChoices", choice_rows(*lifted))

    document, parts = await export(consent.subject(7), pb.EXPORT_FORMAT_JSON)

    assert len(document["choices"]) == 256
    assert len(parts) > 1
    assert [len(part.part) for part in parts[:-1]] == [PART_BYTES] * (len(parts) - 1)
    assert all(part.media_type == "" and not part.HasField("revision") for part in parts[1:])


async def test_c11_a_receipt_of_consent_is_of_somebody_who_allowed_something(consent: Consent) -> None:
    await consent.choose(a_deny(7))

    with pytest.raises(Refusal) as refused:
        await export(consent.operator, pb.EXPORT_FORMAT_KANTARA)

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "NOTHING_ALLOWED")


async def test_c11_nothing_is_exported_of_whoever_is_not_there(consent: Consent) -> None:
    with pytest.raises(Refusal) as refused:
        await export(consent.operator, pb.EXPORT_FORMAT_JSON)

    assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "SUBJECT_UNKNOWN")


async def test_c11_without_knowing_whose_platform_it_is_there_is_the_plain_form_alone(tmp_path: Path) -> None:
    async with running(tmp_path, ManualClock()) as consent:
        await consent.choose(a_deny(7))
        plain, _ = await export(consent.operator, pb.EXPORT_FORMAT_UNSPECIFIED)

        with pytest.raises(Refusal) as refused:
            await export(consent.operator, pb.EXPORT_FORMAT_DPV)

    assert plain["subject_id"] == "7"
    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "CONTROLLER_UNKNOWN")


async def test_c11_whoever_is_erased_is_denied_and_stays_so(consent: Consent) -> None:
    await consent.put_in_force(7, 8)
    await consent.choose(an_allow(7))
    before = await consent.reasons((7,), (8,))

    erased = await erase(consent)
    described = await consent.pipeline.write("ImportSubjects", subject_rows(7))
    (chosen,) = await consent.pipeline.pages(
        "RecordChoices", choice_rows(an_allow(7, stated_at=timestamp(NOON_US)), a_deny(7))
    )

    assert before == ["ALLOWED", "ALLOWED"]
    assert erased.erased_at.ToMicroseconds() == NOON_US
    assert erased.in_force_after.ToMicroseconds() == NOON_US + 32_000_000
    assert [row.reason for row in (*described.rejected, *chosen.rejected)] == ["SUBJECT_ERASED"] * 3
    assert await consent.reasons((7,), (8,)) == ["SUBJECT_UNKNOWN", "ALLOWED"]


async def test_c11_of_whoever_is_erased_the_tombstone_alone_is_told(consent: Consent) -> None:
    await consent.put_in_force(7)
    await consent.choose(an_allow(7))
    await erase(consent)

    plain, _ = await export(consent.subject(7), pb.EXPORT_FORMAT_JSON)
    history = await consent.subject(7).call(
        "ListChoiceHistory", consent_pb.ListChoiceHistoryRequest(subject_id=7)
    )
    refusals = []
    for form in FORMATS[1:]:
        with pytest.raises(Refusal) as refused:
            await export(consent.subject(7), form)
        refusals.append(refused.value.reason)
    with pytest.raises(Refusal) as explained:
        await explain(consent)
    with pytest.raises(Refusal) as chosen:
        await consent.choose(a_deny(7))

    assert (plain["choices"], plain["facts"]) == ([], [])
    assert plain["erased_at"] is not None
    assert list(history.choices) == []
    assert {*refusals, explained.value.reason, chosen.value.reason} == {"SUBJECT_ERASED"}


async def test_c11_an_erasure_is_idempotent(consent: Consent) -> None:
    request = pb.EraseSubjectRequest(subject_id=7)
    first = await consent.operator.write("EraseSubject", request)
    consent.clock.advance(HOUR_US)

    request.request_id = ""
    again = await erase(consent)

    assert (again.revision, again.erased_at) == (first.revision, first.erased_at)


@pytest.mark.parametrize(
    ("kind", "roles"),
    [(PrincipalKind.SUBJECT, []), (PrincipalKind.PIPELINE, []), (PrincipalKind.OPERATOR, ["finance"])],
)
async def test_c11_only_some_operators_erase(consent: Consent, kind: PrincipalKind, roles: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.caller(kind, "7", roles).write("EraseSubject", pb.EraseSubjectRequest(subject_id=7))

    assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")
