"""`sluice demo`: sets the stage, tells the story, shows the pages, and leaves nothing behind."""

import asyncio
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import precondition
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR, PIPELINE, own_tokens
from services.console.demo import papers, reaching, story
from services.console.demo.narrator import Narrator
from services.console.demo.stage import Stage
from services.console.demo.staying import stay as stay_up
from services.console.demo.telling import Telling
from services.console.gateway.options import with_limits
from services.console.installation import StateFolder
from services.console.local_pages import check_installed, is_installed
from services.console.output import console, give_json, note, table
from services.console.programs import ServiceProgram, local_services
from services.console.supervisor import Supervisor

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells say it


def demo(
    *,
    posts: Annotated[
        Path | None, typer.Option(help="Tell it with this file of posts.", exists=True, dir_okay=False)
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Empty folder to do it in. Else a new one, removed at the end.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the new folder.")] = False,
    posts_count: Annotated[int, typer.Option(help="Posts to make up.", min=1_000, max=10_000_000)] = 100_000,
    accounts: Annotated[int, typer.Option(help="Accounts to make up.", min=100, max=10_000_000)] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes up the same accounts.", min=0)] = 1,
    stay: Annotated[
        bool | None,
        typer.Option(
            "--stay/--no-stay", help="Whether it runs on with the pages; on a terminal it does, unless said."
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell the whole story of Sluice on this machine, from nothing, in about a minute.

    Starts the three services on ports of their own, releases posts, checks every claim it makes, and ends
    with the figures. On a terminal the services then run on with the operators' console before them, and with
    the users' settings page where Envoy is installed, until Ctrl-C. Exits with 1 when a claim does not hold.
    """
    is_to_stay = _is_to_stay(stay, as_json=as_json)
    folder = _folder(state)
    say = Narrator(console(stderr=as_json))
    say.title("Sluice, from nothing")
    script = Script(folder, posts, posts_count, accounts, seed, is_to_stay)
    try:
        asyncio.run(perform(script, say, lambda figures: _conclude(say, figures, as_json=as_json)))
    except asyncio.CancelledError:
        note("Stopped; the services have drained.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        if state is None and not keep:
            shutil.rmtree(folder, ignore_errors=True)
            note("Nothing is left of it. `sluice demo --keep` keeps it, for `sluice up --console` to show.")
        else:
            note(f"Everything is in {folder}. This starts it again, with the pages:")
            note(f"sluice up --console --state {shlex.quote(str(folder / 'state'))}")
    raise typer.Exit(EXIT_FAILED if say.failures else 0)


@dataclass(frozen=True)
class Script:
    """What to play, and where."""

    folder: Path
    posts: Path | None
    """Somebody's file; None to make posts up."""
    posts_count: int
    accounts: int
    seed: int
    is_to_stay: bool
    """Whether the services run on after it, with the pages."""


async def perform(script: Script, say: Narrator, conclude: Callable[[dict[str, float]], None]) -> None:
    """Everything from start to drain; `conclude` gets the figures. Raises Refusal and GateError.

    The first Ctrl-C ends the story and drains, the next one does not wait for the drain.
    """
    state = StateFolder(script.folder / "state")
    keys = state.prepare()
    papers.write_texts(state.texts())
    # The gateway asks metering about its limits, which are read at the start.
    settings = with_limits(reaching.SETTINGS, None) if script.is_to_stay else reaching.SETTINGS
    programs = local_services(state, keys, {}, settings)
    supervisor = Supervisor(programs, say.tell)
    _cancel_on_signals(supervisor)
    began = time.perf_counter()
    try:
        say.chapter("Three services start")
        with say.long_step("starting") as step:
            await supervisor.start()
            seconds = step.seconds
        where = ", ".join(f"{program.name} on port {program.port}" for program in programs)
        say.tell(f"They are up after {seconds:.1f} s: {where}. Each has a database of its own.")
        telling = await _tell(script, state, programs, say)
        conclude({**telling.figures, "seconds, from nothing to here": time.perf_counter() - began})
        if script.is_to_stay:
            say.chapter("See for yourself")
            await stay_up(
                programs, state, keys, supervisor, subject_id=telling.stage.changed_their_mind, say=say
            )
    finally:
        with say.long_step("draining"):
            await supervisor.stop()


async def _tell(
    script: Script, state: StateFolder, programs: Sequence[ServiceProgram], say: Narrator
) -> Telling:
    addresses = {program.name: program.address for program in programs}
    # Its own, whatever SLUICE_TOKEN says: that token is for other services than those started here.
    async with Connections(addresses, own_tokens(state, OPERATOR)) as operator:
        pipeline = own_tokens(state, PIPELINE)
        stage = Stage(script.folder, state, script.seed, operator, pipeline, addresses["licensing"])
        telling = Telling(stage, say, made_up=script.posts is None)
        await story.tell(telling, script.posts, script.posts_count, script.accounts)
    return telling


def _cancel_on_signals(supervisor: Supervisor) -> None:
    task = asyncio.current_task()
    assert task is not None
    asked_to_stop = False

    def on_signal() -> None:
        nonlocal asked_to_stop
        if asked_to_stop:
            supervisor.hurry()
        else:
            asked_to_stop = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)


def _conclude(say: Narrator, figures: dict[str, float], *, as_json: bool) -> None:
    rows = [
        (name, round(value) if value >= 100 or float(value).is_integer() else f"{value:.1f}")
        for name, value in figures.items()
    ]
    say.show(table(("", ">"), rows))
    if say.failures:
        say.tell(f"{len(say.failures)} of the claims above do not hold: {'; '.join(say.failures)}.")
    else:
        say.tell("Every claim above was checked as it was made, and holds.")
    if as_json:
        give_json({"figures": figures, "failures": say.failures})


def _is_to_stay(asked: bool | None, *, as_json: bool) -> bool:
    """Whether it runs on; where nobody said, on a terminal alone.

    Raises Refusal (precondition, CONSOLE_MISSING) where it was asked to, and the extra is not there.
    """
    if asked:
        check_installed()
    if asked is not None:
        return asked
    is_watched = sys.stdout.isatty() and not as_json
    if is_watched and not is_installed():
        note("There are no pages at its end: they come with the extra, pip install 'sluice[console]'.")
    return is_watched and is_installed()


def _folder(state: Path | None) -> Path:
    """The folder to play in; raises Refusal (precondition, STATE_NOT_EMPTY)."""
    if state is None:
        return Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    state.mkdir(parents=True, exist_ok=True)
    if any(state.iterdir()):
        raise precondition("STATE_NOT_EMPTY", f"{state} is not empty; the demo begins from nothing")
    return state
