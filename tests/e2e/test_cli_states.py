"""States, halts and withdrawals of one local installation, worked with as people do.

Each test has subjects of its own, for the services are started once.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Cli
from tests.support.consent_commands import LONG_AGO, NOTICE, parquet, put_in_effect, reason, subjects
from tests.support.up import Up, up


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("cli") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


@pytest.fixture(autouse=True)
def policy(cli: Cli, tmp_path: Path) -> None:
    """In effect."""
    put_in_effect(cli, tmp_path)


def steps(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def withdrawals(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    said = steps(cli("withdrawals", "watch", "--once", "--json", *arguments))
    assert list(said[-1]) == ["checkpoint"]
    return [step["withdrawal"] for step in said[:-1]]


def test_states_are_imported_and_recorded_one_by_one(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 501, 502)
    file = parquet(
        tmp_path / "states.parquet",
        subject_id=[501, None, None, 502],
        post_id=[None, 9001, 9001, None],
        change=["protect", "deny", "protect", "notice-served"],
        notice_digest=[None, None, None, bytes.fromhex(NOTICE)],
    )

    totals = cli.json("states", "import", file, status=1)
    protected = reason(cli, 501)
    cli("states", "record", "unprotect", "--subject", 501)
    nothing = cli("states", "record", "unprotect", "--subject", 501, "--at", LONG_AGO)
    cli("states", "record", "withheld", "--post", 9002, "--countries", "DE,FR")

    assert totals["accepted"] + totals["unchanged"] == 3
    assert [(row["line"], row["reason"]) for row in totals["rejected"]] == [(3, "CHANGE_NOT_OF_POST")]
    assert protected == "subject_protected"
    assert "Nothing has changed" in nothing
    assert reason(cli, 501, "--post", "9001") == "post_denied"
    assert reason(cli, 501, "--post", "9002", "--territory", "FR") == "withheld"
    assert cli.refusal("states", "record", "protect", "--post", 9001)["reason"] == "CHANGE_NOT_OF_POST"
    assert cli.refusal("states", "record", "vanish", "--post", 9001)["reason"] == "CHANGE_MALFORMED"


def test_a_halt_holds_until_it_is_lifted(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 601)

    ordered = cli.json("halt", "order", "licensee", "acme", "--cause", "a question", "--recall")["halt"]
    halted = reason(cli, 601)
    listed = cli("halt", "list")
    lifted = cli("halt", "lift", ordered["halt_id"])
    again = cli.refusal("halt", "lift", ordered["halt_id"])

    assert halted == "halted"
    assert "licensee acme" in listed
    assert "a question" in listed
    assert f"Halt {ordered['halt_id']} of licensee acme has ended" in lifted
    assert again["reason"] == "HALT_ENDED"
    assert reason(cli, 601) == "allowed"
    assert ordered["halt_id"] not in [halt["halt_id"] for halt in cli.json("halt", "list")]
    assert ordered["halt_id"] in [halt["halt_id"] for halt in cli.json("halt", "list", "--all")]


def test_c12_a_halt_of_a_licensee_that_nobody_knows_is_ordered_and_noted(cli: Cli) -> None:
    cli("halt", "order", "licensee", "acem", "--cause", "a typing error")
    noted = cli.err
    ordered = cli.json("halt", "order", "licensee", "acem", "--cause", "again")
    for halt in cli.json("halt", "list"):
        cli("halt", "lift", halt["halt_id"])

    assert "Licensing knows no licensee acem" in noted
    assert ordered["licensee_known"] is False


def test_withdrawals_are_watched_up_to_a_checkpoint_and_on_from_there(cli: Cli, tmp_path: Path) -> None:
    subjects(cli, tmp_path, 801)
    said = steps(cli("withdrawals", "watch", "--once", "--json"))
    position = "{epoch}:{number}".format(**said[-1]["checkpoint"])

    cli("choices", "record", 801, "deny", "--licensee", "acme")
    cli("states", "record", "delete", "--post", 9801)
    cli("halt", "order", "jurisdiction", "NO", "--cause", "a question", "--recall")
    found = withdrawals(cli, "--after", position)
    told = cli("withdrawals", "watch", "--once", "--after", position)

    assert [step["cause"] for step in found] == ["choice", "post_deleted", "halt"]
    assert (found[0]["subject_id"], found[0]["licensee_id"]) == (801, "acme")
    assert found[1]["post_id"] == 9801
    assert cli.err.startswith(f"Go on with: sluice withdrawals watch --after {position.partition(':')[0]}:")
    assert len(told.splitlines()) == 3
    assert "halt: halt of jurisdiction NO" in told
    assert cli.refusal("withdrawals", "watch", "--after", "1:999999999")["reason"] == "CURSOR_AHEAD"
