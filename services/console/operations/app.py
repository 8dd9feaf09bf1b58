"""The console of operators put together."""

from typing import Any

from fastapi import Request
from starlette.types import ASGIApp

from services.chassis.clock import Clock
from services.console.operations import overview
from services.console.web.application import application
from services.console.web.by_provider import authorization_at
from services.console.web.calling import Services
from services.console.web.links import Links
from services.console.web.page import Page
from services.console.web.provider import Provider
from services.console.web.sessions import Seal
from services.console.web.signing_in import signing_in
from services.console.web.templating import Templates

KINDS = frozenset({"operator"})
"""Whom the console is for."""
LINKS = (("/", "Overview"),)
"""Where an operator can go; the names are translated where they are shown."""
LINK_COMMAND = "sluice console link --party=NAME --role=trust"


def console_app(
    *,
    services: Services,
    seal: Seal,
    clock: Clock,
    origin: str,
    links: Links | None = None,
    provider: Provider | None = None,
) -> ASGIApp:
    """The console; `services` are consent, metering and licensing themselves.

    `provider` is the operators' identity provider.
    """

    def facts(_request: Request) -> dict[str, Any]:
        return {"site": "Sluice", "links": LINKS, "link_command": LINK_COMMAND}

    authorization = authorization_at(provider, origin, clock)
    templates = Templates(["services.console.operations"])
    page = Page("console", origin, services, templates, seal, clock, facts)
    return application(page, [signing_in(KINDS, links, authorization), overview.router])
