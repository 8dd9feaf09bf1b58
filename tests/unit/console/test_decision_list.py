"""`sluice decision list`, against a licensing that answers as it is told."""

import time

import pytest

from services.chassis.refusals import exhausted
from services.console import output
from services.console.moments import read
from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.scripted import Script

IDS = [f"019a0000-0000-7000-8000-00000000000{digit}" for digit in range(4)]
REQUEST = "019b0000-0000-7000-8000-000000000000"


def a_decision(number: int) -> pb.DecisionSummary:
    return pb.DecisionSummary(
        decision_id=IDS[number],
        receipt_number=number,
        request_id=REQUEST,
        asked_by="pipeline:firehose",
        licensee_id="acme",
        license_id="acme-training",
        license_version=2,
        purpose=2,  # type: ignore[arg-type]
        outcome=pb.OUTCOME_PARTIAL,
        posts_asked=1_200,
        posts_released=7,
        decided_at=read("2026-01-31T23:30:00.25Z"),
    )


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "WIDTH_WITHOUT_TERMINAL", 160)


def test_decisions_are_a_table_with_the_times_of_a_zone(script: Script, cli: Cli) -> None:
    script.answer("ListDecisions", pb.ListDecisionsResponse(decisions=[a_decision(3)]))

    lines = cli("decision", "list", "--zone", "Europe/Berlin").splitlines()

    assert lines[1].split() == [
        *(IDS[3], "3", "2026-02-01", "00:30:00", "+01:00"),
        *("acme-training", "ai_training_generative", "partial", "7", "of", "1,200"),
    ]


def test_times_are_those_of_the_machine_unless_a_zone_is_named(
    script: Script, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.answer("ListDecisions", pb.ListDecisionsResponse(decisions=[a_decision(3)]))
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()

    lines = cli("decision", "list").splitlines()
    monkeypatch.undo()
    time.tzset()

    assert lines[1].split()[2:5] == ["2026-02-01", "05:00:00", "+05:30"]


def test_what_is_asked_for_is_what_the_options_say(script: Script, cli: Cli) -> None:
    script.answer("ListDecisions", pb.ListDecisionsResponse())

    told = cli(
        *("decision", "list", "--licensee", "acme", "--license", "acme-training", "--outcome", "denied"),
        *("--since", "2026-01-31", "--until", "2026-02-01T00:00:00+01:00", "--request", REQUEST),
        *("--receipt", 17, "--limit", 20),
    )

    assert told == "There is no such decision.\n"
    assert script.asked["ListDecisions"] == [
        pb.ListDecisionsRequest(
            licensee_id="acme",
            license_id="acme-training",
            outcome=pb.OUTCOME_DENIED,
            since=read("2026-01-31"),
            until=read("2026-01-31T23:00:00Z"),
            request_id=REQUEST,
            receipt_number=17,
            page_size=21,
        )
    ]


def test_empty_pages_are_gone_past_and_the_end_is_where_no_page_follows(script: Script, cli: Cli) -> None:
    script.answer(
        "ListDecisions",
        pb.ListDecisionsResponse(next_page_token="a"),
        pb.ListDecisionsResponse(decisions=[a_decision(3)], next_page_token="b"),
        pb.ListDecisionsResponse(next_page_token="c"),
        pb.ListDecisionsResponse(decisions=[a_decision(1)]),
    )

    found = cli.json("decision", "list")

    assert [decision["receipt_number"] for decision in found] == [3, 1]
    assert [each.page_token for each in script.asked["ListDecisions"]] == ["", "a", "b", "c"]


def test_it_stops_at_the_limit_and_says_that_there_are_more(script: Script, cli: Cli) -> None:
    pages = [a_decision(3), a_decision(2), a_decision(1)]
    script.answer("ListDecisions", pb.ListDecisionsResponse(decisions=pages, next_page_token="a"))

    lines = cli("decision", "list", "--limit", 2).splitlines()

    assert [line.split()[0] for line in lines[1:]] == [IDS[3], IDS[2]]
    assert cli.err == "These are the newest 2: there are more, see --limit and --until.\n"
    assert len(script.asked["ListDecisions"]) == 1


def test_json_tells_all_that_is_known_in_utc(script: Script, cli: Cli) -> None:
    script.answer("ListDecisions", pb.ListDecisionsResponse(decisions=[a_decision(3)]))

    assert cli.json("decision", "list", "--zone", "Europe/Berlin") == [
        {
            "decision_id": IDS[3],
            "receipt_number": 3,
            "request_id": REQUEST,
            "asked_by": "pipeline:firehose",
            "licensee_id": "acme",
            "license_id": "acme-training",
            "license_version": 2,
            "purpose": "ai_training_generative",
            "outcome": "partial",
            "posts_asked": 1200,
            "posts_released": 7,
            "decided_at": "2026-01-31T23:30:00.250000Z",
            "trace_id": "",
        }
    ]


def test_a_zone_that_there_is_none_of_is_refused_before_anything_is_asked(script: Script, cli: Cli) -> None:
    cli("decision", "list", "--zone", "Atlantis", status=2)

    assert "--zone" in cli.err
    assert not script.asked


def test_a_service_that_is_busy_is_told_of(script: Script, cli: Cli) -> None:
    script.answer("ListDecisions", exhausted("DECISIONS_BUSY", "too many", retry_after_us=1_000_000))

    cli("decision", "list", status=1)

    assert "DECISIONS_BUSY" in cli.err
