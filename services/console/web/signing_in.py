"""Coming in and going out: by a link that is good once, or by a provider of sign-ins."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.refusals import Refusal, forbidden
from services.console.web.authorizing import Authorization
from services.console.web.beginning import not_signed_in, sign_in
from services.console.web.by_provider import by_provider
from services.console.web.links import Links
from services.console.web.own_paths import own_path
from services.console.web.page import page_of, shown

NEXT = "next"
"""The name of the cookie with the page to go on to, and what it is sealed for."""
NEXT_SECONDS = 600


def signing_in(
    kinds: Collection[str], links: Links | None, authorization: Authorization | None = None
) -> APIRouter:
    """The routes, for callers of these kinds.

    Without `links` nobody comes in by a link, without `authorization` nobody by a provider.
    """
    router = APIRouter()

    @router.get("/sign-in")
    async def ways_in(request: Request, next: str = "/") -> Response:
        ways = {"by_link": links is not None, "by_provider": authorization is not None}
        response = shown(request, "sign-in.html", next=own_path(next), code="", **ways)
        # A link leads to its own address, and knows nothing of where its bearer was.
        _keep_next(request, response, own_path(next))
        return response

    @router.get("/sign-in/link")
    async def by_link(request: Request, code: str = "") -> Response:
        # Whatever looks at a link before it is followed, such as a preview, must not use it up.
        return shown(request, "sign-in.html", next="/", code=code, by_link=True, by_provider=False)

    @router.post("/sign-in/link")
    async def take_link(request: Request, code: Annotated[str, Form(max_length=100)]) -> Response:
        if links is None:
            raise forbidden("NO_LINKS", "nobody comes in by a link here")
        where = _kept_next(request)
        try:
            with links.taking(code) as token:
                return await sign_in(request, token, kinds, where)
        except Refusal as refusal:
            return not_signed_in(request, refusal, where, code)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        # By a page of our own, for a form may not lead elsewhere.
        response = RedirectResponse("/sign-in" if authorization is None else "/signed-out", 303)
        page_of(request).drop_session(response)
        return response

    if authorization is not None:
        router.include_router(by_provider(kinds, authorization))
        router.include_router(_out_there(authorization))
    return router


def _out_there(authorization: Authorization) -> APIRouter:
    router = APIRouter()

    @router.get("/signed-out")
    async def signed_out(request: Request) -> Response:
        """Whoever is out here is still in at the provider; whether that ends is for them to say."""
        return shown(request, "out.html", elsewhere=authorization.end_address())

    return router


def _keep_next(request: Request, response: Response, where: str) -> None:
    page = page_of(request)
    page.set_cookie(response, NEXT, page.seal.seal(NEXT, where), NEXT_SECONDS)


def _kept_next(request: Request) -> str:
    page = page_of(request)
    kept = page.seal.open(NEXT, request.cookies.get(page.cookie(NEXT), ""), NEXT_SECONDS)
    return "/" if kept is None else str(kept)
