"""API keys and the keys that sign, worked with as people do: from a key to posts, and through a rotation."""

import base64
import contextlib
import hashlib
import json
import resource
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command_line import Cli
from tests.support.up import Up, up

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
  obligations: {{recall_deadline_days: 30, no_reidentification: true}}
  contract_digest: {NOTICE}
"""
POST = {"id": "7", "author_id": 1, "created_at": "2026-01-31T12:00:00Z", "kind": "post", "language": "en"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("keys") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture
def world(cli: Cli, tmp_path: Path) -> Path:
    """A policy in effect, a license, and a post of a subject; the same again changes nothing."""
    if not cli.json("policy", "list"):
        for name, content in (("policy.yaml", POLICY), ("license.yaml", LICENSE)):
            (tmp_path / name).write_text(content, encoding="utf-8")
        cli("policy", "publish", tmp_path / "policy.yaml", "--effective-in", "0.5")
        cli("licensee", "create", "acme", "--name", "Acme")
        cli("license", "create", tmp_path / "license.yaml")
        cli("license", "activate", "acme-training")
    subjects = tmp_path / "subjects.csv"
    subjects.write_text(f"subject_id,jurisdiction,states,notice\n1,US,,{NOTICE}\n", encoding="utf-8")
    cli("subjects", "import", subjects)
    while not cli.json("policy", "list")[0].get("activated_at"):
        continue
    (tmp_path / "posts.jsonl").write_text(json.dumps(POST) + "\n", encoding="utf-8")
    return tmp_path


def a_key(cli: Cli, out: Path, *more: object, party: str = "exports") -> str:
    """The id of a new key, which lies in `out`."""
    created = cli.json(*creating(out, party), *more)
    assert "secret" not in created
    return str(created["key_id"])


def creating(out: Path, party: str) -> list[object]:
    return ["key", "create", "--kind", "pipeline", "--party", party, "--label", "nightly", "--out", out]


def release(cli: Cli, folder: Path, key: Path, out: str) -> dict[str, object]:
    said: dict[str, object] = cli.json(*releasing(folder, out), "--api-key-file", key)
    return said


def releasing(folder: Path, out: str) -> list[object]:
    asked: list[object] = ["release", folder / "posts.jsonl", "--license", "acme-training"]
    return [*asked, "--purpose", "ai_training_generative", "--out", folder / out]


def test_a_pipeline_goes_from_a_key_to_posts(cli: Cli, world: Path) -> None:
    key = world / "exports.key"
    a_key(cli, key)

    said = release(cli, world, key, "released.jsonl")

    assert said["released"] == 1
    assert (world / "released.jsonl").read_bytes() == (world / "posts.jsonl").read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().startswith("sluice_live_")


def test_a_sandbox_key_leaves_nothing_says_so_and_advises_nothing(cli: Cli, world: Path) -> None:
    key, token = world / "trial.key", world / "trial.token"
    a_key(cli, key, "--sandbox", party="trial")
    token.write_text(cli("token", "get", "--api-key-file", key))
    before = sorted(world.iterdir())

    refused = cli.refusal(*releasing(world, "tried.jsonl"), "--api-key-file", key)
    with_key = cli.err
    said = cli.json(*releasing(world, "tried.jsonl"), "--token-file", token, status=1)
    cli(*releasing(world, "tried.jsonl"), "--token-file", token, status=1)

    assert (refused["reason"], said["reason"], said["released"]) == ("SANDBOX_KEY", "SANDBOX_KEY", 0)
    assert "sandbox key" in refused["message"]
    assert sorted(world.iterdir()) == before
    assert "--resume" not in with_key
    assert "Stopped (SANDBOX_KEY)" in cli.err.splitlines()[-1]


def test_a_key_gets_tokens_until_it_is_revoked(
    cli: Cli, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world / "another.key"
    key_id = a_key(cli, key, party="another")

    got = cli.json("token", "get", "--api-key-file", key)
    monkeypatch.setenv("SLUICE_API_KEY", key.read_text().strip())
    token = cli("token", "get").strip()
    cli("key", "revoke", key_id)
    refused = cli.refusal("token", "get")

    assert got["holder"] == {"kind": "pipeline", "party": "another"}
    assert token.count(".") == 2
    assert refused["reason"] == "API_KEY_INVALID"
    listed = {each["key_id"]: each for each in cli.json("key", "list")}
    assert "revoked_at" in listed[key_id]


def test_a_third_key_is_refused_and_leaves_no_file(cli: Cli, world: Path) -> None:
    for name in ("one", "two"):
        a_key(cli, world / name, party="crowded")

    refused = cli.refusal(*creating(world / "three", party="crowded"))

    assert refused["reason"] == "TOO_MANY_KEYS"
    assert not (world / "three").exists()


def test_a_key_that_finds_no_room_on_the_disk_is_revoked_and_leaves_no_file(cli: Cli, world: Path) -> None:
    with files_of_at_most(10):
        refused = cli.refusal(*creating(world / "full.key", party="full"))

    assert refused["reason"] == "API_KEY_NOT_WRITTEN"
    assert not (world / "full.key").exists()
    (key,) = [each for each in cli.json("key", "list") if each["holder"]["party"] == "full"]
    assert "revoked_at" in key


@contextlib.contextmanager
def files_of_at_most(length: int) -> Iterator[None]:
    """While it is open, no file that this process writes gets longer than so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_without_a_key_there_is_no_token(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").write_text("\n")
    monkeypatch.delenv("SLUICE_API_KEY", raising=False)

    assert cli.refusal("token", "get")["reason"] == "API_KEY_MISSING"
    assert cli.refusal("token", "get", "--api-key-file", tmp_path / "empty")["reason"] == "API_KEY_MISSING"


def test_services_that_run_go_on_through_a_rotation(cli: Cli, world: Path) -> None:
    key = world / "rotating.key"
    a_key(cli, key, party="rotating")
    before = {each["kid"]: each["state"] for each in cli.json("keys", "list")}

    after = {each["kid"]: each for each in cli.json("keys", "rotate", "token", "--overlap", "1h")}

    (old,) = [kid for kid, state in before.items() if state == "signing"]
    (new,) = [kid for kid, each in after.items() if each["state"] == "signing"]
    assert old != new
    assert after[old]["state"] == "retired"
    assert after[old]["until"]
    # Licensing calls consent and metering with the new key, and the command line is believed with it too.
    assert release(cli, world, key, "after.jsonl")["released"] == 1
    assert cli.json("licensee", "list")


def test_r6_receipts_and_checkpoints_stay_verifiable_through_a_rotation_under_way(
    cli: Cli, world: Path, running: Up
) -> None:
    key, log = world / "lasting.key", running.state / "log"
    a_key(cli, key, party="lasting")
    release(cli, world, key, "first.jsonl")
    cli("log", "checkpoint", "--out", world / "kept")

    for which in ("receipt", "checkpoint"):
        assert len(cli.json("keys", "rotate", which)) == 2
    release(cli, world, key, "second.jsonl")
    second = decided(world / "second.jsonl.receipts.jsonl")
    while cli.json("log", "verify", log, "--kept", world / "kept")["size"] < second.number:
        continue

    for out in ("first.jsonl", "second.jsonl"):
        assert cli.json("receipt", "verify", world / out, "--log", log)["delivered"] == 1
    (old,) = [each["kid"] for each in cli.json("keys", "list", "receipt") if each["state"] == "retired"]
    since = decided(world / "first.jsonl.receipts.jsonl").at.replace(microsecond=0) + timedelta(seconds=1)
    while datetime.now(UTC) < since:
        continue
    cli("keys", "revoke", "receipt", old, "--since", since.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert cli.json("receipt", "verify", world / "second.jsonl")["under_revoked_keys"] == 0
    cli("receipt", "verify", world / "first.jsonl")
    assert "of a key that was revoked later" in cli.err
    cli("subjects", "proof", 1, second.decision_id, "--out", world / "mine.manifest-proof")
    shown = cli.json("subjects", "verify-proof", world / "mine.manifest-proof", "--log", log)
    assert (shown["subject_id"], shown["posts"]) == ("1", ["7"])


class Decided(NamedTuple):
    """What a receipt says."""

    decision_id: str
    number: int
    at: datetime


def decided(receipts: Path) -> Decided:
    """The decision of a release of one batch."""
    payload = json.loads(receipts.read_text())["receipt"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return Decided(claims["decision_id"], claims["number"], datetime.fromisoformat(claims["decided_at"]))


def test_an_overlap_that_ends_before_the_tokens_do_takes_force(cli: Cli) -> None:
    before = cli.json("keys", "list")

    refused = cli.refusal("keys", "rotate", "token", "--overlap", "1s")

    assert refused["reason"] == "OVERLAP_TOO_SHORT"
    assert cli.json("keys", "list") == before
    assert len(cli.json("keys", "rotate", "token", "--overlap", "59m", "--force")) == len(before) + 1


@pytest.mark.parametrize("command", ["token", "release"])
def test_a_key_goes_to_another_machine_only_where_that_is_said(cli: Cli, world: Path, command: str) -> None:
    key = world / "remote.key"
    key.write_text("sluice_live_0123456789abcdef_x")
    asked = ["token", "get"] if command == "token" else releasing(world, "remote.jsonl")
    there = ("--licensing", "licensing.invalid:1", "--api-key-file", key)

    refused = cli.refusal(*asked, *there)
    sent = cli.refusal(*asked, *there, "--insecure")

    assert (refused["reason"], sent["reason"]) == ("PLAINTEXT", "UNAVAILABLE")


@pytest.mark.parametrize("given", ["xyz", "sluice_live_0123456789abcdef_secret"])
def test_what_is_no_id_of_a_key_is_told_in_words_and_not_repeated(cli: Cli, given: str) -> None:
    told = cli.wrong("key", "revoke", given)

    assert "16 digits" in told
    assert given not in told


def test_there_is_nothing_to_rotate_where_nothing_is_installed(cli: Cli, tmp_path: Path) -> None:
    assert cli.refusal("keys", "list", "--state", tmp_path / "none")["reason"] == "STATE_MISSING"
