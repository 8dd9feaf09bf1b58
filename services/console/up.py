"""`sluice up` and `sluice serve`: the services of a local installation, all three supervised or one alone."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated

import typer

from services.chassis.certificates import Certificates
from services.chassis.clock import SystemClock
from services.chassis.refusals import invalid, precondition
from services.console import options
from services.console.authority import CLIENT
from services.console.certificates import ensure_certificates
from services.console.installation import DIRECTORY, HOST, PORT_BASE, PROGRAMS, StateFolder
from services.console.output import give_json, note, say, show, table
from services.console.programs import ServiceProgram, local_services
from services.console.racing import first
from services.console.supervisor import Supervisor

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SERVICE.FIELD=VALUE", help="A setting of one service. Repeatable."),
]
PortBase = Annotated[int, typer.Option(min=0, max=65_532, help="First of the ports; 0 takes free ones.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Instead of the port counted from the base.")
]


class ServiceName(StrEnum):
    """One of the three, or the local post directory."""

    CONSENT = "consent"
    METERING = "metering"
    LICENSING = "licensing"
    DIRECTORY = "directory"


def up(
    *,
    state: options.State = options.DEFAULT_STATE,
    port_base: PortBase = PORT_BASE,
    consent_port: Port = None,
    metering_port: Port = None,
    licensing_port: Port = None,
    directory: Annotated[
        bool,
        typer.Option(
            "--directory", help="Run a local post directory too, so that licensees can ask by post id."
        ),
    ] = False,
    directory_port: Port = None,
    settings: Settings = None,
    tls: Annotated[
        bool,
        typer.Option("--tls", help="Speak TLS, with the certificates of `sluice certs`, made if missing."),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Run consent, metering and licensing on this machine, supervised.

    Keys are made on first start. A service that dies is started again. Ctrl-C drains them; a second
    Ctrl-C kills them. Databases, logs and traces stay in the state folder.
    """
    given = {"consent": consent_port, "metering": metering_port, "licensing": licensing_port}
    ports = _ports(port_base, {**given, **({DIRECTORY: directory_port} if directory else {})})
    folder = StateFolder(state)
    keys = folder.prepare()
    with only_one(folder):
        for service, port in ports.items():
            _check_free(service, port)
        certificates = _certificates(folder) if tls else None
        folder.note_tls(spoken=tls)
        chosen = parse_settings(settings or [])
        programs = local_services(folder, keys, ports, chosen, certificates, directory=directory)
        asyncio.run(_run(programs, folder, as_json=as_json))


def serve(
    service: Annotated[ServiceName, typer.Argument(help="Which service.")],
    *,
    state: options.State = options.DEFAULT_STATE,
    port: Port = None,
    settings: Settings = None,
) -> None:
    """Run one service in the foreground, logging to the terminal.

    Its settings are those of --set, else of the environment (SLUICE_CONSENT_... and so on), else what
    `sluice up` would give it, with --tls if that was so the last time.
    """
    folder = StateFolder(state)
    keys = folder.prepare()
    chosen = parse_settings(settings or []).get(service, {})
    ports = {name: _announced_port(folder, name) or PORT_BASE + at for at, name in enumerate(PROGRAMS)}
    ports[service] = PORT_BASE + PROGRAMS.index(service) if port is None else port
    certificates = _certificates(folder) if folder.speaks_tls() else None
    directory = service == DIRECTORY or folder.address(DIRECTORY) is not None
    programs = local_services(folder, keys, ports, certificates=certificates, directory=directory)
    program = next(each for each in programs if each.name == service)
    prefix = f"SLUICE_{service.upper()}_"
    named = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    environment = {**program.environment(), **named}
    environment |= {prefix + field.upper(): value for field, value in chosen.items()}
    os.execve(sys.executable, [sys.executable, "-P", "-m", f"services.{service}"], environment)  # noqa: S606 - that is what it is for


def parse_settings(given: list[str]) -> dict[str, dict[str, str]]:
    """`consent.permit_seconds=2` and the like, by service; raises Refusal (invalid, SETTING_MALFORMED)."""
    settings: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for text in given:
        name, equals, value = text.partition("=")
        service, dot, field = name.partition(".")
        if not equals or not dot or not field.isidentifier() or service not in PROGRAMS:
            raise invalid(
                "SETTING_MALFORMED",
                f"--set wants SERVICE.FIELD=VALUE with a service of {', '.join(PROGRAMS)}, not {text!r}",
            )
        settings[service][field] = value
    return dict(settings)


@contextlib.contextmanager
def only_one(folder: StateFolder) -> Iterator[None]:
    """Holds the state folder; raises Refusal (precondition, STATE_IN_USE) while another process does.

    The kernel lets go of it when the process ends, however it ends.
    """
    with folder.lock().open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise precondition(
                "STATE_IN_USE", f"process {owner} already runs the services of {folder.root}"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


async def _run(programs: list[ServiceProgram], folder: StateFolder, *, as_json: bool) -> None:
    supervisor = Supervisor(programs, note)
    stop = _stop_on_signals(supervisor)
    try:
        await first(supervisor.start(), stop.wait())
        if not stop.is_set():
            pids = {program.name: supervisor.pid(program.name) for program in programs}
            _say_where(programs, pids, folder, as_json=as_json)
            await first(supervisor.failure(), stop.wait())
    finally:
        note("Draining all services; Ctrl-C again ends them at once.")
        await supervisor.stop()
        note("All have ended.")


def _stop_on_signals(supervisor: Supervisor) -> asyncio.Event:
    """An event that the first signal sets; the next one does not wait for the drain."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            supervisor.hurry()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def _say_where(
    programs: list[ServiceProgram], pids: Mapping[str, int | None], folder: StateFolder, *, as_json: bool
) -> None:
    if as_json:
        give_json({each.name: {"address": each.address, "pid": pids[each.name]} for each in programs})
        return
    show(table(("service", "address", "process"), [(p.name, p.address, str(pids[p.name])) for p in programs]))
    say(f"State, logs and traces are in {folder.root}. Ctrl-C stops.")


def _certificates(folder: StateFolder) -> Certificates:
    """Those of the command line; what is missing is made."""
    ensure_certificates(folder.authority)
    return Certificates(folder.authority.files(CLIENT), SystemClock(), use="client")


def _announced_port(folder: StateFolder, service: str) -> int:
    address = folder.address(service)
    return int(address.rpartition(":")[2]) if address else 0


def _ports(base: int, given: Mapping[str, int | None]) -> dict[str, int]:
    """The port of each service in `given`: the one that is said, else the one counted from the base."""
    usual = {service: base + index if base else 0 for index, service in enumerate(PROGRAMS)}
    return {service: usual[service] if port is None else port for service, port in given.items()}


def _check_free(service: str, port: int) -> None:
    """Says so before anything is started; a service that loses a race for the port says so in its log."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise precondition(
                "PORT_IN_USE",
                f"port {port} of {HOST}, meant for {service}, is in use; choose others with --port-base",
            ) from None
