"""Coming in by a provider of sign-ins: out to it, and back with its answer.

The browser keeps what was begun, sealed and for some minutes; what comes back is good for that browser, once.
"""

from collections.abc import Collection
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.console.web.authorizing import Authorization, Pending
from services.console.web.beginning import sign_in
from services.console.web.failing import STATUSES
from services.console.web.own_paths import own_path
from services.console.web.page import page_of, shown
from services.console.web.provider import Provider

START, CALLBACK = "/sign-in/start", "/sign-in/callback"
PENDING = "pending"
"""The name of the cookie, and what it is sealed for."""
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
            return _not_signed_in(request, refusal, where)
        response = RedirectResponse(address, 303)
        page.set_cookie(response, PENDING, page.seal.seal(PENDING, asdict(pending)), PENDING_SECONDS)
        return response

    @router.get(CALLBACK)
    async def callback(request: Request) -> Response:
        pending = _pending(request)
        try:
            token = await authorization.finish(pending, request.query_params)
            response = await sign_in(request, token, kinds, pending.next if pending else "/")
        except Refusal as refusal:
            response = _not_signed_in(request, refusal, pending.next if pending else "/")
        # Whatever came of it: the same answer of the provider a second time is nobody's.
        page_of(request).drop_cookie(response, PENDING)
        return response

    return router


def _pending(request: Request) -> Pending | None:
    page = page_of(request)
    kept = page.seal.open(PENDING, request.cookies.get(page.cookie(PENDING), ""), PENDING_SECONDS)
    return None if kept is None else Pending(**kept)


def _not_signed_in(request: Request, refusal: Refusal, next: str) -> Response:
    """Who was signed in before still is: nothing has begun, and nothing has ended."""
    status = STATUSES[refusal.kind]
    # Its own address is good for nothing a second time, in another language either.
    return shown(request, "not-signed-in.html", status, reason=refusal.reason, next=next, path="/sign-in")
