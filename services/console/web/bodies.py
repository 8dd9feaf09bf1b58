"""Reads what is sent before anybody works on it: whole, in time, and not more of it than a form can be."""

import asyncio
from collections.abc import Callable, Mapping
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
ALL_FORMS = 64 * 1024 * 1024
"""Bytes of all forms that are being sent or worked on; as many small ones as there are connections fit."""

_SENT = "sent"
_TOO_LARGE = PlainTextResponse("This form is too large. Nothing was changed.\n", 413)
_TOO_SLOW = PlainTextResponse("This form took too long to come. Nothing was changed.\n", 408)
_TOO_MANY = PlainTextResponse(
    "Too many forms are being sent at the moment. Nothing was changed. Try again in a minute.\n",
    503,
    {"Retry-After": "60"},
)


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


class TooManyError(Exception):
    """Others are sending so much that there is no room for this."""


class LeftError(Exception):
    """Whoever was sending has gone."""


class _Form:
    """What has come of one."""

    def __init__(self) -> None:
        self._content = bytearray()
        self.size = 0
        """Bytes, which stay the same when they are taken: whoever takes them has them."""

    def add(self, part: bytes) -> int:
        """Its length."""
        self._content += part
        self.size += len(part)
        return len(part)

    def taken(self) -> bytes:
        """All of it, which is not held here any longer."""
        content, self._content = bytes(self._content), bytearray()
        return content


class WholeForms:
    """An application that gets forms whole."""

    def __init__(
        self,
        app: ASGIApp,
        largest: Mapping[str, int] | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        *,
        is_known: Callable[[Scope], bool] = lambda _scope: False,
        all_forms: int = ALL_FORMS,
    ) -> None:
        """`largest` are bytes by path, for those that take more than LARGEST_FORM of whoever `is_known`.

        `all_forms` are the bytes that all of them together may take.
        """
        self._app = app
        self._largest = largest or {}
        self._deadline_seconds = deadline_seconds
        self._is_known = is_known
        self._all_forms = all_forms
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return
        form = _Form()
        try:
            if answer := await self._read(scope, receive, form):
                await answer(scope, receive, send)
                return
            content = form.taken()
            # For the page that says what became of it (`sent_fields`), whoever has read the content before.
            scope.setdefault("state", {})[_SENT] = content
            await self._app(scope, _replaying(content, receive), send)
        except LeftError:
            return
        finally:
            self._held -= form.size

    async def _read(self, scope: Scope, receive: Receive, form: "_Form") -> ASGIApp | None:
        """Reads all of it; the answer where that cannot be. Raises LeftError."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._collect(scope, receive, form)
        except TooLargeError:
            return _TOO_LARGE
        except TooManyError:
            return _TOO_MANY
        except TimeoutError:
            return _TOO_SLOW
        return None

    async def _collect(self, scope: Scope, receive: Receive, form: "_Form") -> None:
        most = self._most(scope)
        said = Headers(scope=scope).get("content-length", "0")
        # What says that it is too large is not waited for.
        if not said.isdecimal() or int(said[:20]) > most:
            raise TooLargeError
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise LeftError
            self._held += form.add(message.get("body", b""))
            if form.size > most:
                raise TooLargeError
            if self._held > self._all_forms:
                raise TooManyError
            if not message.get("more_body", False):
                return

    def _most(self, scope: Scope) -> int:
        """Bytes of this form: strangers have no large ones held for them."""
        most = self._largest.get(scope["path"], LARGEST_FORM)
        return most if most <= LARGEST_FORM or self._is_known(scope) else LARGEST_FORM


def _replaying(content: bytes, receive: Receive) -> Receive:
    """Gives the content once, and then whatever comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
