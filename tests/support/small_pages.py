"""A small application of pages, with no services behind it, and somebody who is signed in."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from cryptography.fernet import Fernet
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.types import ASGIApp

from services.console.web.application import application
from services.console.web.calling import Services
from services.console.web.page import Page, SignedIn, done, form_of, shown
from services.console.web.sessions import Seal, Session, sealed_session
from services.console.web.signing_in import signing_in
from services.console.web.templating import Templates
from tests.support.clock import NOON_US, ManualClock
from tests.support.pages import ORIGIN, Visitor

HOUR_US = 3_600_000_000


def a_session(**changes: Any) -> Session:
    """Ada's, for an hour."""
    session = Session("a sign-in", "ada's token", "operator", "ada", ("trust",), NOON_US + HOUR_US)
    return replace(session, **changes)


@dataclass
class SmallPages:
    """The application, and what it is made with."""

    page: Page
    app: ASGIApp
    raises: list[Exception]
    """What its form raises, the first first; nothing when there is nothing left."""

    def visitor(self, session: Session | None = None) -> Visitor:
        """Somebody with this session; with none they are nobody."""
        visitor = Visitor(self.app, self.page.origin)
        if session is not None:
            visitor.http.cookies.set(self.page.cookie("session-0"), sealed_session(self.page.seal, session))
        return visitor


def small_pages(clock: ManualClock, keys: Sequence[bytes] = (), **more: Any) -> SmallPages:
    """With a page "/halts", whose form of the action "halt" goes to itself; `more` is for `application`."""
    seal = Seal(keys or [Fernet.generate_key()], clock)
    raises: list[Exception] = []
    origin = more.pop("origin", ORIGIN)
    facts = {"site": "Example", "links": (), "link_command": "sluice link"}
    page = Page("console", origin, Services({}), _templates(), seal, clock, lambda _request: facts)
    routers = [signing_in({"operator"}, None), _halting(raises)]
    return SmallPages(page, application(page, routers, **more), raises)


@functools.cache
def _templates() -> Templates:
    return Templates([])


def _halting(raises: list[Exception]) -> APIRouter:
    router = APIRouter()

    @router.get("/halts")
    async def halts(request: Request, session: SignedIn) -> Response:
        field = request.app.state.page.forms.field(session, "halt", {"halts": 0})
        return shown(request, "sign-in.html", next=field, code=field, by_link=False, by_provider=False)

    @router.post("/halts")
    async def halt(request: Request, session: SignedIn, form: Annotated[str, Form()]) -> Response:
        form_of(request, session, "halt", form)
        if raises:
            raise raises.pop(0)
        return done(request, "/halts", "Halted.")

    return router
