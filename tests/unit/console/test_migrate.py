"""`sluice migrate`: which databases it works on, what it says, and when it is refused."""

from pathlib import Path

import pytest

from services.chassis import sqlite
from services.console.installation import StateFolder
from services.console.state_lock import only_one
from tests.support.command_line import Cli


@pytest.fixture(autouse=True)
def no_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("CONSENT", "METERING", "LICENSING", "DIRECTORY"):
        monkeypatch.delenv(f"SLUICE_{service}_DATABASE_URL", raising=False)


def test_the_databases_of_an_installation_are_made_and_then_there_is_nothing_to_do(cli: Cli) -> None:
    said = cli("migrate")
    told = cli.err
    again = cli("migrate")
    checked = cli("migrate", "--check")

    assert said == "consent: 8 steps done.\nmetering: 9 steps done.\nlicensing: 24 steps done.\n"
    assert "consent: 0004 expand: Announced policies can be retracted before they take effect.\n" in told
    assert "licensing: 0024 done in " in told
    assert again == "consent: nothing to do.\nmetering: nothing to do.\nlicensing: nothing to do.\n"
    assert checked.splitlines()[1] == "metering: the schema is there, at 0009."


def test_a_dry_run_lists_the_steps_and_makes_nothing(cli: Cli, tmp_path: Path) -> None:
    said = cli("migrate", "directory", "--dry-run")
    answer = cli.json("migrate", "directory", "--dry-run")

    assert said == (
        "directory: an empty database; 1 step to run.\n"
        "  0001 expand: Posts, and the answers to requests that brought them.\n"
    )
    assert answer["databases"][0]["would_run"][0]["phase"] == "expand"
    assert not StateFolder(tmp_path / "state").database("directory").exists()


def test_programs_are_told_each_step_with_its_duration(cli: Cli) -> None:
    answer = cli.json("migrate", "directory")

    (database,) = answer["databases"]
    (step,) = database["done"]
    assert (database["service"], database["left"]) == ("directory", [])
    assert (step["revision"], step["phase"]) == ("0001", "expand")
    assert step["seconds"] >= 0
    assert '"event": "begun"' in cli.err
    assert '"event": "done"' in cli.err


def test_a_check_fails_while_something_is_missing_and_says_what_to_do(cli: Cli) -> None:
    refusal = cli.refusal("migrate", "metering", "--check")

    assert refusal["reason"] == "SCHEMA_BEHIND"
    assert refusal["message"].endswith("run `sluice migrate metering`")


def test_of_the_settings_of_a_service_the_url_is_enough(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CONSENT_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.db")
    monkeypatch.setenv("SLUICE_STATE", str(tmp_path / "nothing"))

    # And those whose URL is not set are not meant.
    said = cli("migrate")

    assert said == "consent: 8 steps done.\n"
    assert (tmp_path / "elsewhere.db").exists()


def test_where_neither_a_url_nor_an_installation_is_there_it_is_refused(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_STATE", str(tmp_path / "nothing"))

    assert cli.refusal("migrate")["reason"] == "STATE_MISSING"


def test_an_installation_that_runs_is_not_migrated(cli: Cli, tmp_path: Path) -> None:
    with only_one(StateFolder(tmp_path / "state")):
        assert cli.refusal("migrate", "consent")["reason"] == "STATE_IN_USE"


def test_a_file_that_is_in_use_is_not_migrated(cli: Cli, tmp_path: Path) -> None:
    cli("migrate", "directory")

    with sqlite.migrating(StateFolder(tmp_path / "state").database("directory")):
        assert cli.refusal("migrate", "directory")["reason"] == "DATABASE_IN_USE"
        assert cli.refusal("migrate", "directory", "--check")["reason"] == "DATABASE_IN_USE"


@pytest.mark.parametrize("other", ["--contract", "--dry-run"])
def test_a_check_runs_nothing(cli: Cli, other: str) -> None:
    assert "leave the others out" in cli.wrong("migrate", "--check", other)


def test_a_server_that_is_not_there_is_waited_for_no_longer_than_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CONSENT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    assert cli.refusal("migrate", "--wait", "0.1")["reason"] == "DATABASE_UNAVAILABLE"
    assert cli.refusal("migrate", "--check")["reason"] == "DATABASE_UNAVAILABLE"
