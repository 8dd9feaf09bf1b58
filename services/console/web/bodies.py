"""Reads what is sent before anybody works on it: whole, in time, and not more of it than a form can be."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.web.forms import FIELD
from services.console.web.headers import SAFE

LARGEST_FORM = 64 * 1024
"""Bytes of a form, where its path has no other limit."""
DEADLINE_SECONDS = 30.0
"""From the first byte of a form to its last."""

_SENT = "sent"
_TOO_LARGE = PlainTextResponse("This form is too large. Nothing was changed.\n", 413)
_TOO_SLOW = PlainTextResponse("This form took too long to come. Nothing was changed.\n", 408)


def sent_fields(request: Request) -> list[tuple[str, str]]:
    """The fields of a form with a sealed one, to be sent again as they came: carried out once at most.

    Empty for a form without it, or one with files, of which a page cannot send what it was sent.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return []
    content: bytes = getattr(request.state, _SENT, b"")
    fields = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
    return fields if any(name == FIELD for name, _ in fields) else []


class TooLargeError(Exception):
    """More came than may."""


class LeftError(Exception):
    """Whoever was sending has gone."""


class WholeForms:
    """An application that gets forms whole."""

    def __init__(
        self,
        app: ASGIApp,
        largest: Mapping[str, int] | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """`largest` are bytes by path, for those that take more than LARGEST_FORM."""
        self._app = app
        self._largest = largest or {}
        self._deadline_seconds = deadline_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._deadline_seconds):
                content = await self._read(scope, receive)
        except TooLargeError:
            await _TOO_LARGE(scope, receive, send)
        except TimeoutError:
            await _TOO_SLOW(scope, receive, send)
        except LeftError:
            return
        else:
            # For the page that says what became of it (`sent_fields`), whoever has read the content before.
            scope.setdefault("state", {})[_SENT] = content
            await self._app(scope, _replaying(content, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        most = self._largest.get(scope["path"], LARGEST_FORM)
        said = Headers(scope=scope).get("content-length", "0")
        # What says that it is too large is not waited for.
        if not said.isdecimal() or int(said[:20]) > most:
            raise TooLargeError
        content = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise LeftError
            content += message.get("body", b"")
            if len(content) > most:
                raise TooLargeError
            if not message.get("more_body", False):
                return bytes(content)


def _replaying(content: bytes, receive: Receive) -> Receive:
    """Gives the content once, and then whatever comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
