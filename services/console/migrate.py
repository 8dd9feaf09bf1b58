"""`sluice migrate`: brings the databases of the services to the schema of this release."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.chassis import migrating
from services.chassis.migrating import Target
from services.chassis.migrations import Plan, SchemaState, Told, behind, needed
from services.chassis.refusals import precondition
from services.chassis.revisions import Schema, Step
from services.console import options
from services.console.installation import PROGRAMS, SERVICES, ServiceName, StateFolder
from services.console.output import counted, give_json, note, note_json, say
from services.console.state_lock import only_one

UNREACHABLE = frozenset({"DATABASE_UNAVAILABLE"})
NOT_YET = UNREACHABLE | {"SCHEMA_BEHIND"}

Services = Annotated[
    list[ServiceName] | None,
    typer.Argument(
        help="Whose databases. Else of all whose URL is set; else of all that are installed here."
    ),
]
Contract = Annotated[
    bool,
    typer.Option(
        "--contract",
        help="Also run the steps that take away what earlier releases use. Only when no process of an earlier"
        " release is left: from then on none of them can be started again.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and run nothing.")]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Run nothing: fail while a database lacks a step that this release needs. For init containers.",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="How long to wait for a database that is out of reach; with --check also for others to migrate.",
    ),
]


def migrate(
    services: Services = None,
    *,
    contract: Contract = False,
    dry_run: DryRun = False,
    check: Check = False,
    wait: Wait = 0,
    as_json: options.AsJson = False,
    state: options.State = options.DEFAULT_STATE,
) -> None:
    """Bring databases to the schema of this release: run before its services are rolled out.

    Steps that only add are run beside the services of the release before, which go on. Steps that take
    something away wait for --contract, when the rollout is through. Each step is done as a whole or not at
    all, and two that run this at once do it once.

    The database of a service is that of SLUICE_CONSENT_DATABASE_URL, SLUICE_METERING_DATABASE_URL and so on;
    else that of the local installation, which is not running meanwhile.
    """
    if check and (contract or dry_run):
        raise typer.BadParameter("it runs nothing: leave the others out", param_hint="--check")
    folder = StateFolder(state)
    urls = database_urls(services or [], folder)
    with _held(folder, urls):
        targets = [Target(name, url, Schema.in_folder(schema_folder(name))) for name, url in urls.items()]
        if check:
            answers = [_check(target, wait, as_json=as_json) for target in targets]
        elif dry_run:
            answers = [_outlook(target, wait, contract=contract, as_json=as_json) for target in targets]
        else:
            answers = [_migrate(target, wait, contract=contract, as_json=as_json) for target in targets]
    if as_json:
        give_json({"databases": answers})


def database_urls(services: Sequence[str], folder: StateFolder) -> dict[str, str]:
    """The URLs by service, in the order in which services are started.

    Raises Refusal (precondition, STATE_MISSING) where neither a URL is set nor anything installed.
    """
    found = {name: os.environ.get(f"SLUICE_{name.upper()}_DATABASE_URL", "") for name in PROGRAMS}
    set_ = {name: url for name, url in found.items() if url and (not services or name in services)}
    wanted = (
        services or set_ or [name for name in PROGRAMS if name in SERVICES or folder.database(name).exists()]
    )
    return {
        name: set_.get(name) or f"sqlite:///{_installed(folder).database(name).resolve()}"
        for name in PROGRAMS
        if name in wanted
    }


def schema_folder(service: str) -> Path:
    """Where the steps of a service's schema are; the service itself is not loaded."""
    spec = importlib.util.find_spec(f"services.{service}")
    if spec is None or not spec.submodule_search_locations:
        raise precondition("SERVICE_MISSING", f"the program of {service} is not installed")
    return Path(spec.submodule_search_locations[0]) / "schema"


def _installed(folder: StateFolder) -> StateFolder:
    folder.existing_keys()
    return folder


@contextlib.contextmanager
def _held(folder: StateFolder, urls: dict[str, str]) -> Iterator[None]:
    """Keeps the local installation from being started, where one of its databases is meant."""
    is_local = any(url == f"sqlite:///{folder.database(name).resolve()}" for name, url in urls.items())
    with only_one(folder) if is_local else contextlib.nullcontext():
        yield


def _check(target: Target, wait: float, *, as_json: bool) -> dict[str, Any]:
    state = migrating.patiently(lambda: migrating.check(target), wait, NOT_YET)
    if not as_json:
        say(f"{target.name}: the schema is there, at {state.revision}.")
    return {"service": target.name, "revision": state.revision}


def _outlook(target: Target, wait: float, *, contract: bool, as_json: bool) -> dict[str, Any]:
    state, found = migrating.patiently(lambda: migrating.look(target, contract=contract), wait, UNREACHABLE)
    if not as_json:
        count = counted(len(found.steps), "step") if found.steps else "nothing"
        say(f"{target.name}: {_place(state)}; {count} to run.")
        for step in found.steps:
            say(f"  {_line(step)}")
        _say_left(target, found)
    return {"service": target.name, "revision": state.revision, **_plain(found, "would_run")}


def _migrate(target: Target, wait: float, *, contract: bool, as_json: bool) -> dict[str, Any]:
    took: dict[str, float] = {}

    def tell(told: Told) -> None:
        if told.step is not None and told.seconds is not None:
            took[told.step.revision] = round(told.seconds, 3)
        if as_json:
            note_json(_event(target, told))
        else:
            note(f"{target.name}: {_words(told)}")

    done = migrating.patiently(
        lambda: migrating.migrate(target, contract=contract, tell=tell), wait, UNREACHABLE
    )
    if needed(done.left):
        raise behind(target.name, done.left)
    if not as_json:
        count = f"{counted(len(done.steps), 'step')} done" if done.steps else "nothing to do"
        say(f"{target.name}: {count}.")
        _say_left(target, done)
    answer = {"service": target.name, **_plain(done, "done")}
    for step in answer["done"]:
        step["seconds"] = took[step["revision"]]
    return answer


def _say_left(target: Target, found: Plan) -> None:
    if found.left:
        count = counted(len(found.left), "step")
        say(f"{target.name}: {count} left for `sluice migrate {target.name} --contract`:")
    for step in found.left:
        say(f"  {_line(step)}")


def _place(state: SchemaState) -> str:
    return "an empty database" if state.is_empty else f"at {state.revision}"


def _line(step: Step) -> str:
    return f"{step.revision} {step.phase}: {step.sentence}"


def _words(told: Told) -> str:
    match told.event:
        case "confirming":
            return "waiting for the standby to confirm"
        case "looking":
            return "looking for processes of an earlier release"
    if told.step is None:
        return "another process migrates it; waiting"
    match told.event:
        case "begun":
            return _line(told.step)
        case "blocked":
            return f"{told.step.revision} gets no lock on a table that others use; trying again"
        case _:
            return f"{told.step.revision} done in {told.seconds or 0:.2f} s"


def _event(target: Target, told: Told) -> dict[str, Any]:
    event: dict[str, Any] = {"service": target.name, "event": told.event}
    if told.step is not None:
        event |= _of_step(told.step)
    if told.seconds is not None:
        event["seconds"] = round(told.seconds, 3)
    return event


def _plain(found: Plan, ran: str) -> dict[str, Any]:
    return {ran: [_of_step(step) for step in found.steps], "left": [_of_step(step) for step in found.left]}


def _of_step(step: Step) -> dict[str, Any]:
    return {"revision": step.revision, "phase": str(step.phase), "does": step.sentence}
