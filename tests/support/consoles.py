"""Consoles of operators over services that run, some of which are not there."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import uvicorn
from cryptography.fernet import Fernet

from services.chassis.identity import PrincipalKind
from services.console.operations.app import console_app
from services.console.web.calling import Services
from services.console.web.links import Links
from services.console.web.sessions import Seal
from tests.support.pages import ORIGIN, Seen, Visitor
from tests.support.pages_world import ALL_ROLES, PagesWorld

NOBODY = "127.0.0.1:1"
"""Where no service is."""


@contextlib.asynccontextmanager
async def a_console(
    world: PagesWorld,
    *,
    without: Sequence[str] = (),
    elsewhere: Mapping[str, str] | None = None,
    traces: Path | None = None,
    trace_url: str = "",
    language: str = "en-GB",
    comes_in: bool = False,
) -> AsyncIterator[tuple[Visitor, Seen]]:
    """An operator in a console that cannot reach the services of `without`, and the page that they see first.

    They have come in while all could be reached, or try to come in only now where `comes_in` is true. The
    services of `elsewhere` are looked for at another host:port.
    """
    cluster = world.cluster
    targets = {
        "consent": cluster.consent_address,
        "metering": cluster.metering_address,
        "licensing": cluster.licensing.address,
    }
    services = Services({**targets, **dict.fromkeys(without, NOBODY), **(elsewhere or {})})
    links = Links(world.links.folder, cluster.clock)
    seal = Seal([Fernet.generate_key()])
    made = partial(console_app, seal=seal, clock=cluster.clock, origin=ORIGIN, links=links)
    app = made(services=services, traces=traces, trace_url=trace_url)
    door_services = Services(targets)
    door = made(services=door_services)
    token = cluster.licensing.token(PrincipalKind.OPERATOR, "ada", ALL_ROLES)
    try:
        async with Visitor(door, language=language) as comer, Visitor(app, language=language) as visitor:
            if comes_in:
                yield visitor, await visitor.sign_in(links.make(token))
                return
            await comer.sign_in(links.make(token))
            visitor.http.cookies = comer.http.cookies
            yield visitor, await visitor.get("/")
    finally:
        await services.close()
        await door_services.close()


@contextlib.asynccontextmanager
async def a_served_console(world: PagesWorld, traces: Path | None = None) -> AsyncIterator[tuple[str, str]]:
    """A console on a port of 127.0.0.1: its origin, and the path of a link that signs an operator in."""
    cluster, listening = world.cluster, socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    targets = {
        "consent": cluster.consent_address,
        "metering": cluster.metering_address,
        "licensing": cluster.licensing.address,
    }
    app = console_app(
        services=Services(targets),
        seal=Seal([Fernet.generate_key()]),
        clock=cluster.clock,
        origin=origin,
        links=world.links,
        traces=traces,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    token = cluster.licensing.token(PrincipalKind.OPERATOR, "ada", ALL_ROLES)
    try:
        yield origin, f"/sign-in/link?code={world.links.make(token)}"
    finally:
        server.should_exit = True
        await serving
