"""`sluice up`: a local installation, all of it supervised: services, gateway, pages."""

import asyncio
from typing import Annotated

import typer

from services.console import options, page_options
from services.console.certificates import local_certificates
from services.console.gateway import options as gateway_options
from services.console.gateway.local import PORT as GATEWAY_PORT
from services.console.installation import DIRECTORY, PORT_BASE, StateFolder
from services.console.keeping_up import Installation, keep_running
from services.console.local_pages import CONSOLE_PORT, SETTINGS_PAGE_PORT
from services.console.local_ports import check_free, ports_of
from services.console.programs import local_services
from services.console.service_settings import Settings, parse_settings
from services.console.state_lock import only_one

PortBase = Annotated[int, typer.Option(min=0, max=65_532, help="First of the ports; 0 takes free ones.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Instead of the port counted from the base.")
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
    gateway: gateway_options.WithGateway = False,
    gateway_port: gateway_options.GatewayPort = GATEWAY_PORT,
    origin: gateway_options.Origins = None,
    limits: gateway_options.LimitsFile = None,
    content: gateway_options.ContentUrl = None,
    console: page_options.WithConsole = False,
    settings_page_port: page_options.SettingsPagePort = SETTINGS_PAGE_PORT,
    console_port: page_options.ConsolePort = CONSOLE_PORT,
    platform_name: page_options.PlatformName = None,
    texts: page_options.TextsFolder = None,
    as_json: options.AsJson = False,
) -> None:
    """Run consent, metering and licensing on this machine, supervised; with --gateway, Envoy before them.

    With --console also the operators' console and the users' settings page; it says how to come in.

    Keys are made on first start. A service that dies is started again. Ctrl-C drains all; a second
    Ctrl-C kills them. Databases, logs and traces stay in the state folder.
    """
    pages = page_options.pages_asked(settings_page_port, console_port, platform_name, texts, wanted=console)
    # The settings page calls through the gateway, as its users would.
    gateway = gateway or console
    asked = gateway_options.gateway_asked(
        gateway_port, origin, content, limits, wanted=gateway, has_settings_page=console
    )
    # What licensees ask for by the gateway they ask for by id.
    directory = directory or gateway
    given = {"consent": consent_port, "metering": metering_port, "licensing": licensing_port}
    ports = ports_of(port_base, {**given, **({DIRECTORY: directory_port} if directory else {})})
    chosen = parse_settings(settings or [])
    folder = StateFolder(state)
    keys = folder.prepare()
    with only_one(folder):
        check_free({**ports, **(asked.ports if asked else {}), **(pages.ports if pages else {})})
        if asked is not None:
            chosen = gateway_options.with_limits(chosen, limits)
        certificates = local_certificates(folder) if tls else None
        folder.note_tls(spoken=tls)
        programs = local_services(folder, keys, ports, chosen, certificates, directory=directory)
        asyncio.run(keep_running(Installation(programs, folder, keys, asked, pages), as_json=as_json))
