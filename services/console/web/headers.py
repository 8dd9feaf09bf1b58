"""Headers of every answer: nothing of anybody else's is loaded, nothing is framed, nothing is kept.

A form that another site has sent is refused before anybody reads it.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def policy(embedded_in: Sequence[str], form_targets: Sequence[str]) -> str:
    """The Content-Security-Policy: own files only; framed by `embedded_in`, forms also to `form_targets`."""
    forms, frames = " ".join(["'self'", *form_targets]), " ".join(embedded_in) or "'none'"
    return "; ".join(
        [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            f"form-action {forms}",
            f"frame-ancestors {frames}",
        ]
    )


class Guarded:
    """An application whose answers carry the headers, and which other sites can send nothing to."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        origin: str,
        embedded_in: Sequence[str] = (),
        form_targets: Sequence[str] = (),
    ) -> None:
        """`origin` is scheme://host[:port] by which browsers know it."""
        self._app = app
        self._origin = origin
        self._headers = {
            "Content-Security-Policy": policy(embedded_in, form_targets),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if not embedded_in:
            self._headers["X-Frame-Options"] = "DENY"
        if origin.startswith("https:"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                # Pages are about one person; what may be kept says so itself.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["method"] in SAFE or self._is_own(Headers(scope=scope)):
            await self._app(scope, receive, guarded)
        else:
            refusal = PlainTextResponse("This form was sent by another site. Nothing was changed.", 403)
            await refusal(scope, receive, guarded)

    def _is_own(self, headers: Headers) -> bool:
        """Whether one of our own pages sent it: browsers say so in at least one of two ways."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        return site is not None if origin is None else origin == self._origin
