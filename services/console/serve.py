"""`sluice serve`: one service of a local installation alone, in the foreground."""

import os
import sys
from typing import Annotated

import typer

from services.console import options
from services.console.certificates import local_certificates
from services.console.installation import DIRECTORY, PORT_BASE, PROGRAMS, ServiceName, StateFolder
from services.console.local_ports import announced_port
from services.console.programs import local_services
from services.console.service_settings import Settings, parse_settings

Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Instead of the port that is usual for it.")
]


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
    ports = {name: announced_port(folder, name) or PORT_BASE + at for at, name in enumerate(PROGRAMS)}
    ports[service] = PORT_BASE + PROGRAMS.index(service) if port is None else port
    certificates = local_certificates(folder) if folder.speaks_tls() else None
    directory = service == DIRECTORY or folder.address(DIRECTORY) is not None
    programs = local_services(folder, keys, ports, certificates=certificates, directory=directory)
    program = next(each for each in programs if each.name == service)
    prefix = f"SLUICE_{service.upper()}_"
    named = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    environment = {**program.environment(), **named}
    environment |= {prefix + field.upper(): value for field, value in chosen.items()}
    os.execve(sys.executable, [sys.executable, "-P", "-m", f"services.{service}"], environment)  # noqa: S606 - that is what it is for
