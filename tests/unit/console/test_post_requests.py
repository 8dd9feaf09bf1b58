"""`sluice licensee request`, against a licensing that answers as it is told."""

from pathlib import Path

import pytest

from services.chassis.refusals import Kind, Refusal, forbidden
from services.console.moments import read
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.type.v1.purpose_pb2 import Purpose
from tests.support.command_line import Cli
from tests.support.scripted import Script

DECISION = pb.Decision(
    decision_id="01999999-1111-7000-8000-000000000000",
    license_id="acme-training",
    outcome=pb.OUTCOME_PARTIAL,
    verdicts=bytes([Verdict.VERDICT_RELEASED, Verdict.VERDICT_NOT_AVAILABLE]),
    not_after=read("2026-01-31T12:00:30Z"),
    receipt="a.b.c",
)
ASKING = ("licensee", "request", "--license", "acme-training", "--purpose", "ai_input", "--licensee", "acme")
LARGE = 2**64 - 1


def test_a_licensee_is_shown_what_may_be_fetched_and_until_when(script: Script, cli: Cli) -> None:
    script.answer("RequestRelease", pb.RequestReleaseResponse(decision=DECISION))

    said = cli(*ASKING, 11, LARGE)

    (asked,) = script.asked["RequestRelease"]
    assert (asked.license_id, asked.purpose) == ("acme-training", Purpose.PURPOSE_AI_INPUT)
    assert list(asked.post_ids) == [11, LARGE]
    assert f"Decision {DECISION.decision_id}: partial." in said
    assert said.splitlines()[-1] == "To be fetched until 2026-01-31 12:00:30.000 UTC: 11"
    assert f"Request {asked.request_id}." in cli.err


def test_ids_come_out_of_files_too_in_their_order(script: Script, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("5\n\n 6 \n")
    two = pb.Decision()
    two.CopyFrom(DECISION)
    two.verdicts = bytes([1, 3, 1, 5])
    script.answer("RequestRelease", pb.RequestReleaseResponse(decision=two))

    answer = cli.json(*ASKING, 7, tmp_path / "ids", 7)

    assert [each["post_id"] for each in answer["verdicts"]] == ["7", "5", "6", "7"]
    assert [each["verdict"] for each in answer["verdicts"]] == [
        *("released", "not_available", "released", "duplicate")
    ]


@pytest.mark.parametrize("given", ["x", "", str(2**64), "no/such/file", "1.5"])
def test_what_is_neither_an_id_nor_a_file_is_refused_before_anything_is_asked(
    script: Script, cli: Cli, given: str
) -> None:
    assert cli.refusal(*ASKING, given)["reason"] == "POST_IDS_MALFORMED"
    assert script.asked["RequestRelease"] == []


def test_a_file_with_a_line_that_is_no_id_is_refused_with_the_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("5\nfive\n")

    refused = cli.refusal(*ASKING, tmp_path / "ids")

    assert refused["reason"] == "POST_IDS_MALFORMED"
    assert "line 2" in refused["message"]


def test_the_same_request_can_be_asked_again(script: Script, cli: Cli) -> None:
    script.answer("RequestRelease", pb.RequestReleaseResponse(decision=DECISION))
    request_id = "01999999-2222-7000-8000-000000000000"

    cli(*ASKING, 11, 12, "--request-id", request_id)

    assert script.asked["RequestRelease"][0].request_id == request_id


def test_whoever_is_no_licensee_is_told_how_to_be_one(script: Script, cli: Cli) -> None:
    script.answer("RequestRelease", forbidden("NOT_ADMITTED", "not for you"))

    assert "--api-key-file" in cli.refusal(*ASKING[:-2], 11)["message"]


def test_without_room_for_denials_the_time_to_try_again_is_told(script: Script, cli: Cli) -> None:
    exhausted = Refusal(
        Kind.EXHAUSTED, "PROBES_EXHAUSTED", "only 10000 posts may be denied", retry_after_us=2_000_000
    )
    script.answer("RequestRelease", exhausted)

    cli(*ASKING, 11, status=1)

    assert "try again in 2 s" in cli.err


def test_a_long_time_to_wait_is_told_in_hours(script: Script, cli: Cli) -> None:
    exhausted = Refusal(
        Kind.EXHAUSTED, "PROBES_EXHAUSTED", "only 10000 posts may be denied", retry_after_us=86_395_600_000
    )
    script.answer("RequestRelease", exhausted)

    cli(*ASKING, 11, status=1)

    assert "try again in 24 hours" in cli.err


def test_which_posts_were_denied_is_told_some_of_many_by_name(script: Script, cli: Cli) -> None:
    decision = pb.Decision()
    decision.CopyFrom(DECISION)
    decision.verdicts = bytes([1, 2, 4, 5] + [3] * 25)
    script.answer("RequestRelease", pb.RequestReleaseResponse(decision=decision))

    said = cli(*ASKING, *range(1, 30)).splitlines()

    assert "Not covered by the license: 2" in said
    assert "No room now: 3" in said
    assert "Named before: 4" in said
    (denied,) = (line for line in said if line.startswith("Not available:"))
    assert denied == f"Not available: {' '.join(map(str, range(5, 25)))} ... and 5 more; --json lists all"
