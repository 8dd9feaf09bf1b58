"""Coming in and going out: a token is shown to consent once, and then kept in the session."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.refusals import forbidden
from services.console.web.calling import call_as
from services.console.web.links import Links
from services.console.web.page import own_path, page_of, shown
from services.console.web.sessions import Session, sealed_session
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub


async def sign_in(request: Request, token: str, kinds: Collection[str], where: str) -> Response:
    """Begins the session of a token and goes on.

    Raises Refusal: what consent says of the token, and (forbidden, WRONG_KIND) where the page is not for
    callers of its kind.
    """
    page = page_of(request)
    call_as(token)
    peer = page.services.peer("consent")
    caller = await peer.call(ConsentServiceStub(peer.channel).GetCaller, pb.GetCallerRequest())
    if caller.kind not in kinds:
        raise forbidden("WRONG_KIND", f"this page is not for callers of the kind {caller.kind}")
    response = RedirectResponse(own_path(where), 303)
    page.set_cookie(response, "session", sealed_session(page.seal, Session.begin(token, caller)))
    return response


def signing_in(kinds: Collection[str], links: Links | None) -> APIRouter:
    """The routes, for callers of these kinds; without `links` nobody comes in by a link."""
    router = APIRouter()

    @router.get("/sign-in")
    async def ways_in(request: Request, next: str = "/") -> Response:
        return shown(request, "sign-in.html", next=own_path(next), code="", by_link=links is not None)

    @router.get("/sign-in/link")
    async def by_link(request: Request, code: str = "") -> Response:
        # Whatever looks at a link before it is followed, such as a preview, must not use it up.
        return shown(request, "sign-in.html", next="/", code=code, by_link=True)

    @router.post("/sign-in/link")
    async def take_link(request: Request, code: Annotated[str, Form(max_length=100)]) -> Response:
        if links is None:
            raise forbidden("NO_LINKS", "nobody comes in by a link here")
        return await sign_in(request, links.take(code), kinds, "/")

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        response = RedirectResponse("/sign-in", 303)
        page_of(request).drop_cookie(response, "session")
        return response

    return router
