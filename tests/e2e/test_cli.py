"""One local installation, worked with as people do: the commands, their answers and their exit codes.

Each test has a license of its own, for the services are started once.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Cli
from tests.support.consent_commands import NOTICE, POLICY
from tests.support.up import Up, up
from tests.support.waiting import until

LICENSE = """\
license_id: NAME
terms:
  licensee_id: NAME
  template: commercial
  purposes: [ai_training_generative]
  kinds: [post]
  languages: [en]
  author_jurisdictions: [US]
  territory: ["*"]
  term_from: 2020-01-01
  term_until: 2100-01-01
  allowances:
    - {per: license, window: rolling_day, limit: 8}
  contract_digest: 1f7a6c2e9b3d4f58a0c1e2d3b4a5968778695a4b3c2d1e0f0123456789abcdef
  obligations: {recall_deadline_days: 30, no_reidentification: true}
"""
ACCOUNTS = 5
POSTS = 10
"""Two by each account; the last of them opts out."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("cli") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("posts") / "posts.jsonl"
    lines = [
        json.dumps(
            {
                "id": str(2**60 + number),
                "author_id": number % ACCOUNTS + 1,
                "created_at": "2026-01-31T12:00:00Z",
                "kind": "post",
                "language": "en",
            }
        )
        for number in range(POSTS)
    ]
    path.write_text("\n".join([*lines, "{torn"]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def known(cli: Cli, tmp_path: Path) -> None:
    """A policy in effect, five subjects, of whom the last has opted out. The same again changes nothing."""
    if not cli.json("policy", "list"):
        (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
        cli("policy", "publish", tmp_path / "policy.yaml", "--effective-in", "0.5")
    subjects = tmp_path / "subjects.csv"
    rows = "".join(f"{id},US,,{NOTICE}\n" for id in range(1, ACCOUNTS + 1))
    subjects.write_text(f"subject_id,jurisdiction,states,notice\n{rows}", encoding="utf-8")
    cli("subjects", "import", subjects)
    cli("choices", "record", ACCOUNTS, "deny")
    while not cli.json("policy", "list")[0].get("activated_at"):
        continue


def a_license(cli: Cli, folder: Path, name: str, limit: int = 8) -> None:
    text = LICENSE.replace("NAME", name).replace("limit: 8", f"limit: {limit}")
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    cli("licensee", "create", name, "--name", name.title())
    cli("license", "create", folder / f"{name}.yaml")
    cli("license", "activate", name, "--reason", "signed")


def release(posts: Path, out: Path, license: str) -> list[object]:
    return ["release", posts, "--license", license, "--purpose", "ai_training_generative", "--out", out]


@pytest.mark.usefixtures("known")
def test_posts_are_released_verified_and_looked_into(cli: Cli, posts: Path, tmp_path: Path) -> None:
    a_license(cli, tmp_path, "whole")
    out = tmp_path / "out.jsonl"

    report = cli.json(*release(posts, out, "whole"))
    verified = cli.json("receipt", "verify", out, "--posts", posts)
    decision = cli.json("decision", "show", report["last_decision_id"])
    spans = cli.json("trace", report["last_decision_id"])

    assert (report["asked"], report["released"], report["denied"]) == (10, 8, {"CHOICE_DENIES": 2})
    assert [broken["line"] for broken in report["broken_lines"]] == [11]
    released = {json.loads(line)["author_id"] for line in out.read_text().splitlines()}
    assert released == {1, 2, 3, 4}
    assert verified["decisions"] == [report["last_decision_id"]]
    assert verified["delivered"] == 8
    assert decision["outcome"] == "partial"
    assert decision["reasons"].count("choice_denies") == 2
    assert {span["service"] for span in spans} == {"consent", "metering", "licensing"}
    assert {span["name"] for span in spans} >= {
        *("read licensing", "read consent", "write metering", "write licensing"),
    }


def published(running: Up, cli: Cli, decision_id: str) -> Path:
    """The folder of the log, as soon as the receipt of a decision is in it."""
    number = cli.json("decision", "show", decision_id)["receipt_number"]
    folder = running.state / "log"

    def covers() -> bool:
        note = folder / "checkpoint"
        return note.exists() and int(note.read_text(encoding="utf-8").splitlines()[1]) >= int(number)

    asyncio.run(until(covers, "the receipt is in the log"))
    return folder


@pytest.mark.usefixtures("known")
def test_people_read_tables_and_a_waterfall(running: Up, cli: Cli, posts: Path, tmp_path: Path) -> None:
    a_license(cli, tmp_path, "told")
    out = tmp_path / "out.jsonl"

    said = cli(*release(posts, out, "told"))
    decision_id = json.loads((tmp_path / "out.jsonl.receipts.jsonl").read_text().splitlines()[0])[
        "decision_id"
    ]
    checked = cli("receipt", "verify", out)
    logged = cli("receipt", "verify", out, "--log", published(running, cli, decision_id))
    shown = cli("decision", "show", decision_id)
    drawn = cli("trace", decision_id)

    assert "denied, choice_denies" in said
    assert "broken, and so not released" in said
    assert f"sluice receipt verify {out}" in said
    assert "8 posts in the output: exactly those released, in order" in checked
    assert "computed again: each of these is in it, in its place" in logged
    assert "choice_denies" in shown
    assert "ConsentService/CheckConsent" in drawn
    assert "█" in drawn


@pytest.mark.usefixtures("known")
def test_an_output_that_was_changed_is_rejected(cli: Cli, posts: Path, tmp_path: Path) -> None:
    a_license(cli, tmp_path, "changed")
    out = tmp_path / "out.jsonl"
    cli(*release(posts, out, "changed"))
    out.write_bytes(out.read_bytes().replace(b'"author_id": 1', b'"author_id": 2'))

    refusal = cli.refusal("receipt", "verify", out)

    assert refusal["reason"] == "OUTPUT_DIFFERS"


@pytest.mark.usefixtures("known")
def test_a_run_is_named_when_it_begins_and_when_it_stands_in_the_way(
    cli: Cli, posts: Path, tmp_path: Path
) -> None:
    a_license(cli, tmp_path, "named")
    command = release(posts, tmp_path / "out.jsonl", "named")
    resume = "sluice " + " ".join(map(str, command)) + " --resume "

    run = cli.json(*command)["run"]
    said = cli.err
    cli(*command, status=1)

    as_json = resume.replace("--resume", "--json --resume")
    assert said == f"Run {run}. Should it be cut short, go on with: {as_json}{run}\n"
    assert "OUT_EXISTS" in cli.err
    assert cli.err.rstrip().endswith(f"Go on with: {resume}{run}")


@pytest.mark.usefixtures("known")
def test_a_run_that_found_no_room_says_how_to_go_on(cli: Cli, posts: Path, tmp_path: Path) -> None:
    a_license(cli, tmp_path, "small", limit=5)
    out = tmp_path / "out.jsonl"

    cli(*release(posts, out, "small"), "--batch-size", "5", status=3)
    said = cli.err

    assert "Stopped (NO_ROOM): no room" in said
    assert "There is room again by" in said
    assert "--resume" in said.splitlines()[-1]


@pytest.mark.usefixtures("known")
def test_a_dry_run_tells_what_the_release_after_it_does_and_takes_no_room(
    cli: Cli, posts: Path, tmp_path: Path
) -> None:
    a_license(cli, tmp_path, "dry")
    command = ["license", "dry-run", "dry", posts, "--purpose", "ai_training_generative"]

    told = [cli.json(*command, "--all-reasons", "--batch-size", size) for size in (1_000, 3)]
    said = cli(*command)
    report = cli.json(*release(posts, tmp_path / "out.jsonl", "dry"))
    after = cli.json(*command)

    assert told[0] == told[1]
    assert (told[0]["asked"], told[0]["broken"]) == (report["asked"], report["broken"]) == (10, 1)
    assert told[0]["releasable"] == told[0]["released_now"] == report["released"] == 8
    assert told[0]["denied"] == told[0]["all_reasons"] == {"choice_denies": 2}
    assert told[0]["allowances"] == [
        {"allowance": "license dry, rolling_day", "limit": 8, "used": 0, "room": 8}
    ]
    assert "Nothing was reserved, recorded or delivered under license dry, version 1." in said
    assert (after["releasable"], after["released_now"], after["allowances"][0]["used"]) == (8, 0, 8)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("case", [(7, 5, 4), (3, 5, 0), (3, 7, 2), (8, 1, 8)])
def test_a_dry_run_tells_how_much_the_release_after_it_yields_in_batches_of_the_same_size(
    cli: Cli, posts: Path, tmp_path: Path, case: tuple[int, int, int]
) -> None:
    limit, size, released = case
    license = f"yield-{limit}-{size}"
    a_license(cli, tmp_path, license, limit)
    batches = ["--batch-size", size]

    told = cli.json("license", "dry-run", license, posts, "--purpose", "ai_training_generative", *batches)
    cli(*release(posts, tmp_path / "out.jsonl", license), *batches, status=3 if limit == 7 else 0)

    assert told["released_now"] == released == len((tmp_path / "out.jsonl").read_text().splitlines())
    assert told["room_left"] == limit


@pytest.mark.usefixtures("known")
def test_decisions_are_counted_and_what_a_licensee_says_is_compared_with_the_bill(
    cli: Cli, posts: Path, tmp_path: Path
) -> None:
    a_license(cli, tmp_path, "counted")
    report = cli.json(*release(posts, tmp_path / "out.jsonl", "counted"))
    said = ["delivery", "countersign", report["last_decision_id"], "--licensee", "counted", "--received"]

    counts = cli.json("stats", "--licensee", "counted")["rows"]
    cli(*said, "7")
    another = cli.refusal(*said, "8")
    (difference,) = cli.json("delivery", "differences", "--licensee", "counted")

    assert [row["decisions_partial"] for row in counts] == [1]
    assert counts[0]["posts"] == [
        {"verdict": "released", "reason": "released", "posts": 8},
        {"verdict": "not_available", "reason": "choice_denies", "posts": 2},
    ]
    assert another["reason"] == "COUNTERSIGNED_OTHERWISE"
    assert difference["countersignature"]["posts_received"] == 7
    assert (difference["posts_released"], difference["posts_billed"]) == (8, 8)


@pytest.mark.usefixtures("known")
def test_each_post_of_a_file_is_explained_with_all_its_reasons(cli: Cli, posts: Path, tmp_path: Path) -> None:
    a_license(cli, tmp_path, "explained")
    cli("license", "suspend", "explained", "--reason", "a question")
    opted_out = str(2**60 + 4)
    command = ["license", "explain", "explained", posts, "--purpose", "ai_training_generative"]

    rows = cli.json(*command, "--batch-size", "3")
    one = cli.json(*command, "--post", opted_out, "--version", "1")
    said = cli(*command, "--post", opted_out)

    assert [row["line"] for row in rows] == list(range(1, 11))
    assert rows[4] == {
        "line": 5,
        "post_id": opted_out,
        "reason": "license_not_active",
        "also": ["choice_denies"],
    }
    assert one == [{"line": 5, "post_id": opted_out, "reason": "choice_denies", "also": []}]
    assert said.splitlines()[-1].split() == ["5", opted_out, "license_not_active", "choice_denies"]
    assert cli.refusal(*command, "--version", "9")["reason"] == "VERSION_UNKNOWN"


@pytest.mark.usefixtures("known")
def test_a_suspended_license_releases_nothing_until_it_is_resumed(
    cli: Cli, posts: Path, tmp_path: Path
) -> None:
    a_license(cli, tmp_path, "paused")

    cli("license", "suspend", "paused", "--reason", "a question")
    denied = cli.json(*release(posts, tmp_path / "denied.jsonl", "paused"))
    cli("license", "resume", "paused")
    allowed = cli.json(*release(posts, tmp_path / "allowed.jsonl", "paused"))

    assert denied["denied"] == {"LICENSE_NOT_ACTIVE": 10}
    assert allowed["released"] == 8


def test_a_license_is_listed_and_shown_in_the_words_of_its_file(cli: Cli, tmp_path: Path) -> None:
    a_license(cli, tmp_path, "shown")

    listed = {license["license_id"]: license["state"] for license in cli.json("license", "list")}
    shown = cli.json("license", "show", "shown")
    cli("license", "terminate", "shown", "--reason", "over")

    assert listed["shown"] == "active"
    assert shown["terms"]["purposes"] == ["ai_training_generative"]
    assert shown["terms"]["allowances"] == [{"per": "license", "window": "rolling_day", "limit": 8}]
    assert cli.json("license", "show", "shown")["state"] == "terminated"


def test_bad_rows_are_listed_and_good_ones_imported(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "subjects.csv"
    rows = ("901,US,,", "nobody,US,,", "902,Norway,,", "903,US,minor,")
    lines = ["subject_id,jurisdiction,states,notice,as_of", *(f"{row},2024-01-31T12:00:00Z" for row in rows)]
    file.write_text("\n".join(lines), encoding="utf-8")

    totals = cli.json("subjects", "import", file, status=1)
    again = cli.json("subjects", "import", file, status=1)

    assert totals["accepted"] == 2
    assert [row["line"] for row in totals["rejected"]] == [3, 4]
    assert (again["accepted"], again["unchanged"]) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["license", "show", "nobody"], "LICENSE_UNKNOWN"),
        (["license", "activate", "nobody"], "LICENSE_UNKNOWN"),
        (["decision", "show", "019a0000-0000-7000-8000-000000000000"], "DECISION_UNKNOWN"),
        (["choices", "record", "0", "deny"], "CHOICE_MALFORMED"),
        (["choices", "record", "1", "perhaps"], "CHOICE_MALFORMED"),
        (["choices", "record", "1", "allow"], "NOTICE_DIGEST_MISSING"),
        (["choices", "record", "1", "deny", "--purpose", "vetted_research"], "PURPOSE_NOT_CHOOSABLE"),
        (["licensee", "create", "x", "--name", ""], "INVALID_REQUEST"),
    ],
)
def test_a_refusal_is_told_by_its_reason(cli: Cli, arguments: list[str], reason: str) -> None:
    assert cli.refusal(*arguments)["reason"] == reason


def test_a_token_of_another_kind_is_not_admitted(cli: Cli, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(cli("token", "mint", "--kind", "licensee", "--party", "acme"), encoding="ascii")

    refusal = cli.refusal("licensee", "create", "x", "--name", "X", "--token-file", token)

    assert refusal["reason"] == "NOT_ADMITTED"


def test_what_can_be_no_token_is_told_without_a_trace(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_TOKEN", "two\nlines")

    refusal = cli.refusal("license", "list")

    assert refusal["reason"] == "TOKEN_INVALID"


def test_an_unreachable_service_is_told_with_a_hint(cli: Cli) -> None:
    cli("license", "list", "--licensing", "127.0.0.1:1", status=1)

    assert "PEER_UNAVAILABLE: licensing did not answer. Are the services running?" in cli.err


def test_a_missing_installation_is_told(cli: Cli, tmp_path: Path) -> None:
    cli("license", "list", "--state", tmp_path / "nowhere", status=1)

    assert "STATE_MISSING" in cli.err


def test_wrong_usage_exits_with_2(cli: Cli, posts: Path, tmp_path: Path) -> None:
    cli("release", posts, "--license", "x", "--purpose", "anything", "--out", tmp_path / "o", status=2)

    assert "is not known here" in cli.err
