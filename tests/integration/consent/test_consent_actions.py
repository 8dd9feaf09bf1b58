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
from sluice.type.v1.action_pb2 import ActionEntry, ActionOutcome
from tests.support.clock import ManualClock
from tests.support.consent import consent_database
from tests.support.consent_callers import Consent, a_deny, running


@pytest_asyncio.fixture
async def consent(tmp_path: Path) -> AsyncIterator[Consent]:
    async with running(tmp_path, ManualClock()) as consent:
        yield consent


async def page(consent: Consent, **asked: object) -> action_pb.ListActionsResponse:
    auditor = consent.caller(PrincipalKind.AUDITOR, "authority")
    request = action_pb.ListActionsRequest(**asked)  # type: ignore[arg-type]
    answer = await auditor.call("ListActions", request)
    assert isinstance(answer, action_pb.ListActionsResponse)
    return answer


async def entries(consent: Consent, **asked: object) -> list[ActionEntry]:
    return list((await page(consent, oldest_first=True, **asked)).entries)


async def test_c12_a_halt_is_on_record_with_who_ordered_it_and_why(consent: Consent) -> None:
    order = consent.operator.named(state_pb.OrderHaltRequest(scope={"everything": True}, cause="a leak"))

    await consent.operator.call("OrderHalt", order)

    begun, ended = await entries(consent)
    assert (begun.operator, [*begun.roles]) == ("ada", ["legal", "trust"])
    assert begun.method == "sluice.consent.v1.StateService/OrderHalt"
    assert (begun.begun.request_id, begun.begun.reason) == (order.request_id, "a leak")
    assert json.loads(begun.begun.request)["scope"] == {"everything": True}
    assert (ended.action, ended.ended.outcome) == (begun.number, ActionOutcome.ACTION_OUTCOME_DONE)


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
