"""Liquidated damages, from an import of accesses to a dispute that two operators decide (D1 to D4)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Cli
from tests.support.up import Up, up

EXAMPLE = Path(__file__).parents[2] / "examples" / "damages-policy.yaml"
MARCH = ("--since", "2026-03-01", "--until", "2026-04-01")
ACCESSES = """\
source,id,party,time,access,kind,posts
edge,1,acme,2026-03-02T00:30:00Z,view,post,600000
edge,2,acme-labs,2026-03-03T00:29:59.999999Z,access,reply,600000
edge,3,acme,2026-03-10T08:00:00Z,access,post,2000000
edge,4,acme,2026-03-20T08:00:00Z,request,post,5000000
edge,5,beta,2026-03-20T08:00:00Z,access,post,1000000
"""
USD_45_000 = {"currency_code": "USD", "units": 45_000, "nanos": 0}
USD_12_000 = {"currency_code": "USD", "units": 12_000, "nanos": 500_000_000}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("cli") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture
def clause(cli: Cli, tmp_path: Path) -> int:
    """The accesses are reported, and the clause is on record: its version. The same again count once."""
    seen = tmp_path / "seen.csv"
    seen.write_text(ACCESSES, encoding="utf-8")
    assert cli.json("usage", "import", seen)["rejected"] == 0
    for party in ("acme", "acme-labs"):
        cli("party", "put", party, "--name", party.title(), "--from", "2026-01-01")
        cli("party", "move", party, "--group", "acme-group", "--from", "2026-01-01")
    version: int = cli.json("damages", "policy", "put", EXAMPLE)["policy"]["version"]
    return version


def operator(cli: Cli, folder: Path, name: str) -> tuple[str, Path]:
    """Says that a command is an operator's of the role legal."""
    token = folder / f"{name}.token"
    token.write_text(cli("token", "mint", "--kind", "operator", "--party", name, "--role", "legal"))
    return "--token-file", token


def withdraw_all(cli: Cli, folder: Path) -> None:
    """Makes room: nothing is on record of a group twice at once."""
    lena, omar = operator(cli, folder, "lena"), operator(cli, folder, "omar")
    for each in cli.json("damages", "list", "--group", "acme-group"):
        if each["state"] != "withdrawn":
            step = cli.json("damages", "withdraw", each["assessment_id"], "--reason", "Again", *lena)
            cli("damages", "approve", step["proposal_id"], *omar)


def recorded(cli: Cli, folder: Path, *who: object) -> Any:
    withdraw_all(cli, folder)
    return cli.json("damages", "assess", "--group", "acme-group", *MARCH, "--record", *who)


def test_d1_d3_a_group_is_assessed_put_on_record_listed_and_shown(
    cli: Cli, clause: int, tmp_path: Path
) -> None:
    previewed = cli.json("damages", "assess", "--group", "acme-group", *MARCH)
    before = cli.json("damages", "list", "--group", "acme-group")
    on_record = recorded(cli, tmp_path)
    listed = cli.json("damages", "list", "--group", "acme-group")
    shown = cli.json("damages", "show", on_record["assessment_id"])
    told = cli("damages", "show", on_record["assessment_id"])

    assert [(each["since"], each["posts"]) for each in previewed["periods"]] == [
        ("2026-03-02T00:30:00.000000Z", 1_200_000),
        ("2026-03-10T08:00:00.000000Z", 2_000_000),
    ]
    assert (previewed["amount"], previewed["posts"], previewed["state"]) == (USD_45_000, 3_200_000, "preview")
    assert {each["party_id"]: each["liable_for"]["units"] for each in previewed["liable"]} == {
        "acme": 45_000,
        "acme-labs": 45_000,
    }
    assert on_record["assessment_id"] not in [each["assessment_id"] for each in before]
    assert listed[0]["assessment_id"] == on_record["assessment_id"]
    assert (listed[0]["state"], listed[0]["amount"]) == ("recorded", USD_45_000)
    assert shown == on_record
    assert shown["policy"]["version"] == clause
    assert shown["evidence"]["rows"] == 4
    assert "Amount: USD 45,000.00, for 2 periods; 3,200,000 posts count in all that time." in told
    assert "accesses request, view, access" in told


@pytest.mark.usefixtures("clause")
def test_d1_exactly_the_threshold_is_no_breach(cli: Cli) -> None:
    said = cli("damages", "assess", "--party", "beta", *MARCH)

    assert "No period exceeds the threshold, so nothing is claimed (USD 0.00)" in said


@pytest.mark.usefixtures("clause")
def test_d2_what_is_exported_comes_out_the_same_without_a_server(cli: Cli, tmp_path: Path) -> None:
    assessment = recorded(cli, tmp_path)
    bundle = tmp_path / "bundle"

    exported = cli.json("damages", "export", assessment["assessment_id"], bundle)
    verified = cli.json("damages", "verify", bundle, "--digest", exported["digest"])
    cli("damages", "export", assessment["assessment_id"], bundle, status=1)

    assert (exported["digest"], exported["rows"]) == (assessment["digest"], 4)
    assert (verified["agrees"], verified["digest_compared"]) == (True, True)
    assert "BUNDLE_EXISTS" in cli.err


@pytest.mark.usefixtures("clause")
def test_d4_it_takes_two_operators_to_reduce_what_is_claimed(cli: Cli, tmp_path: Path) -> None:
    lena, omar = operator(cli, tmp_path, "lena"), operator(cli, tmp_path, "omar")
    assessment_id = recorded(cli, tmp_path, *lena)["assessment_id"]
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"Dear party,\n")
    now = ("--sent", "2026-04-02T09:00:00Z", "--how", "Courier 4711", "--file", letter)

    disputed = cli.json("damages", "dispute", assessment_id, "--reason", "Letter of 3 April", *lena)
    own = cli.refusal("damages", "approve", disputed["proposal_id"], *lena)
    waiting = cli.json("damages", "steps", *omar)
    cli("damages", "approve", disputed["proposal_id"], *omar)
    reduced = cli.json(
        "damages", "reduce", assessment_id, "--to", "12000.50 USD", "--reason", "Settled", *omar
    )
    decided = cli("damages", "approve", reduced["proposal_id"], "--reason", "Agreed", *lena)
    steps = cli.json("damages", "steps", assessment_id, *lena)
    cli("damages", "notice", assessment_id, "--party", "acme", *now, *lena)
    notices = cli.json("damages", "notices", assessment_id, *lena)
    shown = cli.json("damages", "show", assessment_id, *lena)

    assert own["reason"] == "SAME_OPERATOR"
    assert disputed["proposal_id"] in [step["proposal_id"] for step in waiting]
    assert decided == (
        f"Approved: reduce to USD 12,000.50 assessment {assessment_id}. It is now reduced; claimed:"
        " USD 12,000.50.\n"
    )
    assert [(step["kind"], step["proposed_by"], step["decided_by"]) for step in steps] == [
        ("reduce", "operator:omar", "operator:lena"),
        ("dispute", "operator:lena", "operator:omar"),
    ]
    assert [notice["digest"] for notice in notices] == [hashlib.sha256(b"Dear party,\n").hexdigest()]
    assert (shown["state"], shown["amount"], shown["amount_in_force"]) == ("reduced", USD_45_000, USD_12_000)
