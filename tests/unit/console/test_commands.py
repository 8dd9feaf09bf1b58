"""What commands make of their options, and how they say no."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.core import TyperGroup
from typer.main import get_group
from typer.testing import CliRunner

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import FieldViolation, Kind, Refusal, invalid
from services.chassis.verifying import TokenVerifier
from services.console import choices, states, subjects
from services.console.app import app
from services.console.connections import addresses
from services.console.credentials import OPERATOR, minter, own_tokens, token_source
from services.console.demo.measuring import BATCH, MOST_BATCHES
from services.console.demo.opening import daily_limit
from services.console.installation import StateFolder, service_environment
from services.console.options import purpose_number
from services.console.output import refuse
from services.console.policies import read_policy
from services.console.releases import exit_code, figures, resume_command
from services.console.service_settings import parse_settings
from sluice_gate.report import Ended, Report


def a_report(ended: Ended = Ended.FINISHED) -> Report:
    report = Report("019a0000-0000-7000-8000-000000000000", asked=10, released=7)
    report.denied.update({"CHOICE_DENIES": 2, "NO_POLICY": 1})
    report.session_posts, report.session_us = 10, 1_000_000
    report.end(ended)
    return report


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (Ended.FINISHED, 0),
        (Ended.REFUSED, 1),
        (Ended.OPEN_QUOTE, 1),
        (Ended.INTERRUPTED, 3),
        (Ended.NO_ROOM, 3),
        (Ended.UNAVAILABLE, 3),
        (Ended.NOT_WRITTEN, 3),
    ],
)
def test_the_exit_code_says_whether_resuming_helps(ended: Ended, code: int) -> None:
    assert exit_code(a_report(ended)) == code


def test_the_table_of_a_release_lists_every_reason_and_the_rate() -> None:
    assert figures(a_report()) == [
        ("asked", 10),
        ("released", 7),
        ("  denied, choice_denies", 2),
        ("  denied, no_policy", 1),
        ("broken lines", 0),
        ("receipts", 0),
        ("posts per second", 10),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["release", "my posts", "--out", "o"],
        ["release", "my posts", "--out", "o", "--resume", "earlier"],
        ["release", "my posts", "--resume=earlier", "--out", "o"],
    ],
)
def test_how_to_go_on_is_the_same_command_with_the_run(arguments: list[str]) -> None:
    assert resume_command(arguments, "later") == "sluice release 'my posts' --out o --resume later"


def test_a_purpose_is_a_word_or_a_number() -> None:
    assert purpose_number("ai_training_generative") == 2
    assert purpose_number("99") == 99
    with pytest.raises(typer.BadParameter, match="did you mean ai_input"):
        purpose_number("ai_imput")


def test_settings_are_sorted_by_service() -> None:
    settings = parse_settings(
        ["consent.permit_seconds=2", "licensing.permit_seconds=3", "consent.listen=a=b"]
    )

    assert settings == {
        "consent": {"permit_seconds": "2", "listen": "a=b"},
        "licensing": {"permit_seconds": "3"},
    }


@pytest.mark.parametrize("text", ["permit_seconds=2", "consent.permit_seconds", "gate.x=1", "consent.=1", ""])
def test_a_malformed_setting_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="SETTING_MALFORMED"):
        parse_settings([text])


def test_a_given_setting_wins_over_the_usual_one(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)

    environment = service_environment(
        state,
        state.prepare(),
        "licensing",
        listen="127.0.0.1:1",
        peers={"consent": "127.0.0.1:2"},
        settings={"listen": "127.0.0.1:3"},
    )

    assert environment["SLUICE_LICENSING_LISTEN"] == "127.0.0.1:3"
    assert environment["SLUICE_LICENSING_CONSENT_TARGET"] == "127.0.0.1:2"


def test_keys_are_made_once(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")

    first = state.prepare().token_private.read_bytes()

    assert state.prepare().token_private.read_bytes() == first
    assert state.prepare().token_private.stat().st_mode & 0o777 == 0o600


def test_a_service_is_where_it_was_said_to_be_else_where_it_announced_itself_else_at_its_usual_port(
    tmp_path: Path,
) -> None:
    state = StateFolder(tmp_path)
    state.prepare()
    state.announcement("metering").write_text("127.0.0.1:9\n", encoding="ascii")

    found = addresses(state, {"consent": "there:1", "licensing": None})

    assert found == {
        "consent": "there:1",
        "metering": "127.0.0.1:9",
        "licensing": "127.0.0.1:7603",
        "directory": "127.0.0.1:7604",
    }


def test_a_local_operator_is_who_the_keys_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_TOKEN", raising=False)
    state = StateFolder(tmp_path)
    keys = state.prepare()

    token = token_source(state, None, OPERATOR)()

    principal = TokenVerifier(keys.token_jwks, "sluice", "sluice").verify(token)
    assert (principal.kind, principal.party) == (PrincipalKind.OPERATOR, "local-operator")
    assert principal.roles == {"trust", "legal", "finance", "admin"}


def test_a_token_file_wins_over_the_environment_and_that_over_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n", encoding="ascii")
    monkeypatch.setenv("SLUICE_TOKEN", "from-environment")

    assert token_source(StateFolder(tmp_path), file, OPERATOR)() == "from-file"
    assert token_source(StateFolder(tmp_path), None, OPERATOR)() == "from-environment"


NO_TOKENS = ["two\nlines", "t\u00f6ken", "two words", "a\x00b"]


@pytest.mark.parametrize("text", NO_TOKENS)
def test_a_file_that_holds_no_token_is_refused_before_anybody_is_called(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(Refusal, match="TOKEN_INVALID") as refused:
        token_source(StateFolder(tmp_path), file, OPERATOR)

    assert text not in refused.value.message


@pytest.mark.parametrize("text", [*NO_TOKENS[:3], "a-token\n"])
def test_an_environment_that_holds_no_token_is_refused_before_anybody_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SLUICE_TOKEN", text)

    with pytest.raises(Refusal, match="TOKEN_INVALID"):
        token_source(StateFolder(tmp_path), None, OPERATOR)


def test_an_installation_s_own_tokens_are_its_own_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFolder(tmp_path)
    keys = state.prepare()
    monkeypatch.setenv("SLUICE_TOKEN", "of-another-installation")

    token = own_tokens(state, OPERATOR)()

    assert TokenVerifier(keys.token_jwks, "sluice", "sluice").verify(token).party == "local-operator"


def test_existing_keys_are_where_they_were_made_and_are_never_made(tmp_path: Path) -> None:
    state, empty = StateFolder(tmp_path / "state"), StateFolder(tmp_path / "empty")
    empty.keys.mkdir(parents=True)

    assert state.prepare() == state.existing_keys()
    assert not empty.existing_keys().token_private.exists()
    with pytest.raises(Refusal, match="KEY_UNREADABLE"):
        minter(empty)


@pytest.mark.parametrize("seconds", [1e30, float("inf"), float("nan")])
def test_a_policy_cannot_take_effect_at_no_date(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(Refusal, match="TIME_OUT_OF_RANGE"):
        read_policy(tmp_path / "policy.yaml", seconds)


def test_a_policy_without_its_time_says_how_to_give_it(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    text_digest = "0f" * 32
    file.write_text(
        f"text_digest: {text_digest}\nrules: [{{jurisdiction: US, purpose: ai_input, regime: opt_in}}]\n",
        encoding="ascii",
    )

    with pytest.raises(Refusal, match="DOCUMENT_INVALID") as refused:
        read_policy(file, None)

    assert refused.value.violations == (
        FieldViolation(
            "policy.yaml:1: effective_at",
            "is missing: write it into the file, or give --effective-in SECONDS",
        ),
    )
    assert read_policy(file, 60).HasField("effective_at")


@pytest.mark.parametrize("posts", [1_000, 100_000, 10_000_000])
def test_the_license_of_the_demo_allows_all_that_the_demo_asks_for(posts: int) -> None:
    assert daily_limit(posts) >= 2 * posts + min(posts, MOST_BATCHES * BATCH)


def test_without_token_and_keys_nobody_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_TOKEN", raising=False)

    with pytest.raises(Refusal, match="STATE_MISSING"):
        token_source(StateFolder(tmp_path / "nowhere"), None, OPERATOR)


def test_a_refusal_is_one_paragraph_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    fault = FieldViolation("l.yaml:3: terms.kinds[0]", "'posts' is not known here")

    refuse(
        Refusal(Kind.INVALID, "DOCUMENT_INVALID", "l.yaml has one fault", violations=[fault]), as_json=False
    )

    assert capsys.readouterr().err == (
        "DOCUMENT_INVALID: l.yaml has one fault\n  l.yaml:3: terms.kinds[0]: 'posts' is not known here\n"
    )


def test_a_refusal_of_one_field_names_it_without_saying_the_same_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refuse(
        invalid("TERM_EMPTY", "the term ends before it begins", field="l.yaml:9: terms.term_until"),
        as_json=False,
    )

    assert capsys.readouterr().err == (
        "TERM_EMPTY: the term ends before it begins\n  l.yaml:9: terms.term_until\n"
    )


def test_a_refusal_for_programs_is_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    refuse(Refusal(Kind.EXHAUSTED, "OVERLOADED", "too much", retry_after_us=5), as_json=True)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["refusal"] == {
        "kind": "exhausted",
        "reason": "OVERLOADED",
        "message": "too much",
        "violations": [],
        "retry_after_us": 5,
        "metadata": {},
    }


def every_command(group: TyperGroup) -> Iterator[tuple[str, str | None]]:
    """Name and help of each command below a group, however deep."""
    for name, command in group.commands.items():
        yield name, command.help
        if isinstance(command, TyperGroup):
            yield from every_command(command)


def test_every_command_explains_itself() -> None:
    commands = list(every_command(get_group(app)))

    assert len(commands) >= 178
    for name, help in commands:
        assert help, name


@pytest.mark.parametrize("module", [choices, subjects, states])
def test_the_help_of_an_import_explains_every_column(module: Any) -> None:
    for column in module.FORM.all:
        assert column in module.import_.__doc__


CONSENT_COMMANDS = [
    *(["choices", command] for command in ("import", "record", "signal", "show", "history", "explain")),
    *(["states", command] for command in ("import", "record")),
    *(["halt", command] for command in ("order", "lift", "list")),
    *(["subjects", command] for command in ("import", "export", "erase", "standing")),
    ["withdrawals", "watch"],
]


@pytest.mark.parametrize("command", CONSENT_COMMANDS, ids=" ".join)
def test_the_help_of_a_command_can_be_read(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])

    assert shown.exit_code == 0
    assert "--json" in Text.from_ansi(shown.output).plain


@pytest.mark.parametrize(
    "arguments",
    [
        ["halt", "order", "everything", "acme", "--cause", "x"],
        ["halt", "order", "purpose", "--cause", "x"],
        ["halt", "order", "purpose", "ai_imput", "--cause", "x"],
        ["halt", "order", "everyone", "--cause", "x"],
        ["halt", "order", "everything"],
        ["halt", "order", "everything", "--cause", "   "],
        ["halt", "lift", "0"],
        ["policy", "publish", __file__, "--effective-in", "0"],
        ["choices", "show", "0"],
        ["choices", "history", "7", "--limit", "0"],
        ["choices", "explain", "7", "--licensee", "acme", "--purpose", "ai_imput"],
        ["choices", "explain", "7", "--licensee", "acme", "--purpose", "ai_input", "--post", "x"],
        ["choices", "explain", "7", "--licensee", "acme", "--purpose", "ai_input", "--as-of", "soon"],
        ["license", "activate", "acme", "--version", str(2**32)],
        ["license", "withdraw", "acme", str(2**32)],
        ["license", "dry-run", "acme", __file__, "--purpose", "ai_input", "--version", str(2**31 - 1)],
        ["license", "explain", "acme", __file__, "--purpose", "ai_input", "--version", str(2**32)],
        ["subjects", "export", "7", "--format", "xml"],
        ["license", "show", "Acme training"],
        ["licensee", "create", "Acme", "--name", "Acme"],
        ["key", "create", "--kind", "pipeline", "--party", "Ex ports", "--label", "x"],
        ["withdrawals", "watch", "--after", "12"],
        ["withdrawals", "watch", "--after", "1:99999999999999999999"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_before_anybody_is_called(arguments: list[str], tmp_path: Path) -> None:
    told = CliRunner().invoke(app, arguments, env={"SLUICE_STATE": str(tmp_path)})

    assert told.exit_code == 2


def test_a_token_of_an_agent_is_minted_for_those_it_acts_for(tmp_path: Path) -> None:
    keys = StateFolder(tmp_path).prepare()
    asked = ["token", "mint", "--party=helper", f"--state={tmp_path}"]

    minted = CliRunner().invoke(
        app, [*asked, "--kind=agent", "--subject=1001", "--subject=18446744073709551615"]
    )

    agent = TokenVerifier(keys.token_jwks, "sluice", "sluice").verify(minted.stdout.strip())
    assert (agent.kind, agent.party) == (PrincipalKind.AGENT, "helper")
    assert agent.subjects == {1001, 2**64 - 1}


@pytest.mark.parametrize(
    "options",
    [
        ["--kind=agent"],
        ["--kind=agent", "--subject=0"],
        ["--kind=agent", "--subject=7", "--subject=7"],
        ["--kind=agent", "--subject=u-7"],
        ["--kind=subject", "--subject=7"],
        ["--kind=operator", "--role=admin", "--subject=7"],
    ],
)
def test_a_token_that_nobody_would_believe_is_not_minted(tmp_path: Path, options: list[str]) -> None:
    StateFolder(tmp_path).prepare()

    asked = CliRunner().invoke(app, ["token", "mint", "--party=helper", f"--state={tmp_path}", *options])

    assert "SUBJECTS_WRONG" in str(asked.exception)
    assert asked.stdout == ""
