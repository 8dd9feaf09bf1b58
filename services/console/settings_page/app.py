"""The settings page put together."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp

from services.chassis.clock import Clock
from services.console.settings_page import history, own_data, receiving
from services.console.settings_page.agents import LARGEST_FORMS, acting
from services.console.settings_page.agreeing import agreeing
from services.console.settings_page.choosing import choosing
from services.console.settings_page.signals import honoured
from services.console.settings_page.texts import Texts
from services.console.settings_page.words_failures import OWN_WHY
from services.console.web.application import application
from services.console.web.by_provider import authorization_at
from services.console.web.calling import Services
from services.console.web.crowding import AT_ONCE
from services.console.web.links import Links
from services.console.web.page import Page, session_of
from services.console.web.provider import Provider
from services.console.web.reading import msgid
from services.console.web.sessions import Seal
from services.console.web.signing_in import signing_in
from services.console.web.templating import Templates

KINDS = frozenset({"subject", "agent"})
"""Whom the page is for."""
SUBJECT_LINKS = (
    ("/", msgid("Your choices")),
    ("/history", msgid("Earlier choices")),
    ("/received", msgid("Who received your posts")),
    ("/data", msgid("Your data")),
)
"""Where a subject can go; the names are translated where they are shown."""
AGENT_LINKS = (("/agent", msgid("Choices of many")),)
LINK_COMMAND = "sluice settings-page link --subject=ID"


def settings_app(
    *,
    name: str,
    services: Services,
    seal: Seal,
    clock: Clock,
    origin: str,
    texts: Texts,
    links: Links | None = None,
    provider: Provider | None = None,
    embedded_in: Sequence[str] = (),
    standard_forms: bool = True,
    at_once: int = AT_ONCE,
) -> ASGIApp:
    """The page of the platform that is called `name`; `services` has the gateway as consent and licensing.

    `texts` are the platform's; without the notice of the policy in force nobody can agree to anything.
    `provider` is the platform's own sign-in; `standard_forms` is whether consent can make records in them;
    `at_once` are requests.
    """

    def facts(request: Request) -> dict[str, Any]:
        session = session_of(request)
        own = AGENT_LINKS if session and session.kind == "agent" else SUBJECT_LINKS
        return {"site": name, "links": own, "link_command": LINK_COMMAND, "failures": OWN_WHY}

    authorization = authorization_at(provider, origin, clock)
    templates = Templates(["services.console.settings_page"])
    page = Page("settings", origin, services, templates, seal, clock, facts, honoured)
    records = [history.router, receiving.router, own_data.giving(standard_forms=standard_forms)]
    choices = [choosing(texts), agreeing(texts), acting(texts)]
    routers = [signing_in(KINDS, links, authorization), *choices, *records]
    return application(page, routers, embedded_in=embedded_in, largest_forms=LARGEST_FORMS, at_once=at_once)
