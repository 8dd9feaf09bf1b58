"""An OpenID Connect provider over real HTTP: it signs in whoever comes, and does wrong if a test says so."""

import asyncio
import base64
import contextlib
import hashlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.console.web.provider import DISCOVERY
from tests.support.forging import NOON, Workshop, base64url

CLIENT, SECRET = "pages", "a secret of the pages"
CALLBACK = "http://settings.test/sign-in/callback"

Answer = Callable[[Request], Awaitable[Response]]

_SHOP = Workshop()


@dataclass
class ProviderServer:
    """What it holds, and what it is asked."""

    issuer: str
    shop: Workshop = field(default_factory=lambda: _SHOP)
    kids: tuple[str, ...] = ("ed", "ec", "rsa")
    """Of the keys that it publishes."""
    signs_with: str = "ed"
    claims: dict[str, Any] = field(default_factory=dict)
    """Changes to those of an ordinary ID token; `...` leaves one out."""
    document: dict[str, Any] = field(default_factory=dict)
    """Changes to its discovery document."""
    tokens: dict[str, Any] = field(default_factory=dict)
    """Changes to what it gives for a code."""
    says: dict[str, str] | None = None
    """What it sends the browser back with, in the place of a code."""
    instead: dict[str, Answer] = field(default_factory=dict)
    """Other answers, by path."""
    asked: list[str] = field(default_factory=list)
    """The paths of the requests that came."""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        """Any request."""
        self.asked.append(request.url.path)
        usual: dict[str, Answer] = {
            DISCOVERY: self._document,
            "/keys": self._keys,
            "/authorize": self._sign_in,
            "/token": self._token,
        }
        return await (self.instead.get(request.url.path) or usual[request.url.path])(request)

    async def back_from(self, address: str) -> str:
        """Where somebody is sent who was sent to `address` and signs in there."""
        async with httpx.AsyncClient(verify=False) as browser:
            return (await browser.get(address)).headers["location"]

    async def _document(self, _request: Request) -> Response:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        } | self.document
        return JSONResponse({name: value for name, value in said.items() if value is not ...})

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.shop.jwk(kid) for kid in self.kids]})

    async def _sign_in(self, request: Request) -> Response:
        said = dict(request.query_params)
        assert said["response_type"] == "code"
        assert said["client_id"] == CLIENT
        assert said["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(12)
        self._codes[code] = said
        back = {"code": code} if self.says is None else self.says
        answer = {"iss": self.issuer, "state": said["state"], **back}
        return RedirectResponse(f"{said['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        sent = dict(parse_qsl((await request.body()).decode()))
        begun = self._codes.pop(sent["code"], None)
        challenge = base64url(hashlib.sha256(sent["code_verifier"].encode()).digest())
        if _client_of(request, sent) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        bound = {"code_challenge": challenge, "redirect_uri": sent["redirect_uri"]}
        if begun is None or not bound.items() <= begun.items():
            return JSONResponse({"error": "invalid_grant", "error_description": "no such code"}, 400)
        return JSONResponse({"token_type": "Bearer", "id_token": self.id_token(begun["nonce"])} | self.tokens)

    def id_token(self, nonce: str) -> str:
        """For a sign-in with this nonce."""
        said = {
            "iss": self.issuer, "aud": CLIENT, "sub": "7", "nonce": nonce, "iat": NOON, "exp": NOON + 300,
            "kind": ..., "roles": ...,
        } | self.claims  # fmt: skip
        return self.shop.token(claims=self.shop.claims(**said), kid=self.signs_with)


def _client_of(request: Request, sent: dict[str, str]) -> tuple[str, str]:
    """The client and its secret, in either of the ways of RFC 6749, 2.3.1."""
    given = request.headers.get("authorization", "")
    if given.startswith("Basic "):
        name, _, secret = base64.b64decode(given[6:]).decode().partition(":")
        return name, secret
    return sent.get("client_id", ""), sent.get("client_secret", "")


@contextlib.asynccontextmanager
async def a_provider() -> AsyncIterator[ProviderServer]:
    """On a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider = ProviderServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
        routes = [Route("/{path:path}", provider.answer, methods=["GET", "POST"])]
        config = uvicorn.Config(
            Starlette(routes=routes), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield provider
        finally:
            server.should_exit = True
            await serving


def answer_in(address: str) -> dict[str, str]:
    """What the browser brings back, of the address that it was sent to."""
    return dict(parse_qsl(urlsplit(address).query))
