"""Every request is answered, in the way that HTTP has for it, whatever breaks within."""

import asyncio

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger(__name__)

_BROKEN = PlainTextResponse("This did not work. It is not known whether anything was changed.\n", 500)


class Answered:
    """An application that answers HEAD as it would GET (RFC 9110, 9.3.2), and never with nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; raises only what broke after an answer had begun that cannot be ended any more.

        Where it is cancelled it answers, and raises CancelledError.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head, sending = scope["method"] == "HEAD", _Sending(send)
        answer = sending.without_content if is_head else sending.send
        try:
            await self._app({**scope, "method": "GET"} if is_head else scope, receive, answer)
        except asyncio.CancelledError:
            # The process ends, and does not wait for what this waits for.
            if not sending.has_begun:
                await _BROKEN(scope, receive, answer)
            raise
        except Exception as error:
            if sending.has_ended:
                # Its page of failure was sent and its text logged by whoever made that.
                return
            if sending.has_begun:
                raise
            _log.error("a page of failure could not be made", exc_info=error)
            await _BROKEN(scope, receive, answer)


class _Sending:
    """How far an answer has come."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False
        self.has_ended = False

    async def send(self, message: Message) -> None:
        self.has_begun = True
        self.has_ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def without_content(self, message: Message) -> None:
        await self.send({**message, "body": b""} if message["type"] == "http.response.body" else message)
