"""The command line has every command, and loads of them what it is asked for."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.core import TyperGroup
from typer.main import get_group
from typer.testing import CliRunner

from services.console.app import COMMANDS, app
from services.console.loading import OnDemand, found, group_of

READS_POSTS_OR_RECEIPTS = {
    *("demo", "directory", "log", "receipt", "receipt verify-request", "release"),
    *("damages export", "damages verify", "license dry-run", "license explain", "licensee request"),
    *("subjects proof", "subjects verify-proof"),
    # They show tokens, or write files, as the gate does.
    *(
        "key",
        "recall",
        "recall entries",
        "recall gaps",
        "recall progress",
        "recall watch",
        "token",
        "webhook",
    ),
}
"""With the library of pipelines, whose arrays are numpy's."""
MAKES_TABLES = {"migrate"}


def loaded_by(statement: str) -> set[str]:
    """Names of the modules that a new process has then."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    )
    return set(json.loads(ran.stdout))


def modules_of(commands: Iterator[str]) -> str:
    return ", ".join(sorted({COMMANDS[words].partition(":")[0] for words in commands}))


def added_at_once(words: str = "") -> typer.Typer:
    """The Typer of a group, to which all that the table says of it has been added."""
    group = copy.copy(found(COMMANDS[words]) if words else app)
    group.registered_commands = [*group.registered_commands]
    group.registered_groups = [*group.registered_groups]
    group.info = copy.copy(group.info)
    group.info.cls = TyperGroup
    prefix = f"{words} " if words else ""
    for each in COMMANDS:
        name = each.removeprefix(prefix)
        if each.startswith(prefix) and " " not in name:
            command = found(COMMANDS[each])
            if isinstance(command, typer.Typer):
                group.add_typer(added_at_once(each), name=name)
            else:
                group.command(name)(command)
    return group


def described(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Whatever a help says of a command and all below it, in its order."""
    options = [(each.name, each.opts, each.help, each.required, each.default) for each in command.params]
    yield words, command.name, command.help, command.hidden, command.rich_markup_mode, options
    for name, below in getattr(command, "commands", {}).items():
        yield from described(below, (*words, name))


def test_the_table_names_what_there_is() -> None:
    for words, place in COMMANDS.items():
        assert callable(found(place)), words


def test_every_group_that_the_table_adds_to_is_in_it() -> None:
    for words in COMMANDS:
        group, _, _ = words.rpartition(" ")
        assert not group or isinstance(found(COMMANDS[group]), typer.Typer), words


def test_helps_say_what_they_would_had_every_command_been_added_at_once() -> None:
    all_at_once = get_group(added_at_once())

    loaded = list(described(get_group(app)))

    assert loaded == list(described(all_at_once))
    assert len(loaded) > len(COMMANDS)


def test_the_help_of_the_program_lists_every_command_in_the_order_of_the_table() -> None:
    shown = Text.from_ansi(CliRunner().invoke(app, ["--help"]).output).plain

    roots = [words for words in COMMANDS if " " not in words]
    places = [shown.index(f"│ {name} ") for name in roots]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["licence"], "No such command 'licence'. Did you mean 'license', 'licensee'?"),
        (["license", "dryrun"], "No such command 'dryrun'. Did you mean 'dry-run'?"),
        (["nonsense"], "No such command 'nonsense'."),
    ],
)
def test_a_command_that_there_is_not_is_refused_with_those_that_are_like_it(
    wrong: list[str], told: str
) -> None:
    refused = CliRunner().invoke(app, wrong)

    assert refused.exit_code == 2
    assert told in Text.from_ansi(refused.output).plain


def test_a_command_is_loaded_without_the_others() -> None:
    loaded = loaded_by(
        "from typer.testing import CliRunner\n"
        "from services.console.app import app\n"
        "assert CliRunner().invoke(app, ['license', 'list', '--help']).exit_code == 0"
    )

    ours = {name.removeprefix("services.console.") for name in loaded}
    assert "licenses" in ours
    assert ours.isdisjoint({"up", "subjects", "license_versions", "dry_runs"})


def test_a_command_that_is_not_there_loads_none() -> None:
    loaded = loaded_by(
        "from typer.testing import CliRunner\n"
        "from services.console.app import app\n"
        "assert CliRunner().invoke(app, ['nonsense']).exit_code == 2"
    )

    assert loaded.isdisjoint(place.partition(":")[0] for place in COMMANDS.values())


def test_commands_that_make_no_tables_load_no_database() -> None:
    calling = modules_of(words for words in COMMANDS if words not in MAKES_TABLES)

    loaded = loaded_by(f"import services.console.__main__, services.console.app, {calling}")

    assert loaded.isdisjoint({"sqlalchemy", "alembic", "sqlmodel", "jinja2", "matplotlib", "pyarrow"})


def test_commands_that_only_call_load_neither_arrays_nor_settings() -> None:
    apart = MAKES_TABLES | READS_POSTS_OR_RECEIPTS
    # What runs programs of ours knows their settings.
    apart |= {"up", "keys", "gateway", "settings-page", "console"}
    calling = modules_of(words for words in COMMANDS if words not in apart)

    loaded = loaded_by(f"import services.console.__main__, services.console.app, {calling}")

    assert loaded.isdisjoint({"numpy", "pydantic", "pydantic_settings", "protovalidate", "sluice_gate"})


def test_a_thing_on_demand_is_made_once_and_again_only_if_that_failed() -> None:
    tries: list[str] = []

    def make() -> str:
        tries.append("try")
        if len(tries) == 1:
            raise OSError("not yet")
        return "second"

    things = OnDemand({"first": "first"}, {"second": make})

    with pytest.raises(OSError, match="not yet"):
        things["second"]
    assert [things["second"], things["second"]] == ["second", "second"]
    assert len(tries) == 2
    assert list(things) == ["first", "second"]
    assert things.get("third") is None


def test_a_table_of_a_command_that_there_is_not_fails_where_it_is_called() -> None:
    program = typer.Typer(cls=group_of({"gone": "services.console.gone:gone"}))
    program.callback()(lambda: None)

    called = CliRunner().invoke(program, ["gone"])

    assert isinstance(called.exception, ModuleNotFoundError)
