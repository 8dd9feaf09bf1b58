"""Choices and signals over gRPC: taken in pages, told to whoever may know, each subject their own alone."""

from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.consent.v1 import choice_pb2, standing_pb2, subject_service_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.type.v1 import purpose_pb2
from tests.support.clock import NOON_US
from tests.support.consent import NOTICE
from tests.support.consent_callers import (
    Caller,
    Consent,
    a_deny,
    an_allow,
    choice_rows,
    subject_rows,
    timestamp,
)

SECOND_US = 1_000_000
SHARING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING
EARLIER, LATER = timestamp(NOON_US - 9), timestamp(NOON_US - 5)


def a_file() -> pb.RecordChoicesRequest:
    """Good rows, and bad ones of several kinds."""
    return choice_rows(
        a_deny(7, stated_at=EARLIER),
        an_allow(7, stated_at=LATER),
        an_allow(7, notice_digest=b"", stated_at=LATER),
        an_allow(999, stated_at=LATER),
        a_deny(8, purpose=99),
        a_deny(8),
    )


async def test_c1_of_a_page_the_good_rows_go_in_and_the_bad_ones_are_listed(consent: Consent) -> None:
    await consent.put_in_force(7, 8)

    (answer,) = await consent.pipeline.pages("RecordChoices", a_file())

    assert (answer.accepted, answer.unchanged, answer.revision.number) == (3, 0, 6)
    assert [(row.line, row.reason) for row in answer.rejected] == [
        (3, "NOTICE_DIGEST_MISSING"),
        (4, "SUBJECT_UNKNOWN"),
        (5, "PURPOSE_UNKNOWN"),
    ]
    assert answer.in_force_after.ToMicroseconds() == NOON_US + 32 * SECOND_US
    assert await consent.reasons((7,), (8,)) == ["ALLOWED", "CHOICE_DENIES"]


async def test_c1_the_same_file_again_changes_nothing(consent: Consent) -> None:
    await consent.put_in_force(7, 8)
    (first,) = await consent.pipeline.pages("RecordChoices", a_file())
    consent.clock.advance(SECOND_US)

    (again,) = await consent.pipeline.pages("RecordChoices", a_file())

    assert (again.accepted, again.unchanged) == (0, 3)
    assert again.rejected == first.rejected
    assert again.revision == first.revision


async def test_c9_each_page_is_answered_when_the_index_has_it(consent: Consent) -> None:
    await consent.put_in_force(*range(1, 5))
    revisions = []

    for answer in await consent.pipeline.pages(
        "RecordChoices", *(choice_rows(a_deny(who, stated_at=EARLIER)) for who in range(1, 5))
    ):
        revisions.append(answer.revision.number)
        index = consent.replica.index.view().revision
        assert index.number >= answer.revision.number

    assert revisions == sorted(set(revisions))
    assert await consent.reasons(*((who,) for who in range(1, 5))) == ["CHOICE_DENIES"] * 4


async def test_a_page_that_is_sent_again_is_answered_as_before(consent: Consent) -> None:
    page = consent.pipeline.named(choice_rows(a_deny(7)))

    first, again = await consent.pipeline.pages("RecordChoices", page, page)
    (later,) = await consent.pipeline.pages("RecordChoices", page)

    assert first == again == later
    assert (first.accepted, first.revision.number) == (1, 1)


async def test_a_page_under_an_id_that_another_page_had_ends_the_stream(consent: Consent) -> None:
    page = consent.pipeline.named(choice_rows(a_deny(7)))
    other = choice_rows(a_deny(8))
    other.request_id = page.request_id

    with pytest.raises(Refusal) as refused:
        await consent.pipeline.pages("RecordChoices", page, other)

    assert (refused.value.kind, refused.value.reason) == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert (await consent.check((8,))).revision.number == 1


async def test_a_page_that_breaks_the_contract_ends_the_stream(consent: Consent) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.pipeline.pages("RecordChoices", choice_rows(a_deny(7)), choice_rows())

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "INVALID_REQUEST")


async def test_the_choices_of_a_subject_are_told_with_what_is_known_of_them(consent: Consent) -> None:
    await consent.put_in_force(7)
    await consent.choose(a_deny(7, licensee_id="acme"))
    await consent.choose(a_deny(7))
    await consent.choose(an_allow(7, licensee_id="acme", purpose=SHARING))
    await consent.choose(an_allow(7, licensee_id="acme"))

    told = await consent.operator.call("GetChoices", pb.GetChoicesRequest(subject_id=7))

    deny, allow, allow_all = told.choices
    assert (told.subject.subject_id, told.subject.jurisdiction) == (7, "US")
    assert list(told.subject.notice_digests) == [NOTICE]
    assert (deny.choice.stance, deny.choice.everyone, deny.choice.all_purposes) == (
        choice_pb2.STANCE_DENY, True, True,
    )  # fmt: skip
    assert (allow.choice.licensee_id, allow.choice.purpose) == ("acme", SHARING)
    assert (allow_all.revision, told.revision.number) == (6, 6)
    assert allow.choice.stated_at.ToMicroseconds() == NOON_US + 2
    assert (allow.recorded_by, allow.recorded_at.ToMicroseconds()) == ("operator:ada", NOON_US)


async def test_the_history_of_a_subject_is_told_newest_first_page_by_page(consent: Consent) -> None:
    for _ in range(5):
        await consent.choose(a_deny(7))
    request = pb.ListChoiceHistoryRequest(subject_id=7, page_size=2)
    revisions, pages = [], 0

    while pages == 0 or request.page_token:
        page = await consent.subject(7).call("ListChoiceHistory", request)
        revisions += [choice.revision for choice in page.choices]
        request.page_token = page.next_page_token
        pages += 1

    assert (revisions, pages) == ([5, 4, 3, 2, 1], 3)


async def test_nothing_is_told_of_whoever_is_not_there(consent: Consent) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.operator.call("GetChoices", pb.GetChoicesRequest(subject_id=7))
    history = await consent.operator.call("ListChoiceHistory", pb.ListChoiceHistoryRequest(subject_id=7))

    assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "SUBJECT_UNKNOWN")
    assert (list(history.choices), history.next_page_token) == ([], "")


async def test_c4_whoever_denied_before_they_are_known_is_told_without_a_description(
    consent: Consent,
) -> None:
    await consent.choose(a_deny(7))

    told = await consent.operator.call("GetChoices", pb.GetChoicesRequest(subject_id=7))

    assert not told.HasField("subject")
    assert len(told.choices) == 1


async def test_an_agent_does_what_its_subjects_may_and_is_on_record_for_it(consent: Consent) -> None:
    await consent.put_in_force(7, 8)
    agent = consent.agent("helper", 7, 8)

    on_our_page = choice_pb2.CHOICE_METHOD_SETTINGS
    await agent.write("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(7, method=on_our_page)))
    await agent.write("RecordSignals", pb.RecordSignalsRequest(subject_id=8, source="app", sec_gpc="1"))

    assert await consent.reasons((7,), (8,)) == ["CHOICE_DENIES", "CHOICE_DENIES"]
    told = [
        await agent.call("ListChoiceHistory", pb.ListChoiceHistoryRequest(subject_id=7)),
        await agent.call("GetChoices", pb.GetChoicesRequest(subject_id=8)),
        await consent.subject(7).call("GetChoices", pb.GetChoicesRequest(subject_id=7)),
    ]
    assert [[each.recorded_by for each in answer.choices] for answer in told] == [["agent:helper"]] * 3
    by_agent, by_signal = choice_pb2.CHOICE_METHOD_AGENT, choice_pb2.CHOICE_METHOD_SIGNAL_GPC
    assert [answer.choices[0].choice.method for answer in told] == [by_agent, by_signal, by_agent]
    assert await agent.whole("ExportSubject", subject_service_pb2.ExportSubjectRequest(subject_id=8))


@pytest.mark.parametrize("other", [8, 999])
@pytest.mark.parametrize("kind", ["subject", "agent", "agent of the same name"])
async def test_what_is_of_another_subject_looks_not_there(consent: Consent, other: int, kind: str) -> None:
    await consent.pipeline.write("ImportSubjects", subject_rows(7, 8))
    callers = {
        "subject": consent.subject(7),
        "agent": consent.agent("helper", 7, 9),
        "agent of the same name": consent.agent(str(other), 7),
    }
    author = callers[kind]
    refusals = []

    for method, request in (
        ("RecordChoice", pb.RecordChoiceRequest(choice=a_deny(other))),
        ("RecordSignals", pb.RecordSignalsRequest(subject_id=other, source="browser", sec_gpc="1")),
    ):
        with pytest.raises(Refusal) as written:
            await author.write(method, request)
        refusals.append(written.value)
    for method, asked in (
        ("GetChoices", pb.GetChoicesRequest(subject_id=other)),
        ("GetStanding", standing_pb2.GetStandingRequest(subject_id=other)),
        ("ListChoiceHistory", pb.ListChoiceHistoryRequest(subject_id=other)),
    ):
        with pytest.raises(Refusal) as read:
            await author.call(method, asked)
        refusals.append(read.value)
    with pytest.raises(Refusal) as exported:
        await author.whole("ExportSubject", subject_service_pb2.ExportSubjectRequest(subject_id=other))

    assert {(each.kind, each.reason, each.message) for each in (*refusals, exported.value)} == {
        (Kind.NOT_FOUND, "SUBJECT_UNKNOWN", "there is no such subject")
    }


async def send_signals(caller: Caller, source: str = "browser", **fields: Any) -> list[int]:
    """Purposes that are denied by it."""
    request = pb.RecordSignalsRequest(subject_id=7, source=source, **fields)
    answer = await caller.write("RecordSignals", request)
    assert all(each.choice.everyone and each.choice.subject_id == 7 for each in answer.recorded)
    assert all(each.choice.stance == choice_pb2.STANCE_DENY for each in answer.recorded)
    return [each.choice.purpose for each in answer.recorded]


async def test_c1_each_signal_of_a_source_counts_once(consent: Consent) -> None:
    browser = consent.subject(7)
    await consent.put_in_force(7)

    gpc = await send_signals(browser, sec_gpc="1")
    both = await send_signals(browser, sec_gpc="1", content_usage=["train-ai=n, search=y"])
    again = await send_signals(browser, sec_gpc="1", content_usage=["train-ai=n"])
    elsewhere = await send_signals(consent.pipeline, "chirp.example", sec_gpc="1")

    assert gpc == elsewhere == [SHARING]
    assert both == [2, 3, 4, 5]
    assert again == []
    assert await consent.reasons((7,)) == ["CHOICE_DENIES"]


async def test_c1_the_method_of_a_signal_is_on_record(consent: Consent) -> None:
    await send_signals(consent.subject(7), sec_gpc="1", content_usage=["search=n"])

    told = await consent.subject(7).call("ListChoiceHistory", pb.ListChoiceHistoryRequest(subject_id=7))

    assert {choice.choice.method for choice in told.choices} == {
        choice_pb2.CHOICE_METHOD_SIGNAL_GPC,
        choice_pb2.CHOICE_METHOD_SIGNAL_AIPREF,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"sec_gpc": ""},
        {"sec_gpc": "0"},
        {"sec_gpc": "yes"},
        {"content_usage": ["train-ai=y"]},
        {"content_usage": ["%%%", "train-ai=?0", "\xff"]},
    ],
)
async def test_c8_a_signal_that_says_nothing_changes_nothing(
    consent: Consent, fields: dict[str, Any]
) -> None:
    await consent.put_in_force(7)
    before = await consent.check((7,))

    assert await send_signals(consent.subject(7), **fields) == []
    assert await consent.check((7,)) == before


async def test_signals_that_name_no_signal_at_all_are_refused(consent: Consent) -> None:
    with pytest.raises(Refusal) as refused:
        await send_signals(consent.subject(7))

    assert refused.value.reason == "INVALID_REQUEST"


async def test_a_signal_that_is_sent_again_under_its_id_is_answered_as_before(consent: Consent) -> None:
    request = pb.RecordSignalsRequest(subject_id=7, source="browser", sec_gpc="1", content_usage=["search=n"])

    first = await consent.subject(7).write("RecordSignals", request)
    again = await consent.subject(7).write("RecordSignals", request)

    assert first == again
    assert len(first.recorded) == 2


@pytest.mark.parametrize(
    ("kind", "roles", "method"),
    [
        (PrincipalKind.LICENSEE, [], "GetChoices"),
        (PrincipalKind.PIPELINE, [], "GetChoices"),
        (PrincipalKind.OPERATOR, ["finance"], "ListChoiceHistory"),
        (PrincipalKind.SERVICE, [], "ListChoiceHistory"),
    ],
)
async def test_whose_business_choices_are_not_is_refused(
    consent: Consent, kind: PrincipalKind, roles: list[str], method: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await consent.caller(kind, "7", roles).call(method, getattr(pb, f"{method}Request")(subject_id=7))

    assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")
