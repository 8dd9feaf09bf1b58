"""`sluice damages assess`, `list` and `show`, against a metering that answers as it is told (D1 to D4)."""

import json
from typing import Any

import pytest

from services.chassis.refusals import Refusal, not_found, precondition, unavailable
from services.console.moments import from_us, read
from sluice.metering.v1 import damages_pb2
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.assessments import (
    ASSESSMENT_ID,
    SINCE,
    UNTIL,
    a_period,
    a_policy,
    a_share,
    an_assessment,
    on_record,
    usd,
)
from tests.support.command_line import Cli
from tests.support.scripted import Script

ASSESS = ("damages", "assess", "--party", "acme")
JANUARY = ("--since", "2026-01-01", "--until", "2026-01-31")
LOST = unavailable("PEER_UNAVAILABLE", "it went away", retry_after_us=1)


def preview(assessment: damages_pb2.Assessment | None = None) -> pb.PreviewAssessmentResponse:
    return pb.PreviewAssessmentResponse(assessment=assessment or an_assessment())


def halves(assessment: damages_pb2.Assessment) -> list[damages_pb2.Assessment]:
    """Two parts of it, the second with half of the readings."""
    first, second = damages_pb2.Assessment(), damages_pb2.Assessment(readings=assessment.readings[32:])
    first.CopyFrom(assessment)
    del first.readings[32:]
    return [first, second]


def going_on(kind: Any, stage: pb.AssessmentStage, done: int, of: int) -> Any:
    return kind(progress=pb.AssessmentProgress(stage=stage, done=done, of=of))


def said_of(script: Script, cli: Cli, *arguments: object, **more: Any) -> list[str]:
    """What people are told of an assessment, each line without the spaces between its columns."""
    script.stream("PreviewAssessment", [preview(an_assessment(**more))])
    return [" ".join(line.split()) for line in cli(*ASSESS, *JANUARY, *arguments).splitlines()]


def test_all_that_was_said_of_a_claim_is_asked(script: Script, cli: Cli) -> None:
    script.stream("PreviewAssessment", [preview()])

    how = ("--assisted", "beta=lent its accounts", "--assisted", "gamma=a = b")
    cli(*ASSESS, *JANUARY, "--policy", 2, "--jurisdiction", "US-CA", *how)

    (asked,) = script.asked["PreviewAssessment"]
    assert asked.scope == damages_pb2.AssessmentScope(
        of=UsageOf(party_id="acme"),
        since=SINCE,
        until=UNTIL,
        policy_version=2,
        jurisdiction="US-CA",
        assisted=[
            damages_pb2.Assistant(party_id="beta", how="lent its accounts"),
            damages_pb2.Assistant(party_id="gamma", how="a = b"),
        ],
    )


def test_a_claim_begins_so_long_before_its_end(script: Script, cli: Cli) -> None:
    script.stream("PreviewAssessment", [preview()])

    cli("damages", "assess", "--group", "red", "--last", "30d", "--until", "2026-01-31")

    (asked,) = script.asked["PreviewAssessment"]
    assert asked.scope.of == UsageOf(group_id="red")
    assert (asked.scope.since, asked.scope.until) == (SINCE, UNTIL)


def test_a_claim_ends_now_unless_that_is_said(script: Script, cli: Cli) -> None:
    script.stream("PreviewAssessment", [preview()])

    cli(*ASSESS, "--last", "24h")

    (asked,) = script.asked["PreviewAssessment"]
    until_us = asked.scope.until.ToMicroseconds()
    assert asked.scope.since == from_us(until_us - 86_400_000_000)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--party", "acme"), "from when on?"),
        (("--since", "2026-01-01"), "whose?"),
        (("--party", "a", "--group", "b", *JANUARY), "One of them is expected, and not two"),
        (("--party", "", *JANUARY), "whose?"),
        (("--party", "a", "--since", "soon"), "a time like"),
        (("--party", "a", "--last", "soon"), "a duration like"),
        (("--party", "a", "--last", "1d", *JANUARY), "--since says when it begins already"),
        (("--party", "a", "--since", "2026-02-01", "--until", "2026-01-01"), "a time before --until"),
        (("--party", "a", *JANUARY, "--assisted", "beta"), "ID=HOW is expected, not 'beta'"),
        (("--party", "a", *JANUARY, "--assisted", "=how"), "ID=HOW is expected"),
        (("--party", "a", *JANUARY, "--policy", "0"), "--policy"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    assert said in cli.wrong("damages", "assess", *arguments)


def test_d1_a_claim_is_told_with_its_periods_and_amount(script: Script, cli: Cli) -> None:
    said = said_of(script, cli)

    assert said[:5] == [
        "Liquidated damages of party acme, from 2026-01-01 00:00:00.000 UTC until just before 2026-01-31"
        " 00:00:00.000 UTC:",
        "since until just before posts amount",
        "2026-01-01 00:30:00.000001 UTC 2026-01-02 00:30:00.000001 UTC 1,200,000 USD 15,000.00",
        "Amount: USD 15,000.00, for 1 period; 3,200,000 posts count in all that time.",
        "Policy version 1. More than 1,000,000 posts in any 24 hours: USD 15,000.00 per 1,000,000 posts"
        " (whole_units, disjoint). Counted are view, access; licensed volume is left out.",
    ]
    assert said[-1] == "A preview, as of revision 7: nothing is on record without --record."
    assert not [line for line in said if "WARNING" in line]


def test_amounts_have_as_many_decimals_as_the_policy_says(script: Script, cli: Cli) -> None:
    said = said_of(script, cli, policy=a_policy(decimals=0))

    assert "Amount: USD 15,000, for 1 period; 3,200,000 posts count in all that time." in said


def test_where_nothing_is_claimed_that_is_said(script: Script, cli: Cli) -> None:
    said = said_of(script, cli, periods=[], posts=1, amount=usd(0), liable=[])

    assert said[1] == (
        "No period exceeds the threshold, so nothing is claimed (USD 0.00); 1 post counts in all that time."
    )
    assert not [line for line in said if "jointly" in line]


def test_d3_each_member_is_told_to_be_liable_for_the_whole(script: Script, cli: Cli) -> None:
    shares = [a_share("acme", 700_000, usd(8_750)), a_share("beta", 500_000, usd(6_250))]
    liable = [
        a_share("acme", 700_000, usd(8_750), usd(15_000)),
        a_share("beta", 500_000, usd(6_250), usd(15_000)),
    ]
    scope = damages_pb2.AssessmentScope(
        of=UsageOf(group_id="red"),
        since=SINCE,
        until=UNTIL,
        assisted=[damages_pb2.Assistant(party_id="gamma", how="lent its accounts")],
    )
    members = [damages_pb2.PartyStretch(party_id="beta", since=SINCE, until=UNTIL)]

    period = a_period(1, 1_200_000, usd(15_000), *shares)
    said = said_of(script, cli, scope=scope, periods=[period], liable=liable, members=members)

    text = " ".join(said)
    assert "acme 700,000 (USD 8,750.00); beta 500,000 (USD 6,250.00)" in text
    title = said.index(
        "Liable jointly and severally: each for the whole of its periods, however they split it:"
    )
    assert said[title + 1 : title + 5] == [
        "party posts suggested share liable for",
        "acme 700,000 USD 8,750.00 USD 15,000.00",
        "beta 500,000 USD 6,250.00 USD 15,000.00",
        "gamma assisted (lent its accounts): liable with them, and not counted.",
    ]
    belonged = said.index("Belonged to it:")
    assert said[belonged + 2] == "beta 2026-01-01 00:00:00.000 UTC 2026-01-31 00:00:00.000 UTC"


def test_d4_what_is_exempt_is_told(script: Script, cli: Cli) -> None:
    said = said_of(script, cli, exempt=[damages_pb2.PartyStretch(party_id="acme", since=SINCE, until=UNTIL)])

    title = said.index("Not assessed, for vetted research is exempt:")
    assert said[title + 2] == "acme 2026-01-01 00:00:00.000 UTC 2026-01-31 00:00:00.000 UTC"


def test_d4_it_is_told_loudly_where_a_claim_is_not_enforceable(script: Script, cli: Cli) -> None:
    barred = [
        damages_pb2.Unenforceable(jurisdiction="DE", reason="a penalty"),
        damages_pb2.Unenforceable(jurisdiction="FR", reason="another law"),
    ]
    scope = damages_pb2.AssessmentScope(
        of=UsageOf(party_id="acme"), since=SINCE, until=UNTIL, jurisdiction="DE-BY"
    )

    said = said_of(script, cli, scope=scope, policy=a_policy(not_enforceable=barred), enforceable=False)

    assert "WARNING: not enforceable in DE-BY (DE: a penalty)." in said


def test_an_import_that_may_go_on_is_a_warning(script: Script, cli: Cli) -> None:
    running = [damages_pb2.RunningImport(source="edge-2", last_page_at=read("2026-01-31T11:59:30Z"))]

    said = said_of(script, cli, imports_running=running)

    assert (
        "WARNING: source edge-2 reported at 2026-01-31 11:59:30.000 UTC, within the minute before: its import"
        " may go on, and the amount may change."
    ) in said


def test_silence_of_all_sources_is_told_to_prove_nothing(script: Script, cli: Cli) -> None:
    silence = (
        "No source reported in the minute before. That proves nothing: a silent one may have more to say."
    )
    running = [damages_pb2.RunningImport(source="edge-2", last_page_at=UNTIL)]

    assert silence in said_of(script, cli)
    assert silence not in said_of(script, cli, imports_running=running)


def test_d2_readings_that_differ_in_one_thing_are_told(script: Script, cli: Cli) -> None:
    said = said_of(script, cli)

    title = said.index(
        "Other readings, that differ in one thing from the policy's (--all-readings shows all):"
    )
    assert said[title + 1 : title + 11] == [
        "read with periods posts amount more or less",
        "rounding started_units 1 1,000,001 USD 1,000.00 USD -14,000.00",
        "rounding pro_rata 1 1,000,002 USD 2,000.00 USD -13,000.00",
        "rounding excess_only 1 1,000,003 USD 3,000.00 USD -12,000.00",
        "overlap shorter_allowed 1 1,000,004 USD 4,000.00 USD -11,000.00",
        "overlap calendar_days 1 1,000,008 USD 8,000.00 USD -7,000.00",
        "overlap one_per_breach 1 1,000,012 USD 12,000.00 USD -3,000.00",
        "licensed volume counted 1 1,000,016 USD 16,000.00 USD 1,000.00",
        "accesses request, view, access 1 1,000,032 USD 32,000.00 USD 17,000.00",
        "",
    ]


def test_d2_every_reading_is_told_where_that_is_asked(script: Script, cli: Cli) -> None:
    said = said_of(script, cli, "--all-readings")

    title = said.index("Every reading of the clause:")
    readings = said[title + 2 : said.index("", title)]
    assert len(readings) == 64
    assert readings[0] == "view, access left out disjoint whole_units 1 1,000,000 USD 15,000.00 the policy's"
    assert readings[1] == ("view, access left out disjoint started_units 1 1,000,001 USD 1,000.00")
    assert readings[63] == (
        "request, view, access counted one_per_breach excess_only 1 1,000,063 USD 63,000.00"
    )


def test_programs_are_told_all_of_it(script: Script, cli: Cli) -> None:
    script.stream("PreviewAssessment", [preview(an_assessment(enforceable=False))])

    answer = cli.json(*ASSESS, *JANUARY)

    assert answer["state"] == "preview"
    assert answer["enforceable"] is False
    assert answer["amount"] == {"currency_code": "USD", "units": 15_000, "nanos": 0}
    assert len(answer["readings"]) == 64
    assert answer["exempt"] == []
    assert answer["periods"][0]["since"] == "2026-01-01T00:30:00.000001Z"
    assert "recorded_at" not in answer


def test_an_assessment_is_put_on_record(script: Script, cli: Cli) -> None:
    script.stream("RecordAssessment", [pb.RecordAssessmentResponse(assessment=on_record())])

    said = cli(*ASSESS, *JANUARY, "--record").splitlines()

    assert said[-4:] == [
        f"Assessment {ASSESSMENT_ID} is recorded; claimed now: USD 15,000.00.",
        "Recorded at 2026-01-31 00:00:00.000 UTC by operator:lena, as of revision 7.",
        f"Evidence: 2 rows. Digest of it all: {'02' * 32}",
        f"The bundle for the other side: sluice damages export {ASSESSMENT_ID} FOLDER",
    ]
    assert not script.asked["PreviewAssessment"]


@pytest.mark.parametrize("rpc", ["PreviewAssessment", "RecordAssessment"])
def test_an_answer_in_parts_is_put_together(script: Script, cli: Cli, rpc: str) -> None:
    kind = {
        "PreviewAssessment": pb.PreviewAssessmentResponse,
        "RecordAssessment": pb.RecordAssessmentResponse,
    }
    script.stream(rpc, [kind[rpc](assessment=part) for part in halves(on_record())])

    answer = cli.json(*ASSESS, *JANUARY, *(["--record"] if rpc == "RecordAssessment" else []))

    assert len(answer["readings"]) == 64
    assert answer["amount"]["units"] == 15_000


def test_it_is_told_how_far_it_is(script: Script, cli: Cli) -> None:
    kind = pb.RecordAssessmentResponse
    steps = [
        *(going_on(kind, pb.ASSESSMENT_STAGE_READINGS, done, 64) for done in (1, 2)),
        going_on(kind, pb.ASSESSMENT_STAGE_EVIDENCE, 65_536, 100_000),
        kind(assessment=on_record()),
    ]
    script.stream("RecordAssessment", steps)

    cli(*ASSESS, *JANUARY, "--record")
    for_people = cli.err.splitlines()
    cli.json(*ASSESS, *JANUARY, "--record")

    assert for_people == ["Looking for the periods under each reading ...", "Reading the evidence ..."]
    assert [json.loads(line) for line in cli.err.splitlines()] == [
        {"step": "Looking for the periods under each reading"},
        {"step": "Reading the evidence"},
    ]


def test_a_stream_that_was_lost_is_asked_for_again_with_the_same_id(script: Script, cli: Cli) -> None:
    kind = pb.RecordAssessmentResponse
    script.stream(
        "RecordAssessment",
        [going_on(kind, pb.ASSESSMENT_STAGE_READINGS, 1, 64), LOST],
        [kind(assessment=on_record())],
    )

    answer = cli.json(*ASSESS, *JANUARY, "--record")

    first, second = script.asked["RecordAssessment"]
    assert answer["assessment_id"] == ASSESSMENT_ID
    assert first == second
    assert first.request_id


@pytest.mark.parametrize(
    "refusal",
    [
        not_found("GROUP_UNKNOWN", "there is no such group"),
        precondition("SUMS_DIFFER", "the sums are not those of the entries"),
    ],
)
def test_what_metering_refuses_is_said(script: Script, cli: Cli, refusal: Refusal) -> None:
    script.stream("PreviewAssessment", [refusal])

    assert cli.refusal(*ASSESS, *JANUARY)["message"] == refusal.message


def test_every_page_of_assessments_is_listed(script: Script, cli: Cli) -> None:
    second = on_record(
        scope=damages_pb2.AssessmentScope(of=UsageOf(group_id="red"), since=SINCE, until=UNTIL),
        state=damages_pb2.ASSESSMENT_STATE_REDUCED,
        amount_in_force=usd(12_000, 500_000_000),
    )
    script.answer(
        "ListAssessments",
        pb.ListAssessmentsResponse(assessments=[on_record()], next_page_token="next"),
        pb.ListAssessmentsResponse(assessments=[second]),
    )

    listed = cli.json("damages", "list")
    told = " ".join(cli("damages", "list").split())

    assert [each["state"] for each in listed] == ["recorded", "reduced"]
    assert [request.page_token for request in script.asked["ListAssessments"]] == ["", "next", ""]
    assert not script.asked["ListAssessments"][0].HasField("of")
    assert "liable" not in listed[0]
    assert "USD 12,000.50" in told
    assert ASSESSMENT_ID in told


def test_assessments_of_one_are_listed(script: Script, cli: Cli) -> None:
    script.answer("ListAssessments", pb.ListAssessmentsResponse())

    assert cli("damages", "list", "--group", "red") == "No assessments are on record.\n"
    assert script.asked["ListAssessments"][0].of == UsageOf(group_id="red")
    assert "not two" in cli.wrong("damages", "list", "--group", "red", "--party", "acme")


def test_an_assessment_on_record_is_shown_with_where_it_stands(script: Script, cli: Cli) -> None:
    reduced = on_record(state=damages_pb2.ASSESSMENT_STATE_REDUCED, amount_in_force=usd(12_000))
    script.stream("GetAssessment", [pb.GetAssessmentResponse(assessment=part) for part in halves(reduced)])

    said = cli("damages", "show", ASSESSMENT_ID)
    answer = cli.json("damages", "show", ASSESSMENT_ID)

    assert f"Assessment {ASSESSMENT_ID} is reduced; claimed now: USD 12,000.00." in said.splitlines()
    assert answer["amount_in_force"]["units"] == 12_000
    assert answer["digest"] == "02" * 32
    assert len(answer["readings"]) == 64


def test_an_assessment_that_is_not_there_is_said_not_to_be(script: Script, cli: Cli) -> None:
    script.stream("GetAssessment", [not_found("ASSESSMENT_UNKNOWN", "there is no such assessment")])

    assert cli.refusal("damages", "show", ASSESSMENT_ID)["reason"] == "ASSESSMENT_UNKNOWN"
