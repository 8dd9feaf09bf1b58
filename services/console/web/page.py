"""What every handler of a page works with, and who is before it.

Handlers find it on the application; nothing of it changes while that runs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.chassis.clock import Clock
from services.chassis.refusals import unauthenticated
from services.console.web.calling import Services, call_as
from services.console.web.downloads import Downloads
from services.console.web.forms import Forms, Opened
from services.console.web.going_back import came_from
from services.console.web.headers import SAFE
from services.console.web.own_paths import next_of, own_path
from services.console.web.reading import Reader, reader_of
from services.console.web.session_cookies import in_parts, part_names, whole
from services.console.web.sessions import Seal, Session, opened_session, sealed_session
from services.console.web.telling import as_told, kept
from services.console.web.templating import Templates

LANGUAGE_COOKIE, SESSION = "language", "session"
Begun = Callable[[Request, Session], Awaitable[str]]
"""What a page does when a session begins, with its token shown: a sentence to tell, "" for none."""
TOLD_SECONDS = 60
"""So long is the outcome of a form shown, which is on the next page that is asked for."""


async def nothing_more(_request: Request, _session: Session) -> str:
    """A session begins, and that is all."""
    return ""


@dataclass(frozen=True)
class Page:
    """One of the two applications."""

    name: str
    """As in cookies: "settings" or "console"."""
    origin: str
    """scheme://host[:port] by which browsers know it."""
    services: Services
    templates: Templates
    seal: Seal
    clock: Clock
    facts: Callable[[Request], dict[str, Any]]
    """What every template of it is given besides."""
    begun: Begun = nothing_more
    downloads: Downloads = field(default_factory=Downloads)

    @property
    def forms(self) -> Forms:
        """Makes and reads the sealed field of forms."""
        return Forms(self.seal, self.clock)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https alone."""
        return self.origin.startswith("https:")

    def cookie(self, what: str) -> str:
        """The name of one of its cookies; no other host and no part of this one can set it (RFC 6265bis)."""
        return f"__Host-sluice-{self.name}-{what}" if self.is_secure else f"sluice-{self.name}-{what}"

    def set_cookie(self, response: Response, what: str, value: str, seconds: int | None = None) -> None:
        """Keeps a value at the browser; without `seconds` for as long as that is open."""
        name = self.cookie(what)
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def drop_cookie(self, response: Response, what: str) -> None:
        """Has the browser forget it."""
        response.delete_cookie(
            self.cookie(what), path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def keep_session(self, response: Response, session: Session) -> None:
        """Keeps a session at the browser, and nothing of any earlier one.

        Raises Refusal (invalid, SIGN_IN_TOO_LARGE).
        """
        values = in_parts(sealed_session(self.seal, session))
        for number, what in enumerate(part_names(SESSION)):
            if number < len(values):
                self.set_cookie(response, what, values[number])
            else:
                self.drop_cookie(response, what)

    def drop_session(self, response: Response) -> None:
        """Has the browser forget all of a session."""
        for what in part_names(SESSION):
            self.drop_cookie(response, what)


def page_of(request: Request) -> Page:
    """The page that the application is."""
    page: Page = request.app.state.page
    return page


def reader(request: Request) -> Reader:
    """Who reads: by the language that they chose, else by what their browser asks for."""
    chosen = request.cookies.get(page_of(request).cookie(LANGUAGE_COOKIE), "")
    return reader_of(request.headers.get("accept-language", ""), chosen)


def session_of(request: Request) -> Session | None:
    """Who is signed in; None where nobody is, or no longer."""
    page = page_of(request)
    kept = whole(request.cookies, page.cookie(SESSION))
    return opened_session(page.seal, kept, page.clock.now_us()) if kept else None


async def signed_in(request: Request) -> Session:
    """Who is signed in: calls go out in their name. Raises Refusal (unauthenticated, SIGNED_OUT)."""
    session = session_of(request)
    if session is None:
        raise unauthenticated("SIGNED_OUT", "nobody is signed in")
    call_as(session.token)
    return session


Reading = Annotated[Reader, Depends(reader)]
SignedIn = Annotated[Session, Depends(signed_in)]


def shown(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, with what every page has."""
    page, session = page_of(request), session_of(request)
    told = _told(request, session)
    usual = {
        "page": page,
        # A path such as //example.com would lead elsewhere as a link.
        "path": own_path(request.url.path),
        # Of a page that was made by a form, where that was: its own address cannot be asked for again.
        "here": values.get("path") or _here(request),
        "session": session,
        "told": as_told(reader(request), told),
        "field": lambda action, seen=None: page.forms.field(session, action, seen) if session else "",
    }
    html = page.templates.render(reader(request), template, {**usual, **page.facts(request), **values})
    response = HTMLResponse(html, status)
    if told:
        page.drop_cookie(response, "told")
    return response


def _here(request: Request) -> str:
    if request.method in SAFE:
        return next_of(request.url.path, request.url.query)
    return came_from(request, page_of(request).origin)


def form_of(request: Request, session: Session, action: str, value: str) -> Opened:
    """What a form that came back was made with; raises Refusal (precondition, FORM_STALE)."""
    return page_of(request).forms.opened(session, action, value)


def done(request: Request, where: str, said: str) -> RedirectResponse:
    """Sends the browser on to a page of ours that says what was done; asking for that again does nothing.

    Times in `said` are those of `telling.moment_in`.
    """
    response = RedirectResponse(where, 303)
    tell(request, response, session_of(request), said)
    return response


def tell(request: Request, response: Response, session: Session | None, said: str) -> None:
    """Has the next page of this sign-in say what was done."""
    page = page_of(request)
    sealed = page.seal.seal("told", [session.id if session else "", kept(said)])
    page.set_cookie(response, "told", sealed, TOLD_SECONDS)


def _told(request: Request, session: Session | None) -> str:
    """The outcome of the form before, if it was of this sign-in: whoever comes in next is told nothing."""
    page = page_of(request)
    sealed = request.cookies.get(page.cookie("told"), "")
    told = page.seal.open("told", sealed, TOLD_SECONDS) if sealed else None
    if told is None or told[0] != (session.id if session else ""):
        return ""
    return str(told[1])
