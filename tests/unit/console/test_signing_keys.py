"""`sluice keys` for what is kept: receipts and checkpoints (R6)."""

import json
from pathlib import Path

import pytest

from services.console.installation import StateFolder
from tests.support.command_line import Cli

PAST = "2025-01-31T12:00:00Z"


@pytest.mark.parametrize("which", ["receipt", "checkpoint"])
def test_r6_a_key_goes_from_announced_to_signing_to_retired_to_revoked(cli: Cli, which: str) -> None:
    (first,) = [each["kid"] for each in cli.json("keys", "list", which)]

    announced = {each["kid"]: each for each in cli.json("keys", "announce", which)}
    (second,) = set(announced) - {first}
    rotated = {each["kid"]: each for each in cli.json("keys", "rotate", which, "--overlap", "1m")}
    revoked = {each["kid"]: each for each in cli.json("keys", "revoke", which, first, "--since", PAST)}

    states = [{kid: each["state"] for kid, each in keys.items()} for keys in (announced, rotated, revoked)]
    assert states == [
        {first: "signing", second: "next"},
        {first: "retired", second: "signing"},
        {first: "revoked", second: "signing"},
    ]
    assert rotated[first]["until"] > revoked[first]["until"]
    assert revoked[first]["until"].startswith("2025-01-31T12:00:00")


def test_r6_other_keys_are_left_alone(cli: Cli, tmp_path: Path) -> None:
    keys = StateFolder(tmp_path / "state").existing_keys()
    before = keys.token_private.read_bytes(), keys.checkpoint_private.read_bytes()

    cli("keys", "rotate", "receipt")

    assert (keys.token_private.read_bytes(), keys.checkpoint_private.read_bytes()) == before
    assert "every key stays in it" in cli.err
    assert len(json.loads(keys.receipt_jwks.read_bytes())["keys"]) == 2


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_r6_an_overlap_that_could_refuse_an_honest_receipt_for_ever_cannot_be_forced(
    cli: Cli, force: tuple[str, ...]
) -> None:
    refused = cli.refusal("keys", "rotate", "receipt", "--overlap", "59s", *force)

    assert refused["reason"] == "OVERLAP_TOO_SHORT"
    assert "sluice keys revoke" in refused["message"]
    assert len(cli.json("keys", "list", "receipt")) == 1


def test_r6_what_cannot_be_revoked_is_refused(cli: Cli) -> None:
    (signing,) = [each["kid"] for each in cli.json("keys", "list", "receipt")]
    revoke = ("keys", "revoke", "receipt")

    signs = cli.refusal(*revoke, signing, "--since", PAST)
    unknown = cli.refusal(*revoke, "another", "--since", PAST)
    future = cli.refusal(*revoke, signing, "--since", "2999-01-01T00:00:00Z")

    assert [each["reason"] for each in (signs, unknown, future)] == [
        *("KEY_SIGNS", "KEY_UNKNOWN", "SINCE_IN_FUTURE"),
    ]
    assert "--since" in cli.wrong(*revoke, signing, "--since", "yesterday")
    assert "--since" in cli.wrong(*revoke, signing, "--since", "")
    assert "checkpoint" in cli.wrong("keys", "revoke", "token", signing, "--since", PAST)


def test_all_keys_of_an_installation_are_made_once_without_anything_being_run(
    cli: Cli, tmp_path: Path
) -> None:
    state = StateFolder(tmp_path / "new")

    made = cli.json("keys", "init", "--state", state.root)
    before = {path.name: path.read_bytes() for path in state.keys.iterdir()}
    again = cli.json("keys", "init", "--state", state.root)

    assert again == made
    assert [Path(each["jwks"]).name for each in made] == [
        "token-jwks.json",
        "receipt-jwks.json",
        "checkpoint-jwks.json",
    ]
    assert {path.name: path.read_bytes() for path in state.keys.iterdir()} == before
    assert {"token-signing.pem", "receipt-signing.pem", "checkpoint-signing.pem", "session-keys.txt"} <= set(
        before
    )
    assert state.announcement("consent").parent.is_dir()
