"""An application of pages: routes, assets, failures and headers put together."""

import functools
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request
from starlette.types import ASGIApp, Scope

from services.chassis.deadlines import within
from services.console.web import failing
from services.console.web.answered import Answered
from services.console.web.asking import PAGE_US
from services.console.web.bodies import WholeForms
from services.console.web.crowding import AT_ONCE, Crowding
from services.console.web.headers import HEALTH, SAFE, Guarded
from services.console.web.own_paths import own_path
from services.console.web.page import LANGUAGE_COOKIE, Page, page_of, session_of
from services.console.web.reading import LANGUAGES
from services.console.web.templating import ASSETS, digest_of

YEAR_SECONDS = 365 * 24 * 3600


class Kept(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A file that browsers keep for good, if it is the one that they ask for.

        While replicas are replaced, a page of a new one may have its files from an old one.
        """
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_asked_for = scope["query_string"] == _digest(Path(full_path), stat_result.st_mtime_ns).encode()
        kept = f"public, max-age={YEAR_SECONDS}, immutable"
        response.headers["Cache-Control"] = kept if is_asked_for else "no-cache"
        return response


@functools.lru_cache(maxsize=100)
def _digest(file: Path, _changed_ns: int) -> str:
    return digest_of(file.read_bytes())


def application(
    page: Page,
    routers: Sequence[APIRouter],
    *,
    embedded_in: Sequence[str] = (),
    form_targets: Sequence[str] = (),
    largest_forms: Mapping[str, int] | None = None,
    at_once: int = AT_ONCE,
) -> ASGIApp:
    """The routes as they are served; connections are closed when it ends.

    `largest_forms` are bytes by path, for forms larger than most of whoever is signed in; `at_once` are
    requests. Raises Refusal (precondition, ORIGIN_WRONG).
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

    def is_known(scope: Scope) -> bool:
        return session_of(Request({**scope, "app": app})) is not None

    inside = Answered(WholeForms(app, largest_forms, is_known=is_known))
    return Guarded(
        Crowding(inside, at_once), origin=page.origin, embedded_in=embedded_in, form_targets=form_targets
    )


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
