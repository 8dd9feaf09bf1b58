"""Coming in by a provider of sign-ins: out to it, and back with its answer.

The browser keeps what was begun, sealed and for some minutes; what comes back is good for that browser, once.
"""

import hashlib
from collections.abc import Collection
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.console.web.authorizing import Authorization, Pending
from services.console.web.beginning import not_signed_in, sign_in
from services.console.web.own_paths import own_path
from services.console.web.page import page_of
from services.console.web.provider import Provider

START, CALLBACK = "/sign-in/start", "/sign-in/callback"
PENDING = "pending"
"""How the names of the cookies begin, and what they are sealed for."""
MOST_PENDING = 3
"""Sign-ins that one browser has begun and not finished; a proxy may take no more than 8 KiB of cookies."""
PENDING_SECONDS = 600
"""So long may somebody take to sign in."""


def authorization_at(provider: Provider | None, origin: str, clock: Clock) -> Authorization | None:
    """That of the page at `origin`, which is registered at the provider with its CALLBACK; None for None."""
    return None if provider is None else Authorization(provider, f"{origin}{CALLBACK}", clock)


def by_provider(kinds: Collection[str], authorization: Authorization) -> APIRouter:
    """The routes, for callers of these kinds."""
    router = APIRouter()

    @router.get(START)
    async def start(request: Request, next: str = "/") -> Response:
        page, where = page_of(request), own_path(next)
        try:
            address, pending = await authorization.begin(where)
        except Refusal as refusal:
            return not_signed_in(request, refusal, where)
        response = RedirectResponse(address, 303)
        _make_room(request, response)
        sealed = page.seal.seal(PENDING, asdict(pending))
        page.set_cookie(response, _name(pending.state), sealed, PENDING_SECONDS)
        return response

    @router.get(CALLBACK)
    async def callback(request: Request) -> Response:
        name = _name(request.query_params.get("state", ""))
        pending = _pending(request, name)
        try:
            token = await authorization.finish(pending, request.query_params)
            response = await sign_in(request, token, kinds, pending.next if pending else "/")
        except Refusal as refusal:
            response = not_signed_in(request, refusal, pending.next if pending else "/")
        # Whatever came of it: the same answer of the provider a second time is nobody's.
        page_of(request).drop_cookie(response, name)
        return response

    return router


def _name(state: str) -> str:
    """Of the cookie of one sign-in: two that are begun in two windows know nothing of each other."""
    return f"{PENDING}-{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()[:16]}"


def _make_room(request: Request, response: Response) -> None:
    """Has the browser forget sign-ins that were begun long ago: what it sends along has to have an end."""
    page = page_of(request)
    begin = page.cookie(f"{PENDING}-")
    # Browsers send older ones first (RFC 6265, 5.4).
    begun = [name for name in request.cookies if name.startswith(begin)]
    for name in begun[: max(0, len(begun) - MOST_PENDING + 1)]:
        page.drop_cookie(response, f"{PENDING}-{name.removeprefix(begin)}")


def _pending(request: Request, name: str) -> Pending | None:
    page = page_of(request)
    kept = page.seal.open(PENDING, request.cookies.get(page.cookie(name), ""), PENDING_SECONDS)
    return None if kept is None else Pending(**kept)
