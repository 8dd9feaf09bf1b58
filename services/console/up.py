"""`sluice up` and `sluice serve`: a local installation, all of it supervised or one service alone."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.certificates import Certificates
from services.chassis.clock import SystemClock
from services.chassis.keys import Keys
from services.chassis.refusals import invalid, precondition
from services.console import options
from services.console.authority import CLIENT
from services.console.certificates import ensure_certificates
from services.console.gateway.files import shipped
from services.console.gateway.local import PORT as GATEWAY_PORT
from services.console.gateway.local import Asked, content_of, local_gateway
from services.console.gateway.program import GatewayProgram
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


WithGateway = Annotated[bool, typer.Option("--gateway", help="Let partners and users in, through Envoy.")]
GatewayPort = Annotated[int, typer.Option(min=0, max=65_535, help="Of the gateway; 0 takes a free one.")]
Origins = Annotated[
    list[str] | None,
    typer.Option("--origin", metavar="ORIGIN", help="A web page that may call the gateway. Repeatable."),
]
LimitsFile = Annotated[
    Path | None,
    typer.Option("--limits", exists=True, dir_okay=False, help="Limits on calls from outside (YAML)."),
]
ContentUrl = Annotated[
    str | None,
    typer.Option(
        "--content", metavar="URL", help="Pages that the login wall stands before: http://HOST:PORT/PREFIX/"
    ),
]


@dataclass(frozen=True)
class Installation:
    """What `sluice up` runs."""

    services: list[ServiceProgram]
    folder: StateFolder
    keys: Keys
    asked: Asked | None
    """Of the gateway; None where there is to be none."""


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
    gateway: WithGateway = False,
    gateway_port: GatewayPort = GATEWAY_PORT,
    origin: Origins = None,
    limits: LimitsFile = None,
    content: ContentUrl = None,
    as_json: options.AsJson = False,
) -> None:
    """Run consent, metering and licensing on this machine, supervised; with --gateway, Envoy before them.

    Keys are made on first start. A service that dies is started again. Ctrl-C drains all; a second
    Ctrl-C kills them. Databases, logs and traces stay in the state folder.
    """
    if limits is not None and not gateway:
        raise invalid("GATEWAY_NOT_ASKED", "--limits are of calls through the gateway: say --gateway, too")
    asked = _asked(gateway_port, origin, content) if gateway else None
    # What licensees ask for by the gateway they ask for by id.
    directory = directory or gateway
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
        if asked is not None:
            _check_free("gateway", asked.port)
            chosen = _with_limits(chosen, limits)
        programs = local_services(folder, keys, ports, chosen, certificates, directory=directory)
        asyncio.run(_run(Installation(programs, folder, keys, asked), as_json=as_json))


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


async def _run(installation: Installation, *, as_json: bool) -> None:
    async with contextlib.AsyncExitStack() as stack:
        programs: list[ServiceProgram | GatewayProgram] = [*installation.services]
        gateway = await stack.enter_async_context(_gateway_of(installation))
        if gateway is not None:
            programs.append(gateway)
        supervisor = Supervisor(programs, note)
        stop = _stop_on_signals(supervisor)
        try:
            await first(supervisor.start(), stop.wait())
            if not stop.is_set():
                pids = {program.name: supervisor.pid(program.name) for program in programs}
                _say_where(programs, pids, installation.folder, as_json=as_json)
                await first(supervisor.failure(), stop.wait(), _keep_up(gateway, supervisor))
        finally:
            note("Draining all of them; Ctrl-C again ends them at once.")
            await supervisor.stop()
            note("All of them have ended.")


@contextlib.asynccontextmanager
async def _gateway_of(installation: Installation) -> AsyncIterator[GatewayProgram | None]:
    if installation.asked is None:
        yield None
        return
    services, folder, keys = installation.services, installation.folder, installation.keys
    async with local_gateway(services, folder, keys, installation.asked, note) as gateway:
        yield gateway


async def _keep_up(gateway: GatewayProgram | None, supervisor: Supervisor) -> None:
    """Starts the gateway again whenever the keys that tokens are checked with have changed."""
    if gateway is None:
        await asyncio.Event().wait()
        return
    while True:
        await gateway.outdated()
        await supervisor.restart(gateway.name)


def _asked(port: int, origins: list[str] | None, content: str | None) -> Asked:
    return Asked(port, tuple(origins or ()), content_of(content) if content else None)


def _with_limits(settings: dict[str, dict[str, str]], limits: Path | None) -> dict[str, dict[str, str]]:
    """The settings, with the limits that metering is to keep for the gateway."""
    file = limits or shipped("limits.yaml")
    of_gateway = {} if file is None else {"limits_file": str(file.resolve())}
    return {**settings, "metering": of_gateway | settings.get("metering", {})}


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
    programs: Sequence[ServiceProgram | GatewayProgram],
    pids: Mapping[str, int | None],
    folder: StateFolder,
    *,
    as_json: bool,
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
