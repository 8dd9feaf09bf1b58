"""Choices, policies and records of one local installation, worked with as people do.

Each test has subjects of its own, for the services are started once.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pytest
from typer.testing import CliRunner

from services.console.app import app
from tests.support.command_line import Cli
from tests.support.consent_commands import ASKED, NOTICE, POLICY, parquet, put_in_effect, reason, subjects
from tests.support.up import Up, up

CONTROLLER = {
    "name": "Example Platform",
    "address": "1 Example Street, Dublin",
    "email": "privacy@platform.example",
    "phone": "+353 1 000 0000",
    "contact": "The data protection officer",
    "policy_url": "https://platform.example/privacy",
    "withdrawal_url": "https://platform.example/settings",
    "country": "IE",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    given = [f"consent.controller_{name}={value}" for name, value in CONTROLLER.items()]
    settings = [text for setting in given for text in ("--set", setting)]
    with up(tmp_path_factory.mktemp("cli") / "state", *settings) as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture(autouse=True)
def policy(cli: Cli, tmp_path: Path) -> None:
    """In effect."""
    put_in_effect(cli, tmp_path)


def test_choices_come_from_parquet_and_bad_rows_are_listed_in_a_file(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 101, 102)
    file = parquet(
        tmp_path / "choices.parquet",
        subject_id=arrow.array([101, 102, 0, 199], arrow.uint64()),
        stance=["deny", "allow", "deny", "allow"],
        licensee=[None, "acme", None, None],
        purpose=[None, None, None, None],
        stated_at=arrow.array([1_767_225_600_000_000] * 4, arrow.timestamp("us", "UTC")),
        notice_digest=arrow.array([None, *[bytes.fromhex(NOTICE)] * 3]),
    )

    totals = cli.json("choices", "import", file, "--bad-rows", tmp_path / "bad.csv", status=1)
    again = cli("choices", "import", file, status=1)

    assert (totals["accepted"], totals["unchanged"]) == (2, 0)
    with (tmp_path / "bad.csv").open(encoding="utf-8", newline="") as lines:
        bad = [(row["line"], row["reason"]) for row in csv.DictReader(lines)]
    assert bad == [("3", "CELL_MALFORMED"), ("4", "SUBJECT_UNKNOWN")]
    assert "0 choices taken, 2 unchanged, 2 rows refused." in again


def test_a_licensee_that_licensing_does_not_know_is_no_secret(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 151)
    cli("licensee", "create", "initech", "--name", "Initech")
    allow = ("choices", "record", 151, "allow", "--notice-digest", NOTICE, "--licensee")
    file = tmp_path / "choices.csv"
    file.write_text(
        "subject_id,stance,licensee,purpose,stated_at,notice_digest\n"
        "151,deny,initech,all,2026-01-01,\n151,Deny,intech,,2026-01-01,\n",
        encoding="ascii",
    )

    mistyped = cli.refusal(*allow, "intech")
    known = cli.json(*allow, "initech")
    to_come = cli.json(*allow, "intech", "--licensee-to-come")
    denied = cli.json("choices", "record", 151, "deny", "--licensee", "intech")
    cli("choices", "record", 151, "deny", "--licensee", "intech")
    noted = cli.err
    imported = cli.json("choices", "import", file)
    cli("choices", "import", file)

    assert mistyped["reason"] == "LICENSEE_UNKNOWN"
    assert [answer["licensee_known"] for answer in (known, to_come, denied)] == [True, False, False]
    assert "no licensee intech (did you mean initech?)" in noted
    assert imported["unknown_licensees"] == ["intech"]
    assert "no licensee intech (did you mean initech?)" in cli.err
    assert "initech" in cli("licensee", "list")


def test_people_choose_while_licensing_is_down(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 152)
    down = ("--licensing", "127.0.0.1:1")

    allowed = cli.json(
        *("choices", "record", 152, "allow", "--notice-digest", NOTICE, "--licensee", "acme", *down)
    )
    cli("choices", "record", 152, "deny", "--licensee", "acme", *down)

    assert allowed["licensee_known"] is None
    assert "could not be checked" in cli.err
    assert reason(cli, 152) == "choice_denies"


def test_everyone_is_no_licensee(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 153)

    recorded = cli.json("choices", "record", 153, "Deny", "--licensee", "everyone", "--purpose", "all")
    (shown,) = cli.json("choices", "show", 153)["choices"]

    assert "licensee_known" not in recorded
    assert (shown["choice"]["everyone"], shown["choice"]["all_purposes"]) == (True, True)
    assert reason(cli, 153) == "choice_denies"


def test_a_file_of_more_than_one_page_is_recorded_in_its_order(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "choices.csv"
    rows = [f"{100_000 + number},deny,,,2026-01-01,\n" for number in range(25_000)]
    # An allow of the last page lifts the deny of the first.
    subjects(cli, tmp_path, 100_000)
    rows += [f"100000,allow,,,2026-01-02,{NOTICE}\n"]
    header = "subject_id,stance,licensee,purpose,stated_at,notice_digest\n"
    file.write_text(header + "".join(rows), encoding="ascii")

    totals = cli.json("choices", "import", file)

    assert totals["accepted"] == 25_001
    assert reason(cli, 100_000) == "allowed"
    assert reason(cli, 100_001) in {"choice_denies", "subject_unknown"}


def test_what_a_subject_chose_is_shown_listed_and_explained(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 201, withheld="DE|FR")
    cli("choices", "record", 201, "deny")
    cli("choices", "record", 201, "allow", "--notice-digest", NOTICE)
    recorded = cli.json("choices", "record", 201, "deny", "--licensee", "acme")
    number = recorded["revision"]["number"]

    shown = cli("choices", "show", 201)
    as_json = cli.json("choices", "show", 201)
    listed = cli("choices", "history", 201)
    latest = cli.json("choices", "history", 201, "--limit", "2")
    explained = cli("choices", "explain", 201, *ASKED, "--territory", "US")

    assert "US" in shown
    assert "withheld in" in shown
    assert as_json["subject"]["withheld_countries"] == ["DE", "FR"]
    assert [choice["choice"]["stance"] for choice in as_json["choices"]][-1] == "deny"
    assert listed.count("deny") == 2
    assert [choice["choice"]["stance"] for choice in latest] == ["deny", "allow"]
    assert latest[0]["revision"] == number
    assert f"choice_denies: decided by the record of revision {number:,}." in explained
    assert "C2" in explained
    assert reason(cli, 201) == "withheld"
    assert reason(cli, 201, "--territory", "US", "--as-of", "2026-01-01") == "subject_unknown"
    assert (
        cli.refusal("choices", "explain", 201, *ASKED, "--as-of", "2999-01-01")["reason"] == "AS_OF_IN_FUTURE"
    )


def test_what_follows_for_a_subject_is_what_is_explained(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 202)
    cli("choices", "record", 202, "deny")
    cli(
        "choices",
        "record",
        202,
        "allow",
        "--notice-digest",
        NOTICE,
        "--licensee",
        "acme",
        "--licensee-to-come",
    )

    told = cli.json("subjects", "standing", 202, "--licensee", "initech")
    listed = cli("subjects", "standing", 202)

    by_licensee = {each["licensee_id"]: each["purposes"] for each in told["licensees"]}
    training = [each[1] for each in (by_licensee["acme"], by_licensee["initech"], told["anyone"])]
    assert [each["purpose"] for each in training] == ["ai_training_generative"] * 3
    assert [each["reason"] for each in training] == ["allowed", "choice_denies", "choice_denies"]
    assert training[0]["reason"] == reason(cli, 202)
    assert listed.count("(any other)") == listed.count("acme") == 7


def test_every_page_of_a_history_is_listed(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "choices.csv"
    rows = [
        f"301,deny,,{purpose},2026-01-01T00:{number // 60:02}:{number % 60:02}Z,\n"
        for number in range(450)
        for purpose in ("ai_input",)
    ]
    header = "subject_id,stance,licensee,purpose,stated_at,notice_digest\n"
    file.write_text(header + "".join(rows), encoding="ascii")
    taken = cli.json("choices", "import", file)["accepted"]

    listed = cli.json("choices", "history", 301)

    assert taken == len(listed) == 450
    assert [choice["revision"] for choice in listed] == sorted(
        (choice["revision"] for choice in listed), reverse=True
    )


def test_a_signal_denies_once(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 401)
    send = (
        "choices",
        "signal",
        401,
        "--source",
        "browser",
        "--sec-gpc",
        "1",
        "--content-usage",
        "train-ai=n",
    )

    first = cli.json(*send)
    again = cli(*send)

    assert {choice["choice"]["stance"] for choice in first["recorded"]} == {"deny"}
    assert "Nothing was recorded" in again
    assert reason(cli, 401) == "choice_denies"


def test_c3_a_mistyped_policy_is_refused_or_retracted(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY, encoding="utf-8")

    refused = cli.refusal("policy", "publish", file, "--effective-in", "315360000")
    published = cli.json("policy", "publish", file, "--effective-in", "8640000")["policy"]
    retracted = cli("policy", "retract", published["version"])
    again = cli.refusal("policy", "retract", published["version"])

    assert refused["reason"] == "POLICY_TOO_FAR_AHEAD"
    assert f"Policy version {published['version']} is retracted" in retracted
    assert again["reason"] == "POLICY_RETRACTED"
    assert "retracted" in cli("policy", "list")


def test_records_are_given_out_in_three_forms_and_erased(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 701)
    cli("choices", "record", 701, "allow", "--notice-digest", NOTICE)

    given = cli("subjects", "export", 701)
    plain = json.loads(given)
    dpv = cli.json("subjects", "export", 701, "--format", "dpv", "--out", tmp_path / "dpv.jsonld")
    cli("subjects", "export", 701, "--format", "kantara", "--out", tmp_path / "receipt.json")
    erased = cli("subjects", "erase", 701, "--yes")

    assert plain
    assert given.endswith("}\n")
    assert dpv["media_type"] == "application/ld+json"
    assert "@context" in json.loads((tmp_path / "dpv.jsonld").read_bytes())
    assert "KI-CR" in (tmp_path / "receipt.json").read_text(encoding="utf-8")
    assert (tmp_path / "dpv.jsonld").stat().st_mode & 0o777 == 0o600
    assert "Erased at revision" in erased
    assert reason_of_refusal(cli, 701) in {"SUBJECT_ERASED", "SUBJECT_UNKNOWN"}
    assert cli.refusal("choices", "record", 701, "deny")["reason"] == "SUBJECT_ERASED"
    assert not list(tmp_path.glob("*.unfinished"))


def test_c11_an_erasure_says_whose_records_go_and_asks(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 711)
    cli("choices", "record", 711, "deny")

    told = CliRunner().invoke(app, ["subjects", "erase", "711"], input="n\n")

    assert told.exit_code == 1
    assert "On record about subject 711: an account in US, 1 choice that still matters.\n" in told.output
    assert reason(cli, 711) == "choice_denies"


def test_c11_a_mistyped_id_is_not_erased(cli: Cli, tmp_path: Path) -> None:
    mistyped = cli.refusal("subjects", "erase", 712, "--yes")
    subjects(cli, tmp_path, 712)

    assert mistyped["reason"] == "SUBJECT_UNKNOWN"
    assert "--never-seen" in mistyped["message"]
    assert reason(cli, 712) == "allowed"


def test_c11_somebody_never_seen_is_erased_on_demand(cli: Cli, tmp_path: Path) -> None:
    cli("subjects", "erase", 713, "--yes", "--never-seen")

    assert reason_of_refusal(cli, 713) == "SUBJECT_ERASED"


def reason_of_refusal(cli: Cli, subject: int) -> Any:
    return cli.refusal("choices", "explain", subject, *ASKED)["reason"]


def test_an_export_that_is_refused_leaves_no_file(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "nobody.json"

    refusal = cli.refusal("subjects", "export", 799, "--out", out)

    assert refusal["reason"] == "SUBJECT_UNKNOWN"
    assert not list(tmp_path.glob("nobody*"))
