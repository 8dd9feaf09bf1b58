"""The first page: how everything stands, and what waits for somebody."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.console.moments import from_us
from services.console.operations import standing
from services.console.operations.ages import span
from services.console.operations.log_parts import log_standing, of_log
from services.console.operations.roles import ORDER_HALT, is_open
from services.console.operations.words_decisions import LICENSE_STATES
from services.console.stats import By
from services.console.web.asking import together
from services.console.web.page import Page, SignedIn, page_of, shown
from services.console.web.words import PURPOSES, word

router = APIRouter()
TABLES: dict[str, Any] = {
    "word": word,
    "PURPOSES": PURPOSES,
    "LICENSE_STATES": LICENSE_STATES,
    "span": span,
    "from_us": from_us,
}
"""What the template says numbers with."""


@router.get("/")
async def overview(request: Request, session: SignedIn) -> HTMLResponse:
    """Each part for itself: where one cannot be had, the others stand."""
    page = page_of(request)
    now_us = page.clock.now_us()
    parts = await _parts(page, now_us)
    counted = parts["day"] or parts["hour"]
    last = counted.as_of if counted else None
    given: dict[str, Any] = {"last": last, "now_us": now_us, "may_halt": is_open(session, ORDER_HALT)}
    return shown(request, "overview.html", **parts, **given, **TABLES)


async def _parts(page: Page, now_us: int) -> dict[str, Any]:
    consent, metering, licensing = map(page.services.peer, ("consent", "metering", "licensing"))
    return await together(
        halts=standing.halts(consent),
        hour=standing.recent(licensing, By.MINUTE, 60, now_us),
        day=standing.recent(licensing, By.HOUR, 24, now_us),
        licenses=standing.licenses(licensing),
        overdue=standing.overdue(licensing),
        recalls=standing.recalls(licensing, now_us),
        steps=standing.steps(metering),
        log=of_log(log_standing(licensing, now_us)),
        wall=standing.wall(licensing),
    )
