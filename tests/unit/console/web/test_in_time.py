"""A page has so much time for all that it asks; what is sent after it, and a form, have their own."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from services.chassis.deadlines import remaining_us
from services.console.web.application import application
from services.console.web.asking import PAGE_US
from tests.support.clock import ManualClock
from tests.support.pages import Visitor
from tests.support.small_pages import small_pages


def left() -> str:
    """Microseconds, or that there is no end."""
    return str(remaining_us() or "no end")


def telling() -> APIRouter:
    """Pages that say how much time they have."""
    router = APIRouter()

    async def told() -> Response:
        return PlainTextResponse(left())

    router.add_api_route("/page", told, methods=["GET", "POST"])

    @router.get("/file")
    async def file() -> Response:
        async def parts() -> AsyncIterator[str]:
            yield left()

        return StreamingResponse(parts(), media_type="text/plain")

    return router


async def test_a_page_has_an_end_and_what_is_sent_or_pressed_has_its_own() -> None:
    pages = small_pages(ManualClock())
    headers = {"sec-fetch-site": "same-origin", "origin": pages.page.origin}

    async with Visitor(application(pages.page, [telling()]), pages.page.origin) as visitor:
        page = await visitor.http.get("/page", headers=headers)
        pressed = await visitor.http.post("/page", headers=headers)
        file = await visitor.http.get("/file", headers=headers)

    assert 0 < int(page.text) <= PAGE_US
    assert pressed.text == file.text == "no end"
    assert remaining_us() is None
