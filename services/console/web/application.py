"""An application of pages: routes, assets, failures and headers put together."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request
from starlette.types import ASGIApp

from services.chassis.deadlines import within
from services.console.web import failing
from services.console.web.answered import Answered
from services.console.web.asking import PAGE_US
from services.console.web.bodies import WholeForms
from services.console.web.headers import HEALTH, SAFE, Guarded
from services.console.web.own_paths import own_path
from services.console.web.page import LANGUAGE_COOKIE, Page, page_of
from services.console.web.reading import LANGUAGES
from services.console.web.templating import ASSETS

YEAR_SECONDS = 365 * 24 * 3600


class Kept(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(self, *args: object, **more: object) -> Response:
        """A file that browsers keep."""
        response = super().file_response(*args, **more)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return response


def application(
    page: Page,
    routers: Sequence[APIRouter],
    *,
    embedded_in: Sequence[str] = (),
    form_targets: Sequence[str] = (),
    largest_forms: Mapping[str, int] | None = None,
) -> ASGIApp:
    """The routes as they are served; connections are closed when it ends.

    `largest_forms` are bytes by path, for forms larger than most. Raises Refusal (precondition,
    ORIGIN_WRONG).
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await page.services.close()

    # Its documentation would load scripts from elsewhere, and there is nothing to document.
    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(in_time, scope="function")],
    )
    app.state.page = page
    app.mount(ASSETS, Kept(directory=str(files("services.console.web") / "assets")))
    for router in (*routers, _usual):
        app.include_router(router)
    failing.install(app)
    inside = Answered(WholeForms(app, largest_forms))
    return Guarded(inside, origin=page.origin, embedded_in=embedded_in, form_targets=form_targets)


async def in_time(request: Request) -> AsyncIterator[None]:
    """What a page asks before it is shown has an end; a form that was pressed has the time of its calls."""
    if request.method not in SAFE:
        yield
        return
    with within(PAGE_US):
        yield


_usual = APIRouter()


@_usual.get(HEALTH)
async def healthz() -> Response:
    """That it runs; whether the services do, their own health says."""
    return Response("ok", media_type="text/plain")


@_usual.get("/language")
async def language(request: Request, to: str = "", next: str = "/") -> Response:
    """Goes on in another language."""
    response = RedirectResponse(own_path(next), 303)
    if to in LANGUAGES:
        page_of(request).set_cookie(response, LANGUAGE_COOKIE, to, YEAR_SECONDS)
    return response
