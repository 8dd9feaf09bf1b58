"""`sluice damages dispute` to `notices`, against a metering that answers as it is told (D4)."""

import hashlib
from pathlib import Path

import pytest

from services.chassis.refusals import forbidden, not_found, precondition
from services.console.damages_disputes import step_row
from services.console.moments import read
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import ASSESSMENT_STATE_DISPUTED, ASSESSMENT_STATE_REDUCED
from sluice.metering.v1.dispute_pb2 import (
    DISPUTE_STEP_KIND_DISPUTE,
    DISPUTE_STEP_KIND_REDUCE,
    DISPUTE_STEP_KIND_UPHOLD,
    DISPUTE_STEP_KIND_WITHDRAW,
    PROPOSAL_STATE_APPROVED,
    PROPOSAL_STATE_PENDING,
    PROPOSAL_STATE_REJECTED,
    AssessmentStanding,
    DamagesNotice,
    DisputeStep,
)
from tests.support.assessments import ASSESSMENT_ID, PROPOSAL_ID, usd
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-03-01T12:00:00Z")
KINDS = {
    "dispute": DISPUTE_STEP_KIND_DISPUTE,
    "uphold": DISPUTE_STEP_KIND_UPHOLD,
    "withdraw": DISPUTE_STEP_KIND_WITHDRAW,
}
REDUCED = DisputeStep(
    proposal_id=PROPOSAL_ID,
    assessment_id=ASSESSMENT_ID,
    kind=DISPUTE_STEP_KIND_REDUCE,
    reason="settled",
    amount=usd(12_000),
    state=PROPOSAL_STATE_PENDING,
    proposed_by="operator:lena",
    proposed_at=NOON,
)
LETTER = b"Dear party,\n"
NOTICE = DamagesNotice(
    party_id="acme",
    sent_at=NOON,
    how="Courier 4711",
    digest=hashlib.sha256(LETTER).digest(),
    recorded_by="operator:lena",
    recorded_at=NOON,
)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_bytes(LETTER)
    return path


@pytest.mark.parametrize("word", KINDS)
def test_d4_a_step_is_proposed_and_waits_for_another_operator(script: Script, cli: Cli, word: str) -> None:
    step = DisputeStep(proposal_id=PROPOSAL_ID, assessment_id=ASSESSMENT_ID, kind=KINDS[word])
    script.answer("ProposeStep", pb.ProposeStepResponse(step=step))

    said = cli("damages", word, ASSESSMENT_ID, "--reason", "Letter of 3 March")

    (asked,) = script.asked["ProposeStep"]
    assert (asked.assessment_id, asked.kind, asked.reason) == (
        ASSESSMENT_ID,
        KINDS[word],
        "Letter of 3 March",
    )
    assert not asked.HasField("amount")
    assert said.splitlines() == [
        f"Proposed: {word} assessment {ASSESSMENT_ID}. It waits for another operator:",
        f"  sluice damages approve {PROPOSAL_ID}",
    ]


def test_d4_a_reduction_says_to_what(script: Script, cli: Cli) -> None:
    script.answer("ProposeStep", pb.ProposeStepResponse(step=REDUCED))
    how = ("reduce", ASSESSMENT_ID, "--to", "12000.00 USD", "--reason", "settled")

    said = cli("damages", *how)
    answer = cli.json("damages", *how)

    assert script.asked["ProposeStep"][0].amount == usd(12_000)
    assert said.startswith(f"Proposed: reduce to USD 12,000.00 assessment {ASSESSMENT_ID}.")
    assert answer["amount"] == {"currency_code": "USD", "units": 12_000, "nanos": 0}
    assert answer["state"] == "pending"


@pytest.mark.parametrize("amount", ["12,000.00 USD", "12000.00", "-1 USD", "USD"])
def test_what_is_no_amount_is_wrong_usage(cli: Cli, amount: str) -> None:
    said = cli.wrong("damages", "reduce", ASSESSMENT_ID, "--to", amount, "--reason", "settled")

    assert "--to" in said
    assert "an amount like 15000.00 USD is expected" in said


@pytest.mark.parametrize("word", [*KINDS, "reduce"])
def test_no_step_goes_without_a_reason(cli: Cli, word: str) -> None:
    amount = ("--to", "1 USD") if word == "reduce" else ()

    assert "--reason" in cli.wrong("damages", word, ASSESSMENT_ID, *amount)


def test_steps_that_wait_are_listed_page_by_page(script: Script, cli: Cli) -> None:
    script.answer(
        "ListSteps",
        pb.ListStepsResponse(steps=[REDUCED], next_page_token="next"),
        pb.ListStepsResponse(steps=[REDUCED]),
    )

    listed = cli.json("damages", "steps")

    assert [step["kind"] for step in listed] == ["reduce", "reduce"]
    assert [(each.assessment_id, each.page_token) for each in script.asked["ListSteps"]] == [
        ("", ""),
        ("", "next"),
    ]


def test_the_steps_of_an_assessment_are_told_with_who_decided(script: Script, cli: Cli) -> None:
    decided = DisputeStep(
        state=PROPOSAL_STATE_REJECTED, decided_by="operator:omar", decided_at=NOON, decision_reason="declined"
    )
    decided.MergeFrom(DisputeStep(kind=DISPUTE_STEP_KIND_REDUCE, reason="settled", amount=usd(1)))
    disputed = AssessmentStanding(state=ASSESSMENT_STATE_DISPUTED, amount_in_force=usd(15_000))
    decided.MergeFrom(DisputeStep(before=disputed, after=disputed))
    script.answer("ListSteps", pb.ListStepsResponse(steps=[REDUCED, decided]))

    listed = " ".join(cli("damages", "steps", ASSESSMENT_ID).split())

    assert script.asked["ListSteps"][0].assessment_id == ASSESSMENT_ID
    for text in (
        PROPOSAL_ID,
        "12,000.00",
        "operator:lena",
        "waits",
        "rejected",
        "stays",
        "operator:omar",
        "declined",
    ):
        assert text in listed


def test_d4_what_a_step_changed_is_told(script: Script, cli: Cli) -> None:
    approved = DisputeStep(
        state=PROPOSAL_STATE_APPROVED,
        decided_by="operator:omar",
        before=AssessmentStanding(state=ASSESSMENT_STATE_DISPUTED, amount_in_force=usd(15_000)),
        after=AssessmentStanding(state=ASSESSMENT_STATE_REDUCED, amount_in_force=usd(12_000)),
    )
    approved.MergeFrom(REDUCED)
    approved.state = PROPOSAL_STATE_APPROVED
    script.answer("ListSteps", pb.ListStepsResponse(steps=[approved]))

    (told,) = cli.json("damages", "steps", ASSESSMENT_ID)

    assert step_row(approved)[2] == "approved: disputed (USD 15,000.00) to reduced (USD 12,000.00)"
    assert (told["before"]["state"], told["after"]["state"]) == ("disputed", "reduced")
    assert told["before"]["amount_in_force"]["units"] == 15_000


def test_no_steps_are_said_to_be_none(script: Script, cli: Cli) -> None:
    script.answer("ListSteps", pb.ListStepsResponse())

    assert cli("damages", "steps") == "No step waits.\n"
    assert cli("damages", "steps", ASSESSMENT_ID) == "No steps.\n"


def test_ids_of_steps_are_whole_so_that_they_can_be_copied(script: Script, cli: Cli) -> None:
    script.answer("ListSteps", pb.ListStepsResponse(steps=[REDUCED]))

    said = cli("damages", "steps")

    assert PROPOSAL_ID in said
    assert ASSESSMENT_ID in said


def test_d4_another_operator_approves_with_a_token_of_their_own(
    script: Script, cli: Cli, tmp_path: Path
) -> None:
    approved = DisputeStep()
    approved.CopyFrom(REDUCED)
    approved.state = PROPOSAL_STATE_APPROVED
    answer = pb.DecideStepResponse(step=approved, state=ASSESSMENT_STATE_REDUCED, amount_in_force=usd(12_000))
    script.answer("DecideStep", answer)
    token = tmp_path / "omar.token"
    token.write_text("a.token.of-omar", encoding="ascii")

    said = cli("damages", "approve", PROPOSAL_ID, "--token-file", token)

    (asked,) = script.asked["DecideStep"]
    assert (asked.proposal_id, asked.approve, asked.reason) == (PROPOSAL_ID, True, "")
    assert said == (
        f"Approved: reduce to USD 12,000.00 assessment {ASSESSMENT_ID}. It is now reduced; claimed:"
        " USD 12,000.00.\n"
    )


def test_d4_what_is_rejected_changes_nothing(script: Script, cli: Cli) -> None:
    rejected = DisputeStep()
    rejected.CopyFrom(REDUCED)
    rejected.state = PROPOSAL_STATE_REJECTED
    answer = pb.DecideStepResponse(
        step=rejected, state=ASSESSMENT_STATE_DISPUTED, amount_in_force=usd(15_000)
    )
    script.answer("DecideStep", answer)

    said = cli("damages", "reject", PROPOSAL_ID, "--reason", "too low")
    told = cli.json("damages", "reject", PROPOSAL_ID, "--reason", "too low")

    asked, _ = script.asked["DecideStep"]
    assert (asked.approve, asked.reason) == (False, "too low")
    assert said == (
        f"Rejected: reduce to USD 12,000.00 assessment {ASSESSMENT_ID}. It stays disputed; claimed:"
        " USD 15,000.00.\n"
    )
    assert (told["step"]["state"], told["state"]) == ("rejected", "disputed")


def test_a_notice_goes_on_record_with_the_digest_of_the_letter(
    script: Script, cli: Cli, letter: Path
) -> None:
    script.answer("RecordNotice", pb.RecordNoticeResponse(notice=NOTICE))
    how = ("--party", "acme", "--sent", "2026-03-01T12:00:00Z", "--how", "Courier 4711", "--file", letter)

    said = cli("damages", "notice", ASSESSMENT_ID, *how)
    answer = cli.json("damages", "notice", ASSESSMENT_ID, *how)

    asked = script.asked["RecordNotice"][0]
    assert asked.assessment_id == ASSESSMENT_ID
    assert asked.notice == DamagesNotice(
        party_id="acme", sent_at=NOON, how="Courier 4711", digest=hashlib.sha256(LETTER).digest()
    )
    assert said.splitlines() == [
        "On record: sent to acme at 2026-03-01 12:00:00.000 UTC, Courier 4711.",
        f"SHA-256 of letter.txt: {hashlib.sha256(LETTER).hexdigest()}",
    ]
    assert answer["digest"] == hashlib.sha256(LETTER).hexdigest()


@pytest.mark.parametrize("sent", ["", "yesterday"])
def test_a_notice_was_sent_at_a_time(cli: Cli, letter: Path, sent: str) -> None:
    how = ("--party", "acme", "--sent", sent, "--how", "by hand", "--file", letter)

    assert "--sent" in cli.wrong("damages", "notice", ASSESSMENT_ID, *how)


def test_notices_are_listed_page_by_page(script: Script, cli: Cli) -> None:
    script.answer(
        "ListNotices",
        pb.ListNoticesResponse(notices=[NOTICE], next_page_token="next"),
        pb.ListNoticesResponse(notices=[NOTICE]),
    )

    listed = cli.json("damages", "notices", ASSESSMENT_ID)
    told = cli("damages", "notices", ASSESSMENT_ID)

    assert [notice["how"] for notice in listed] == ["Courier 4711"] * 2
    assert [each.page_token for each in script.asked["ListNotices"]] == ["", "next", ""]
    assert "acme" in told
    assert hashlib.sha256(LETTER).hexdigest() in told


def test_no_notices_are_said_to_be_none(script: Script, cli: Cli) -> None:
    script.answer("ListNotices", pb.ListNoticesResponse())

    assert cli("damages", "notices", ASSESSMENT_ID) == "No notice is on record.\n"


def test_what_metering_refuses_is_said(script: Script, cli: Cli, letter: Path) -> None:
    script.answer("ProposeStep", precondition("STEP_PENDING", "another step waits"))
    script.answer("DecideStep", forbidden("SAME_OPERATOR", "who proposed a step does not approve it"))
    script.answer("ListNotices", not_found("ASSESSMENT_UNKNOWN", "there is no such assessment"))
    script.answer("RecordNotice", precondition("PARTY_NOT_LIABLE", "the party is not liable"))
    how = ("--party", "beta", "--sent", "2026-03-01", "--how", "by hand", "--file", letter)

    refusals = [
        cli.refusal("damages", "dispute", ASSESSMENT_ID, "--reason", "x"),
        cli.refusal("damages", "approve", PROPOSAL_ID),
        cli.refusal("damages", "notices", ASSESSMENT_ID),
        cli.refusal("damages", "notice", ASSESSMENT_ID, *how),
    ]

    assert [each["reason"] for each in refusals] == [
        *("STEP_PENDING", "SAME_OPERATOR", "ASSESSMENT_UNKNOWN", "PARTY_NOT_LIABLE")
    ]
