"""`sluice up`: a local installation, all of it supervised; with --gateway, Envoy before it."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import invalid
from services.console import options
from services.console.certificates import local_certificates
from services.console.gateway.files import shipped
from services.console.gateway.local import PORT as GATEWAY_PORT
from services.console.gateway.local import Asked, content_of
from services.console.installation import DIRECTORY, PORT_BASE, StateFolder
from services.console.keeping_up import Installation, keep_running
from services.console.local_ports import check_free, ports_of
from services.console.programs import local_services
from services.console.restores import run_program
from services.console.service_settings import Settings, parse_settings
from services.console.state_lock import only_one

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
    if gateway:
        asked = Asked(gateway_port, tuple(origin or ()), content_of(content) if content else None)
    else:
        _check_nothing_asked({"--origin": origin, "--limits": limits, "--content": content})
        asked = None
    # What licensees ask for by the gateway they ask for by id.
    directory = directory or gateway
    given = {"consent": consent_port, "metering": metering_port, "licensing": licensing_port}
    ports = ports_of(port_base, {**given, **({DIRECTORY: directory_port} if directory else {})})
    chosen = parse_settings(settings or [])
    folder = StateFolder(state)
    keys = folder.prepare()
    with only_one(folder):
        check_free(ports if asked is None else {**ports, "gateway": asked.port})
        if asked is not None:
            chosen = _with_limits(chosen, limits)
        certificates = local_certificates(folder) if tls else None
        folder.note_tls(spoken=tls)
        programs = local_services(folder, keys, ports, chosen, certificates, directory=directory)
        asyncio.run(keep_running(Installation(programs, folder, keys, asked), as_json=as_json))


def _check_nothing_asked(of_gateway: Mapping[str, object]) -> None:
    """Raises Refusal (invalid, GATEWAY_NOT_ASKED) for options that would be passed over in silence."""
    if said := [option for option, value in of_gateway.items() if value]:
        raise invalid("GATEWAY_NOT_ASKED", f"{', '.join(said)} is for the gateway: add --gateway")


def _with_limits(settings: dict[str, dict[str, str]], limits: Path | None) -> dict[str, dict[str, str]]:
    """The settings, with the limits that metering is to keep for the gateway; raises its Refusal of them."""
    if limits is not None:
        # By metering's own program, before anything is started.
        run_program("metering", [f"--check-limits={limits}"], os.environ)
    file = limits or shipped("limits.yaml")
    of_gateway = {} if file is None else {"limits_file": str(file.resolve())}
    return {**settings, "metering": of_gateway | settings.get("metering", {})}
