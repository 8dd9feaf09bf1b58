"""A licensee asks by post id, from the command line, of real services; and of a directory that is killed."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Cli
from tests.support.up import Up, up
from tests.support.waiting import PATIENCE_SECONDS

NOTICE = hashlib.sha256(b"notice").hexdigest()
POLICY = f"""\
text_digest: {NOTICE}
notice_digests: [{NOTICE}]
rules:
  - {{jurisdiction: US, purpose: third_party_sharing, regime: opt_out}}
  - {{jurisdiction: US, purpose: ai_training_generative, regime: opt_out}}
"""
LICENSE = f"""\
license_id: acme-training
terms:
  licensee_id: acme
  template: commercial
  purposes: [ai_training_generative]
  kinds: [post]
  languages: [en]
  author_jurisdictions: [US]
  territory: ["*"]
  term_from: 2020-01-01
  term_until: 2100-01-01
  obligations: {{recall_deadline_days: 15, no_reidentification: true}}
  contract_digest: {NOTICE}
"""
ASKING = ("licensee", "request", "--license", "acme-training", "--purpose", "ai_training_generative")
LARGE = 2**64 - 1
QUICKLY = ("--set", "licensing.peer_deadline_seconds=2", "--set", "directory.drain_grace=0")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("requests") / "state", "--directory", *QUICKLY) as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture(autouse=True)
def key(cli: Cli, running: Up) -> Path:
    """The key of the licensee, once there is a policy, a license, people, and posts in the directory."""
    folder = running.state.parent
    key = folder / "acme.key"
    if key.exists():
        return key
    posts = "".join(
        json.dumps(
            {"id": str(id), "author_id": author, "created_at": "2026-01-31T12:00:00Z", "kind": "post"}
        )[:-1]
        + ', "language": "en"}\n'
        for id, author in ((101, 11), (102, 12), (LARGE, 11))
    )
    subjects = "subject_id,jurisdiction,states,notice\n" + "".join(f"{n},US,,{NOTICE}\n" for n in (11, 12))
    files = {"policy.yaml": POLICY, "license.yaml": LICENSE, "subjects.csv": subjects, "posts.jsonl": posts}
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    cli("policy", "publish", folder / "policy.yaml", "--effective-in", "0.5")
    cli("licensee", "create", "acme", "--name", "Acme")
    cli("license", "create", folder / "license.yaml")
    cli("license", "activate", "acme-training")
    cli("subjects", "import", folder / "subjects.csv")
    cli("choices", "record", 12, "deny")
    assert cli.json("directory", "import", folder / "posts.jsonl")["kept"] == 3
    cli("key", "create", "--kind", "licensee", "--party", "acme", "--label", "posts", "--out", key)
    while not cli.json("policy", "list")[0].get("activated_at"):
        continue
    return key


def verdicts(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["verdict"] for each in answer["verdicts"]]


def test_an_api_key_is_enough_to_ask_and_what_is_not_available_says_not_why(cli: Cli, key: Path) -> None:
    answer = cli.json(*ASKING, 101, 102, 999, LARGE, "--api-key-file", key)

    assert verdicts(answer) == ["released", "not_available", "not_available", "released"]
    assert not {"reasons", "salt", "consent_revision", "policy_version"} & answer.keys()
    exact = cli.json("decision", "show", answer["decision_id"])["reasons"]
    assert exact == ["released", "choice_denies", "post_unknown", "released"]


def test_what_the_directory_knows_of_a_post_is_shown(cli: Cli) -> None:
    assert cli.json("directory", "show", LARGE)["author_id"] == "11"


def test_one_trace_goes_through_the_directory_too(cli: Cli, key: Path) -> None:
    answer = cli.json(*ASKING, 101, "--api-key-file", key)

    spans = cli.json("trace", answer["decision_id"])

    assert {span["service"] for span in spans} == {"consent", "directory", "licensing", "metering"}


def test_a_directory_that_is_killed_costs_a_moment_and_no_answer_that_was_given(
    cli: Cli, key: Path, running: Up
) -> None:
    request_id = f"{int(time.time() * 1000):012x}"
    request_id = f"{request_id[:8]}-{request_id[8:]}-7000-8000-000000000001"
    again = [*ASKING, 101, 999, "--api-key-file", key, "--request-id", request_id]
    first = cli.json(*again)
    os.kill(running.services()["directory"]["pid"], signal.SIGKILL)

    replayed = cli.json(*again)
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            fresh = cli.json(*ASKING, 101, 999, "--api-key-file", key)
            break
        except AssertionError:
            assert json.loads(cli.err)["refusal"]["reason"] == "PEER_UNAVAILABLE"
    else:
        raise AssertionError("the directory did not come back")

    assert (replayed["decision_id"], replayed["receipt"]) == (first["decision_id"], first["receipt"])
    assert verdicts(fresh) == ["released", "not_available"]


def test_licensing_that_is_killed_between_a_request_and_its_repeat_gives_the_same_answer(
    cli: Cli, key: Path, running: Up
) -> None:
    request_id = f"{int(time.time() * 1000):012x}"
    request_id = f"{request_id[:8]}-{request_id[8:]}-7000-8000-000000000002"
    token = json.loads(cli("token", "get", "--api-key-file", key, "--json"))["token"]
    token_file = running.state.parent / "acme.token"
    token_file.write_text(token, encoding="ascii")
    again = [*ASKING, 101, 102, "--token-file", token_file, "--request-id", request_id]
    first = cli.json(*again)
    os.kill(running.services()["licensing"]["pid"], signal.SIGKILL)
    running.says("licensing is running again")

    repeated = cli.json(*again)

    assert repeated["replayed"]
    assert (repeated["decision_id"], repeated["verdicts"]) == (first["decision_id"], first["verdicts"])
