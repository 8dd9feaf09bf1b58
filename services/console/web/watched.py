"""What is seen of requests from outside of them: a span and a line of the log each.

Both tell the template of the route, never the path or the query, which may hold the id of somebody or a code.
Every request begins a trace: what strangers say theirs is would have them decide what is recorded.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from opentelemetry.context import Context
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.telemetry import tracer
from services.console.web.headers import HEALTH
from services.console.web.templating import ASSETS

NO_ROUTE = "(none)"
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
OTHER_METHOD = "_OTHER"
"""Of whatever a stranger makes up, as OpenTelemetry has it."""

_log = structlog.get_logger(__name__)


@dataclass
class _Outcome:
    status: int = 0
    """Of HTTP; 0 where the browser went away before there was one."""


class Watched:
    """An application whose requests are traced and logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or _is_silent(scope["path"]):
            await self._app(scope, receive, send)
            return
        with _told(scope) as outcome:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    outcome.status = message["status"]
                await send(message)

            await self._app(scope, receive, noting)


def _is_silent(path: str) -> bool:
    """Whether it is asked for all the time, and nobody ever looks for it in a log."""
    return path == HEALTH or path.startswith(f"{ASSETS}/")


@contextmanager
def _told(scope: Scope) -> Iterator[_Outcome]:
    """A span around one request, and its line in the log."""
    method = scope["method"] if scope["method"] in KNOWN_METHODS else OTHER_METHOD
    outcome, began = _Outcome(), time.perf_counter()
    with tracer().start_as_current_span(
        method,
        context=Context(),
        kind=SpanKind.SERVER,
        attributes={HTTP_REQUEST_METHOD: method},
        # The text of an exception may hold anything.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield outcome
        finally:
            route = route_of(scope)
            _conclude(span, f"{method} {route}", route, outcome.status)
            milliseconds = round((time.perf_counter() - began) * 1e3, 1)
            _log.info("request", method=method, route=route, status=outcome.status, ms=milliseconds)


def route_of(scope: Scope) -> str:
    """The template of the route that answered, such as /licenses/{license_id}."""
    return str(getattr(scope.get("route"), "path", NO_ROUTE))


def _conclude(span: Span, name: str, route: str, status: int) -> None:
    span.update_name(name)
    span.set_attributes({HTTP_ROUTE: route, HTTP_RESPONSE_STATUS_CODE: status})
    if status == 0 or status >= 500:
        said = str(status) if status else "browser_gone"
        span.set_attribute(ERROR_TYPE, said)
        span.set_status(Status(StatusCode.ERROR, said))
