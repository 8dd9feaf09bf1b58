"""Headers of every answer: nothing of anybody else's is loaded, nothing is framed, nothing is kept.

What is sent under another name than ours, and a form that another site has sent, are refused before anybody
reads them.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.refusals import precondition
from services.console.web.addresses import host_of, is_origin

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
HEALTH = "/healthz"
"""Asked for by machines under whatever name they know this one by."""


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
        """`origin` is scheme://host[:port] by which browsers know it; the others are origins too.

        A page of `embedded_in` has to be of the same site, such as www.example.com for settings.example.com:
        in frames of other sites browsers send none of our cookies. Raises Refusal (precondition,
        ORIGIN_WRONG).
        """
        for each in (origin, *embedded_in, *form_targets):
            if not is_origin(each):
                raise precondition("ORIGIN_WRONG", f"{each!r} is not scheme://host[:port], in small letters")
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

        await self._answering(scope)(scope, receive, guarded)

    def _answering(self, scope: Scope) -> ASGIApp:
        headers = Headers(scope=scope)
        if scope["path"] != HEALTH and not self._is_ours(headers.getlist("host")):
            # No address is made of a name that whoever asks has written; and a name that somebody has
            # pointed at this machine makes nobody's page of its own out of ours (DNS rebinding).
            return PlainTextResponse(f"This is not the place you asked for. It is {self._origin}\n", 421)
        if scope["method"] not in SAFE and not self._is_own(headers):
            return PlainTextResponse("This form was sent by another site. Nothing was changed.\n", 403)
        return self._app

    def _is_ours(self, hosts: Sequence[str]) -> bool:
        if len(hosts) != 1 or not {"/", "?", "#"}.isdisjoint(hosts[0]):
            return False
        scheme = self._origin.partition(":")[0]
        return host_of(f"{scheme}://{hosts[0]}") == host_of(self._origin)

    def _is_own(self, headers: Headers) -> bool:
        """Whether one of our own pages sent it: browsers say so in at least one of two ways."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        return site is not None if origin is None else origin == self._origin
