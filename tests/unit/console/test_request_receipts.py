"""`sluice receipt verify-request`, with the files that a licensee has kept (R3)."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.gate import jwks
from tests.support.licensee_receipts import REQUEST, a_told_decision
from tests.support.scripted import Script


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with the request as it was sent to its path, without the license, and the answer."""
    body = json_format.MessageToDict(REQUEST)
    del body["licenseId"]
    answer = pb.RequestReleaseResponse(decision=a_told_decision())
    (tmp_path / "request.json").write_text(json.dumps(body))
    (tmp_path / "release.json").write_text(json_format.MessageToJson(answer))
    (tmp_path / "receipt-jwks.json").write_bytes(jwks())
    return tmp_path


def verify(kept: Path, *more: object) -> tuple[object, ...]:
    files = (kept / "request.json", kept / "release.json", "--keys", kept / "receipt-jwks.json")
    return ("receipt", "verify-request", *files, *more)


def test_a_licensee_verifies_what_they_have_kept(kept: Path, cli: Cli) -> None:
    said = cli(*verify(kept, "--license", "acme-training"))

    assert "acme asked under acme-training for ai_training_generative, about 4 posts:" in said
    assert said.splitlines()[-1].startswith("The platform has signed this: these posts")


def test_each_post_has_its_verdict_for_programs(kept: Path, cli: Cli) -> None:
    answer = cli.json(*verify(kept, "--license", "acme-training"))

    assert [each["verdict"] for each in answer["verdicts"]] == [
        *("released", "not_available", "not_covered", "duplicate")
    ]
    assert answer["each_verdict_is_signed"]


def test_another_post_in_the_request_is_found(kept: Path, cli: Cli) -> None:
    body = json.loads((kept / "request.json").read_text())
    body["postIds"][1] = "8"
    (kept / "request.json").write_text(json.dumps(body))

    assert cli.refusal(*verify(kept, "--license", "acme-training"))["reason"] == "REQUEST_DIFFERS"


def test_verdicts_that_have_changed_places_are_found(kept: Path, cli: Cli) -> None:
    answer = json.loads((kept / "release.json").read_text())
    assert answer["decision"]["verdicts"] == "AQMCBQ=="
    answer["decision"]["verdicts"] = "AwECBQ=="
    (kept / "release.json").write_text(json.dumps(answer))

    assert cli.refusal(*verify(kept, "--license", "acme-training"))["reason"] == "VERDICTS_DIFFER"


def test_another_license_than_that_of_the_request_is_found(kept: Path, cli: Cli) -> None:
    assert cli.refusal(*verify(kept, "--license", "acme-search"))["reason"] == "REQUEST_DIFFERS"
    (kept / "request.json").write_text(json_format.MessageToJson(REQUEST))
    assert cli.refusal(*verify(kept, "--license", "acme-search"))["reason"] == "REQUEST_DIFFERS"
    assert cli.json(*verify(kept))["verified"]


def test_a_request_without_a_license_is_not_taken_for_one_of_whatever_the_receipt_says(
    kept: Path, cli: Cli
) -> None:
    assert "--license" in cli.wrong(*verify(kept))


@pytest.mark.parametrize("content", [b"", b'"x"', b'{"unknown": 1}', b"\xff"])
def test_files_that_are_something_else_are_refused(kept: Path, cli: Cli, content: bytes) -> None:
    (kept / "release.json").write_bytes(content)
    assert cli.refusal(*verify(kept, "--license", "acme-training"))["reason"] in {
        *("ANSWER_MALFORMED", "RECEIPT_MALFORMED")
    }
    (kept / "request.json").write_bytes(content)
    refused = cli.refusal(*verify(kept, "--license", "acme-training"))
    assert refused["reason"] == "REQUEST_MALFORMED"


def test_what_the_command_line_keeps_of_a_request_is_what_is_verified(
    kept: Path, script: Script, cli: Cli
) -> None:
    script.answer("RequestRelease", pb.RequestReleaseResponse(decision=a_told_decision()))
    asking = ("licensee", "request", "--license", "acme-training", "--licensee", "acme", "--keep", kept)
    ids = list(REQUEST.post_ids)
    same = ("--purpose", "ai_training_generative", "--request-id", REQUEST.request_id)

    cli(*asking, *same, *ids)

    assert cli.json(*verify(kept))["outcome"] == "partial"
