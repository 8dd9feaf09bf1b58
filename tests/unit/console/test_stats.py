"""`sluice stats`, against a licensing that answers as it is told."""

from services.console.moments import read
from sluice.licensing.v1 import statistics_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from tests.support.command_line import Cli
from tests.support.scripted import Script

TRAINING = 2
RELEASED = pb.PostCount(verdict=Verdict.VERDICT_RELEASED, reason=Reason.REASON_RELEASED, posts=1_234)
DENIED = pb.PostCount(verdict=Verdict.VERDICT_NOT_AVAILABLE, reason=Reason.REASON_CHOICE_DENIES, posts=7)
FIRST = pb.DecisionStats(
    since=read("2026-01-31T12:00:00Z"),
    licensee_id="acme",
    purpose=TRAINING,  # type: ignore[arg-type]
    decisions_released=2,
    decisions_partial=1,
    posts=[RELEASED, DENIED],
)
SECOND = pb.DecisionStats(
    since=read("2026-01-31T13:00:00Z"),
    licensee_id="acme",
    purpose=99,  # type: ignore[arg-type]
    decisions_denied=1,
    posts=[pb.PostCount(verdict=Verdict.VERDICT_NOT_COVERED, posts=3)],
)


def test_counts_are_a_table_with_a_line_for_each_reason_over_all_pages(script: Script, cli: Cli) -> None:
    script.answer(
        "GetDecisionStats",
        pb.GetDecisionStatsResponse(rows=[FIRST], next_page_token="more", as_of_receipt_number=8),
        pb.GetDecisionStatsResponse(rows=[SECOND], as_of_receipt_number=9),
    )

    lines = cli("stats", "--by", "hour", "--licensee", "acme", "--since", "2026-01-31").splitlines()

    assert [line.split() for line in lines[1:4]] == [
        ["2026-01-31", "12", "acme", "ai_training_generative", "2", "1", "0", "released", "1,234"],
        ["not_available,", "choice_denies", "7"],
        ["2026-01-31", "13", "acme", "99", "0", "0", "1", "not_covered", "3"],
    ]
    assert lines[-1].startswith("As of receipt 9.")
    first, second = script.asked["GetDecisionStats"]
    assert (first.by, first.licensee_id, first.since) == (pb.STATS_STRETCH_HOUR, "acme", read("2026-01-31"))
    assert (first.page_token, second.page_token) == ("", "more")


def test_sums_of_all_together_are_said_to_be_of_all(script: Script, cli: Cli) -> None:
    sums = pb.DecisionStats(since=read("2026-01-31"), decisions_released=5, posts=[RELEASED])
    script.answer("GetDecisionStats", pb.GetDecisionStatsResponse(rows=[sums], as_of_receipt_number=9))

    lines = cli("stats", "--together").splitlines()

    assert lines[1].split() == ["2026-01-31", "all", "all", "5", "0", "0", "released", "1,234"]
    assert script.asked["GetDecisionStats"][0].together


def test_counts_are_json_with_what_is_0(script: Script, cli: Cli) -> None:
    script.answer("GetDecisionStats", pb.GetDecisionStatsResponse(rows=[SECOND], as_of_receipt_number=9))

    told = cli.json("stats")

    assert told["as_of_receipt_number"] == 9
    assert told["rows"][0]["decisions_released"] == 0
    assert told["rows"][0]["posts"] == [{"verdict": "not_covered", "posts": 3}]


def test_the_end_of_the_time_is_the_stretch_that_it_lies_in_unless_it_begins_one(cli: Cli) -> None:
    said = " ".join(cli("stats", "--help").replace("│", " ").split())

    assert "Up to and with the stretch that the moment before this time lies in." in said


def test_sums_are_made_anew(script: Script, cli: Cli) -> None:
    script.answer("RebuildDecisionStats", pb.RebuildDecisionStatsResponse(up_to_receipt_number=1_000))

    assert cli("stats", "rebuild") == "The sums are made anew, up to receipt 1,000 at least.\n"
    assert cli.json("stats", "rebuild") == {"up_to_receipt_number": 1_000}
