"""So many requests are answered at once; whoever comes beyond that is told so, and when to come back."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.console.web.headers import HEALTH

AT_ONCE = 500
"""Requests; a page is made of a few calls of some milliseconds."""
COME_BACK_SECONDS = 5

_CROWDED = PlainTextResponse(
    "Too many are here at the moment. Nothing was changed. Try again in a few seconds.\n",
    503,
    {"Retry-After": str(COME_BACK_SECONDS)},
)


class Crowding:
    """An application that answers at most `at_once` requests at once, and health besides."""

    def __init__(self, app: ASGIApp, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._at_once = at_once
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        if self._running >= self._at_once:
            await _CROWDED(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
