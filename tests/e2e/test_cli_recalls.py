"""Recalls of one local installation, worked with as people do: from an opt-out to what is attested."""

import csv
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests.support.command_line import Cli
from tests.support.https import Inbox, an_inbox, is_signed_with, secret_of
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
  obligations:
    recall_deadline_days: 15
    recall_business_days: true
    recall_calendar: US-CA
    recall_time_zone: America/Los_Angeles
    no_reidentification: true
  contract_digest: {NOTICE}
"""
QUICKLY = [
    *("--set", "licensing.recall_interval_seconds=1", "--set", "licensing.fence_seconds=0.2"),
    *("--set", "licensing.webhook_allow_private=true"),
]
LARGE = 2**63 + 5


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    with an_inbox(tmp_path_factory.mktemp("inbox")) as inbox:
        yield inbox


@pytest.fixture(scope="module")
def running(inbox: Inbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with pytest.MonkeyPatch.context() as patch:
        # The certificates that the machine trusts, as OpenSSL is told of them.
        patch.setenv("SSL_CERT_FILE", str(inbox.certificate))
        with up(tmp_path_factory.mktemp("cli") / "state", *QUICKLY) as running:
            yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture(autouse=True)
def world(cli: Cli, tmp_path: Path) -> Path:
    """A policy in effect and a license; the same again changes nothing."""
    if not cli.json("policy", "list"):
        for name, content in (("policy.yaml", POLICY), ("license.yaml", LICENSE)):
            (tmp_path / name).write_text(content, encoding="utf-8")
        cli("policy", "publish", tmp_path / "policy.yaml", "--effective-in", "0.5")
        cli("licensee", "create", "acme", "--name", "Acme")
        cli("license", "create", tmp_path / "license.yaml")
        cli("license", "activate", "acme-training")
    return tmp_path


def released(cli: Cli, folder: Path, posts: dict[int, int]) -> None:
    """Posts, each with its author, that the licensee got."""
    lines = [f"{author},US,,{NOTICE}" for author in sorted(set(posts.values()))]
    subjects = folder / "subjects.csv"
    subjects.write_text("subject_id,jurisdiction,states,notice\n" + "\n".join(lines), encoding="utf-8")
    cli("subjects", "import", subjects)
    while not cli.json("policy", "list")[0].get("activated_at"):
        continue
    rows = [
        {
            "id": str(post),
            "author_id": author,
            "created_at": "2026-01-31T12:00:00Z",
            "kind": "post",
            "language": "en",
        }
        for post, author in posts.items()
    ]
    file = folder / "posts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    asked = ["--license", "acme-training", "--purpose", "ai_training_generative"]
    said = cli.json("release", file, *asked, "--out", folder / f"{time.monotonic_ns()}.jsonl")
    assert said["released"] == len(posts)


def recall_after_opt_out(cli: Cli, folder: Path, posts: dict[int, int]) -> str:
    """The id of the recall that follows when the author of all of these opts out."""
    known = {each["recall_id"] for each in cli.json("recall", "list")}
    released(cli, folder, posts)
    (author,) = set(posts.values())
    cli("choices", "record", author, "deny")
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if new := [each for each in cli.json("recall", "list") if each["recall_id"] not in known]:
            return str(new[0]["recall_id"])
    raise AssertionError("no recall was issued")


def test_a_licensee_goes_from_a_recall_to_what_they_attest(cli: Cli, world: Path) -> None:
    recall_id = recall_after_opt_out(cli, world, {101: 11, LARGE: 11})
    key = world / "acme.key"
    cli("key", "create", "--kind", "licensee", "--party", "acme", "--label", "recalls", "--out", key)
    as_acme = ["--api-key-file", key]
    report = world / "report.pdf"
    report.write_bytes(b"all that was deleted")

    shown = cli("recall", "show", recall_id, *as_acme)
    listed = cli.json("recall", "list", "--is", "issued", *as_acme)
    entries = [
        json.loads(line) for line in cli("recall", "entries", recall_id, "--json", *as_acme).splitlines()
    ]
    acknowledged = cli.json("recall", "ack", recall_id, *as_acme)
    said = ["--outcome", "deleted", "--name", "A Name", "--role", "privacy officer"]
    attested = [*said, "--statement", "deleted from all stores", "--document", report]
    resolved = cli.json("recall", "resolve", recall_id, *attested, *as_acme)
    again = cli.json("recall", "resolve", recall_id, *attested, *as_acme)
    refused = cli.refusal("recall", "resolve", recall_id, *said, "--statement", "no", *as_acme)
    at_last = cli("recall", "show", recall_id)

    assert "2 posts by 1 withdrawal" in shown
    assert [each["recall_id"] for each in listed] == [recall_id]
    ((release,),) = [entry["releases"] for entry in entries]
    assert release["post_ids"] == ["101", str(LARGE)]
    assert acknowledged["state"] == "acknowledged"
    assert resolved["state"] == "deleted"
    assert resolved["resolution"]["resolved_by"] == "licensee:acme"
    document = hashlib.sha256(b"all that was deleted").hexdigest()
    assert resolved["resolution"]["attestation"]["document_digest"] == document
    assert again == resolved
    assert refused["reason"] == "RECALL_RESOLVED_OTHERWISE"
    assert "A Name, privacy officer: deleted from all stores" in at_last


def test_w2_a_recall_is_due_by_business_days_of_the_license(cli: Cli, world: Path) -> None:
    recall_id = recall_after_opt_out(cli, world, {201: 21})

    (recall,) = [each for each in cli.json("recall", "list") if each["recall_id"] == recall_id]

    # A day in Los Angeles ends at 7 or 8 in the morning of UTC; 15 business days are three weeks at least.
    assert recall["due_at"][11:] in {"07:00:00.000000Z", "08:00:00.000000Z"}
    issued, due = (time.strptime(recall[name][:10], "%Y-%m-%d") for name in ("issued_at", "due_at"))
    assert 21 <= (time.mktime(due) - time.mktime(issued)) / 86_400 <= 28


def test_what_to_delete_is_written_as_a_file_for_programs(cli: Cli, world: Path) -> None:
    posts = {301: 31, 302: 31, LARGE + 1: 31}
    recall_id = recall_after_opt_out(cli, world, posts)
    files = [world / f"posts.{suffix}" for suffix in ("csv", "jsonl", "parquet")]

    counts = [cli.json("recall", "entries", recall_id, "--out", file)["posts"] for file in files]

    with files[0].open(encoding="utf-8", newline="") as file:
        in_csv = [(row["withdrawal_id"], int(row["post_id"])) for row in csv.DictReader(file)]
    lines = [json.loads(line) for line in files[1].read_text(encoding="utf-8").splitlines()]
    in_lines = [(row["withdrawal_id"], int(row["post_id"])) for row in lines]
    table = pyarrow.parquet.read_table(files[2]).to_pylist()
    in_table = [(row["withdrawal_id"], row["post_id"]) for row in table]
    assert counts == [3, 3, 3]
    assert in_csv == in_lines == in_table
    assert [post for _, post in in_csv] == sorted(posts)
    assert cli.wrong("recall", "entries", recall_id, "--out", world / "posts.xml")
    assert "posts.xml should end in" in cli.wrong(
        "recall", "entries", recall_id, "--out", world / "posts.xml"
    )
    assert sorted(path.name for path in world.glob("*.unfinished")) == []


def test_recalls_are_followed_and_taken_up_again(cli: Cli, world: Path) -> None:
    recall_after_opt_out(cli, world, {401: 41})

    steps = [json.loads(line) for line in cli("recall", "watch", "--once", "--json").splitlines()]
    numbers = [step["number"] for step in steps if "recall" in step]
    rest = cli("recall", "watch", "--once", "--json", "--after", numbers[-1]).splitlines()
    ahead = cli.refusal("recall", "watch", "--once", "--after", 10**9)

    assert numbers == list(range(1, len(numbers) + 1))
    assert [("recall" in json.loads(line)) for line in rest] == [False]
    assert ahead["reason"] == "CURSOR_AHEAD"


def test_how_far_withdrawals_have_come_is_told(cli: Cli, world: Path) -> None:
    recall_after_opt_out(cli, world, {501: 51})

    progress = cli.json("recall", "progress")
    gaps = cli.json("recall", "gaps", "--licensee", "acme")

    assert progress["scanned"] == progress["fence"]
    assert "No release concludes on an answer from before" in cli("recall", "progress")
    assert {gap["licensee_id"] for gap in gaps} <= {"acme"}
    assert cli("recall", "gaps")


def test_what_is_not_there_or_not_said_is_refused_in_words(cli: Cli, world: Path) -> None:
    missing = "01999999-1111-7000-8000-000000000000"
    said = ["--outcome", "deleted", "--name", "Ann", "--role", "DPO"]

    assert cli.refusal("recall", "show", missing)["reason"] == "RECALL_UNKNOWN"
    assert "the id of a recall is expected" in cli.wrong("recall", "show", "7")
    assert "issued" in cli.wrong("recall", "list", "--is", "lost")
    assert "--statement" in cli.wrong("recall", "resolve", missing, *said)
    assert cli.refusal("recall", "resolve", missing, *said, "--statement", "x")["reason"] == "NOT_ADMITTED"
    own = [*said, "--statement", "x", "--licensee", "acme"]
    assert cli.refusal("recall", "resolve", missing, *own)["reason"] == "RECALL_UNKNOWN"


def test_a_recall_is_announced_at_a_webhook_until_it_arrives(cli: Cli, world: Path, inbox: Inbox) -> None:
    inbox.statuses = [500]
    secret_file = world / "webhook.secret"
    url = f"https://localhost:{inbox.port}/recalls"

    made = cli.json("webhook", "put", "acme", url, "--out", secret_file)
    changed = cli.json("webhook", "put", "acme", url, "--out", world / "none.secret")
    rotated = cli.json("webhook", "rotate", "acme")
    recall_id = recall_after_opt_out(cli, world, {601: 61})
    first, second = inbox.wait_for(2)
    (webhook,) = cli.json("webhook", "list")
    cli("webhook", "remove", "acme")

    assert "secret" not in made
    assert not (world / "none.secret").exists()
    assert changed["licensee_id"] == "acme"
    for received in (first, second):
        assert received.headers["webhook-id"] == recall_id
        assert is_signed_with(received.headers, received.body, secret_of(secret_file.read_text()))
        assert is_signed_with(received.headers, received.body, secret_of(rotated["secret"]))
    body: dict[str, Any] = json.loads(second.body)
    assert (body["data"]["recall_id"], body["data"]["posts"]) == (recall_id, 1)
    assert (webhook["last_fault"], webhook["last_status"], webhook["given_up"]) == ("status", 500, 0)
    assert cli.json("webhook", "list") == []
    assert cli.refusal("webhook", "put", "acme", "https://10.0.0.1/")["reason"] == "WEBHOOK_URL_REFUSED"
