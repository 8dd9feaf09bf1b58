"""The console of operators put together."""

from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp

from services.chassis.clock import Clock
from services.console.operations import (
    actions,
    approvals,
    damages,
    damages_files,
    decision,
    decisions,
    dispute_steps,
    halts,
    license,
    license_steps,
    licensees,
    licenses,
    log_pages,
    overview,
    recall,
    recalls,
    revenue,
    wall,
)
from services.console.operations.tracing import Traces
from services.console.web.application import application
from services.console.web.by_provider import authorization_at
from services.console.web.calling import Services
from services.console.web.crowding import AT_ONCE
from services.console.web.links import Links
from services.console.web.page import Page
from services.console.web.provider import Provider
from services.console.web.reading import msgid
from services.console.web.sessions import Seal
from services.console.web.signing_in import signing_in
from services.console.web.templating import Templates

KINDS = frozenset({"operator"})
"""Whom the console is for."""
LINKS = (
    ("/", msgid("Overview")),
    ("/decisions", msgid("Decisions")),
    ("/licenses", msgid("Licenses")),
    ("/licensees", msgid("Licensees")),
    ("/revenue", msgid("Revenue")),
    ("/recalls", msgid("Recalls")),
    ("/damages", msgid("Damages")),
    ("/approvals", msgid("Approvals")),
    ("/halts", msgid("Halts")),
    ("/wall", msgid("Login wall")),
    ("/log", msgid("Log")),
    ("/actions", msgid("Actions")),
)
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
    traces: Path | None = None,
    trace_url: str = "",
    at_once: int = AT_ONCE,
) -> ASGIApp:
    """The console; `services` are consent, metering and licensing themselves.

    `traces` is the folder of traces of a local installation, and `trace_url` where another program shows one,
    with "{trace_id}" in the place of its id.
    `provider` is the operators' identity provider; `at_once` are requests.
    """

    def facts(_request: Request) -> dict[str, Any]:
        return {"site": "Sluice", "links": LINKS, "link_command": LINK_COMMAND}

    authorization = authorization_at(provider, origin, clock)
    templates = Templates(["services.console.operations"])
    page = Page("console", origin, services, templates, seal, clock, facts)
    routers = [
        signing_in(KINDS, links, authorization),
        overview.router,
        decisions.router,
        decision.showing(Traces(traces, trace_url)),
        log_pages.router,
        licenses.router,
        license.router,
        license_steps.router,
        licensees.router,
        revenue.router,
        halts.router,
        wall.router,
        recalls.router,
        recall.router,
        damages.router,
        damages_files.router,
        dispute_steps.router,
        approvals.router,
        actions.router,
    ]
    return application(page, routers, at_once=at_once)
