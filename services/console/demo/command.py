"""`sluice demo`: sets the stage, tells the story, and leaves nothing behind."""

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import precondition
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR, PIPELINE, own_tokens
from services.console.demo import reaching, story
from services.console.demo.narrator import Narrator
from services.console.demo.stage import Stage
from services.console.demo.telling import Telling
from services.console.installation import StateFolder
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
    as_json: options.AsJson = False,
) -> None:
    """Tell the whole story of Sluice on this machine, from nothing, in about a minute.

    Starts the three services on ports of their own, releases posts, checks every claim it makes, and ends
    with the figures. Exits with 1 when a claim does not hold.
    """
    folder = _folder(state)
    say = Narrator(console(stderr=as_json))
    say.title("Sluice, from nothing")
    try:
        figures = asyncio.run(perform(Script(folder, posts, posts_count, accounts, seed), say))
        _conclude(say, figures, as_json=as_json)
    except asyncio.CancelledError:
        note("Stopped; the services have drained.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        if state is None and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            note(f"Everything is in {folder}; `sluice up --state {folder / 'state'}` starts it again.")
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


async def perform(script: Script, say: Narrator) -> dict[str, float]:
    """Everything from start to drain; returns the figures. Raises Refusal and GateError.

    The first Ctrl-C ends the story and drains, the next one does not wait for the drain.
    """
    state = StateFolder(script.folder / "state")
    programs = local_services(state, state.prepare(), {}, reaching.SETTINGS)
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
        figures = await _tell(script, state, programs, say)
    finally:
        with say.long_step("draining"):
            await supervisor.stop()
    return {**figures, "seconds, from nothing to drained": time.perf_counter() - began}


async def _tell(
    script: Script, state: StateFolder, programs: Sequence[ServiceProgram], say: Narrator
) -> dict[str, float]:
    addresses = {program.name: program.address for program in programs}
    # Its own, whatever SLUICE_TOKEN says: that token is for other services than those started here.
    async with Connections(addresses, own_tokens(state, OPERATOR)) as operator:
        pipeline = own_tokens(state, PIPELINE)
        stage = Stage(script.folder, state, script.seed, operator, pipeline, addresses["licensing"])
        telling = Telling(stage, say, made_up=script.posts is None)
        await story.tell(telling, script.posts, script.posts_count, script.accounts)
    return telling.figures


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


def _folder(state: Path | None) -> Path:
    """The folder to play in; raises Refusal (precondition, STATE_NOT_EMPTY)."""
    if state is None:
        return Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    state.mkdir(parents=True, exist_ok=True)
    if any(state.iterdir()):
        raise precondition("STATE_NOT_EMPTY", f"{state} is not empty; the demo begins from nothing")
    return state
