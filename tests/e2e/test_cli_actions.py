"""What operators did in a local installation, listed and checked; and a log that was tampered with."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.installation import StateFolder
from tests.support.command_line import Cli
from tests.support.up import Up, up


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("actions") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


def act(cli: Cli) -> None:
    """In each of the three services, and in one in vain."""
    cli("halt", "order", "everything", "--cause", "a leak")
    cli("licensee", "create", "acme", "--name", "Acme")
    cli("party", "put", "acme", "--name", "Acme")
    cli("halt", "lift", "999", status=1)


def test_what_operators_did_in_the_three_services_is_one_list_and_every_log_is_whole(
    cli: Cli, running: Up
) -> None:
    act(cli)

    listed = cli.json("actions", "list")
    refused = cli.json("actions", "list", "--service", "consent", "--limit", "1")
    checked = cli.json("actions", "verify")

    named = {(each["service"], each["method"].rpartition("/")[2]) for each in listed}
    assert named >= {
        ("consent", "OrderHalt"),
        ("consent", "LiftHalt"),
        ("licensing", "CreateLicensee"),
        ("metering", "PutParty"),
    }
    assert [(each["outcome"], each["refusal"]) for each in refused] == [("refused", "HALT_UNKNOWN")]
    assert {each["operator"] for each in listed} == {"local-operator"}
    assert [each["at"] for each in listed] == sorted((each["at"] for each in listed), reverse=True)
    assert [(each["service"], each["fault"], each["without_end"]) for each in checked] == [
        (service, None, []) for service in ("consent", "metering", "licensing")
    ]


def test_a_log_that_was_written_to_past_the_service_is_found(cli: Cli, running: Up, tmp_path: Path) -> None:
    cli("halt", "order", "everything", "--cause", "a leak")
    with sqlite3.connect(StateFolder(running.state).database("consent"), timeout=30) as database:
        database.execute("UPDATE actions SET operator = 'somebody-else' WHERE number = 1")
    database.close()

    said = cli("actions", "verify", "--service", "consent", status=1)

    assert "consent: entry 2: it does not hold the digest of the entry before" in said
    assert "ACTIONS_CHANGED" in cli.err
