"""What a reader is told where a page could not be made or a form was not carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from services.chassis.refusals import Kind, Refusal
from services.console.web.bodies import sent_fields
from services.console.web.going_back import came_from
from services.console.web.headers import SAFE
from services.console.web.own_paths import next_of, own_path
from services.console.web.page import page_of, shown
from services.console.web.reading import msgid
from services.console.web.unfinished import PARTLY_DONE, UNKNOWN_OUTCOME

_log = structlog.get_logger(__name__)

STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.ALREADY_EXISTS: 409,
    Kind.PRECONDITION: 409,
    Kind.ABORTED: 409,
    Kind.EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
}
"""Of HTTP, by what a caller can do about a refusal."""
_REASONS = {404: "NO_SUCH_PAGE", 405: "METHOD_NOT_ALLOWED"}
USUAL_RETRY_US = 1_000_000
CARRIED_OUT = "REQUEST_ID_REUSED"
"""The reason of a form that is sent again with something else filled in."""
MISSING: Mapping[str, str] = {
    "PARQUET_MISSING": msgid("It takes pyarrow, which is not installed here: pip install sluice[parquet]"),
    "PLOT_MISSING": msgid("It takes matplotlib, which is not installed here: pip install sluice[plot]"),
}
"""What to install, by the reason of whatever could not be done without."""


@dataclass(frozen=True)
class Failure:
    """What a page of failure says."""

    status: int
    reason: str
    """A word for programs and for whoever helps."""
    changed: str
    """Whether anything was changed: "nothing", "partly", "unknown", "before" where the form had been
    carried out already, or "" where nothing was to be."""

    @property
    def advice(self) -> str:
        """What whoever runs the page can do about it, as a sentence; "" where nothing is known."""
        return MISSING.get(self.reason, "")


def install(app: FastAPI) -> None:
    """Has the application answer every failure with a page."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _not_a_page)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _broken)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    if refusal.kind is Kind.UNAUTHENTICATED:
        return _signed_out(request)
    response = _failed(request, Failure(STATUSES[refusal.kind], refusal.reason, _changed(refusal.reason)))
    if (after_us := _retry_after_us(refusal)) is not None:
        response.headers["Retry-After"] = str(-(-after_us // 1_000_000))
    return response


def _retry_after_us(refusal: Refusal) -> int | None:
    """When to come back, in microseconds; the gateway's own limits do not say, and have room each second."""
    is_too_much = refusal.kind is Kind.EXHAUSTED
    return USUAL_RETRY_US if is_too_much and refusal.retry_after_us is None else refusal.retry_after_us


def _changed(reason: str) -> str:
    if reason == CARRIED_OUT:
        return "before"
    if reason == PARTLY_DONE:
        return "partly"
    return "unknown" if reason in UNKNOWN_OUTCOME else "nothing"


def _signed_out(request: Request) -> Response:
    """A read goes on after the sign-in; what was to be changed is not, and is seen anew before it is."""
    page = page_of(request)
    if request.method in SAFE:
        where = next_of(request.url.path, request.url.query)
        response: Response = RedirectResponse(f"/sign-in?next={quote(where, safe='/')}", 303)
    else:
        response = shown(request, "signed-out.html", 401, session=None, path=_came_from(request))
    page.drop_session(response)
    return response


async def _not_a_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = _REASONS.get(error.status_code, "FORM_UNREADABLE")
    response = _failed(request, Failure(error.status_code, reason, "nothing"))
    response.headers.update(error.headers or {})
    return response


async def _unreadable(request: Request, _error: Exception) -> Response:
    return _failed(request, Failure(400, "FORM_UNREADABLE", "nothing"))


async def _broken(request: Request, error: Exception) -> Response:
    # Its text is for the log alone.
    _log.error("a page could not be made", exc_info=error)
    return _failed(request, Failure(500, "INTERNAL", "unknown"))


def _failed(request: Request, failure: Failure) -> Response:
    if request.method in SAFE:
        return shown(request, "failure.html", failure.status, failure=replace(failure, changed=""), again=[])
    # At the address of a form there may be no page: what is led to is the one that the form was on.
    again = sent_fields(request) if failure.changed in {"partly", "unknown"} else []
    values = {"path": _came_from(request), "again": again, "sent_to": own_path(request.url.path)}
    return shown(request, "failure.html", failure.status, failure=failure, **values)


def _came_from(request: Request) -> str:
    """The page of ours that the form was on, as the browser says: to look at it again."""
    return came_from(request, page_of(request).origin)
