"""What operators do in consent, as its log of actions tells it over gRPC."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from services.chassis.action_messages import entry_of
from services.chassis.actions import ChainCheck
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from sluice.consent.v1 import action_service_pb2 as action_pb
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.consent.v1 import subject_pb2
from sluice.consent.v1 import subject_service_pb2 as subject_pb
from sluice.type.v1.action_pb2 import ActionEntry, ActionOutcome
from tests.support.clock import ManualClock
from tests.support.consent import consent_database
from tests.support.consent_callers import Consent, a_deny, running, subject_rows


async def import_minor(consent: Consent) -> None:
    request = subject_rows(7, states=[subject_pb2.SUBJECT_STATE_MINOR])
    await consent.operator.write("ImportSubjects", request)


@pytest_asyncio.fixture
async def consent(tmp_path: Path) -> AsyncIterator[Consent]:
    async with running(tmp_path, ManualClock()) as consent:
        yield consent


async def page(
    consent: Consent, kind: PrincipalKind = PrincipalKind.AUDITOR, **asked: object
) -> action_pb.ListActionsResponse:
    reader = consent.caller(kind, "reader", ["legal"] if kind is PrincipalKind.OPERATOR else [])
    request = action_pb.ListActionsRequest(**asked)  # type: ignore[arg-type]
    answer = await reader.call("ListActions", request)
    assert isinstance(answer, action_pb.ListActionsResponse)
    return answer


async def entries(
    consent: Consent, kind: PrincipalKind = PrincipalKind.OPERATOR, **asked: object
) -> list[ActionEntry]:
    return list((await page(consent, kind, oldest_first=True, **asked)).entries)


def checked(found: list[ActionEntry]) -> ChainCheck:
    check = ChainCheck()
    for entry in found:
        check.add(entry_of(entry))
    return check


async def test_c12_a_halt_is_on_record_with_who_ordered_it_and_why(consent: Consent) -> None:
    order = consent.operator.named(state_pb.OrderHaltRequest(scope={"everything": True}, cause="a leak"))

    await consent.operator.call("OrderHalt", order)

    begun, ended = await entries(consent)
    assert (begun.operator, [*begun.roles]) == ("ada", ["legal", "trust"])
    assert begun.method == "sluice.consent.v1.StateService/OrderHalt"
    assert (begun.begun.request_id, begun.begun.reason) == (order.request_id, "a leak")
    assert json.loads(begun.begun.request)["scope"] == {"everything": True}
    assert (ended.action, ended.ended.outcome) == (begun.number, ActionOutcome.ACTION_OUTCOME_DONE)


async def test_c12_the_longest_cause_is_on_record_whole(consent: Consent) -> None:
    cause = "\N{POLICE CARS REVOLVING LIGHT}" * 498 + "\n\t"

    ordered = await consent.operator.write(
        "OrderHalt", state_pb.OrderHaltRequest(scope={"everything": True}, cause=cause)
    )

    begun, _ = await entries(consent)
    assert ordered.halt.cause == begun.begun.reason == cause


async def test_a_refused_action_is_on_record_with_its_reason(consent: Consent) -> None:
    with pytest.raises(Refusal, match="HALT_UNKNOWN"):
        await consent.operator.write("LiftHalt", state_pb.LiftHaltRequest(halt_id=9))

    _, ended = await entries(consent)
    assert ended.ended.outcome == ActionOutcome.ACTION_OUTCOME_REFUSED
    assert ended.ended.refusal == "HALT_UNKNOWN"


async def test_an_import_of_an_operator_is_one_action_and_one_of_a_pipeline_none(consent: Consent) -> None:
    pages = [pb.RecordChoicesRequest(rows=[{"choice": a_deny(subject)}]) for subject in (1, 2, 3)]

    await consent.operator.pages("RecordChoices", *pages)
    await consent.pipeline.pages("RecordChoices", pb.RecordChoicesRequest(rows=[{"choice": a_deny(4)}]))

    begun, ended = await entries(consent)
    assert (begun.begun.request, begun.begun.request_id) == ("", "")
    assert (ended.ended.requests, ended.ended.answers) == (3, 3)


async def test_a_choice_of_a_subject_and_a_read_of_an_operator_are_no_actions(consent: Consent) -> None:
    await consent.subject(1).write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(1)))
    await consent.operator.call("ListHalts", state_pb.ListHaltsRequest())

    assert await entries(consent) == []


async def test_an_auditor_pages_through_the_log_and_finds_it_whole(consent: Consent) -> None:
    for subject in range(1, 4):
        await consent.choose(a_deny(subject))
    check, token = ChainCheck(), ""

    while True:
        answer = await page(consent, page_size=4, page_token=token, oldest_first=True)
        for entry in answer.entries:
            check.add(entry_of(entry))
        if not (token := answer.next_page_token):
            break

    assert (check.fault, check.unfinished, check.head.number) == (None, (), 6)
    assert (answer.head.number, answer.head.digest) == (6, check.head.digest)


async def test_an_auditor_is_not_told_whom_an_action_was_about_nor_how_to_guess_it(consent: Consent) -> None:
    await import_minor(consent)

    begun, _ = await entries(consent, PrincipalKind.AUDITOR)
    told, _ = await entries(consent)

    assert (begun.begun.request, begun.begun.nonce) == ("", b"")
    assert begun.begun.request_digest == told.begun.request_digest
    assert json.loads(told.begun.request)["rows"][0]["subject"]["subjectId"] == "7"


async def test_c11_an_erasure_takes_out_what_actions_said_of_the_subject_and_the_chain_holds(
    consent: Consent,
) -> None:
    await import_minor(consent)
    await consent.choose(a_deny(8))
    erasure = subject_pb.EraseSubjectRequest(subject_id=7)

    await consent.operator.write("EraseSubject", erasure)
    # The same again, under another id, and what is refused because of it.
    await consent.operator.write("EraseSubject", erasure)
    await consent.operator.write("EraseSubject", subject_pb.EraseSubjectRequest(subject_id=7))
    with pytest.raises(Refusal, match="SUBJECT_ERASED"):
        await consent.choose(a_deny(7))

    found = await entries(consent)
    check = checked(found)
    assert len(found) == 12
    assert [entry.number for entry in found if entry.begun.request or entry.begun.nonce] == [3]
    assert (check.fault, check.unfinished) == (None, ())


async def test_the_log_is_open_to_legal_admin_and_auditors_and_its_tokens_to_nothing_made_up(
    consent: Consent,
) -> None:
    for kind, roles in ((PrincipalKind.OPERATOR, ["trust"]), (PrincipalKind.SUBJECT, [])):
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            await consent.caller(kind, "1", roles).call("ListActions", action_pb.ListActionsRequest())
    for token in ("x", "MDE=", "LTE="):
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await page(consent, page_token=token)


async def test_a_log_that_is_broken_stops_what_operators_do_and_nothing_that_subjects_do(
    tmp_path: Path,
) -> None:
    database = consent_database(tmp_path)

    def break_it(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE actions RENAME TO gone"))

    async with running(tmp_path, ManualClock(), database) as consent:
        await database.write(break_it)
        halt = state_pb.OrderHaltRequest(scope={"everything": True}, cause="a leak")
        with pytest.raises(Refusal, match="INTERNAL"):
            await consent.operator.write("OrderHalt", halt)
        halts = await consent.operator.call("ListHalts", state_pb.ListHaltsRequest())
        await consent.subject(1).write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(1)))

    assert list(halts.halts) == []
