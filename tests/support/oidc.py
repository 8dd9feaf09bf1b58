"""An OpenID Connect provider of somebody else: keys, tokens, and a small HTTP server for its JWKS."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from services.chassis.clock import Clock
from services.chassis.issuers import read_issuers, token_issuer
from services.chassis.jwks import Jwks, usable_keys
from services.chassis.keys import Keys
from services.chassis.verifying import TokenVerifier
from tests.support.forging import Workshop
from tests.support.https import Answer
from tests.support.keys import AUDIENCE, ISSUER

ELSEWHERE = "https://id.example.com/users"
FOR_US = "sluice-users"
ENTRY: Mapping[str, Any] = {"name": "users", "issuer": ELSEWHERE, "audience": FOR_US}


def issuers_file(folder: Path, *entries: Mapping[str, Any]) -> Path:
    """A file that lists these, as YAML."""
    path = folder / "issuers.yaml"
    path.write_text(yaml.safe_dump({"issuers": [dict(entry) for entry in entries]}), encoding="utf-8")
    return path


def a_file_verifier(
    folder: Path, keys: Keys, clock: Clock, *shops: Workshop, **changes: Any
) -> TokenVerifier:
    """Believes our own issuer and one elsewhere for each workshop; its keys are in a file."""
    entries = []
    for number, shop in enumerate(shops):
        path = shop.publish(folder / f"elsewhere-{number}.json")
        named = {"name": f"users-{number}", "issuer": f"{ELSEWHERE}/{number}"} if number else {}
        entries.append({**ENTRY, "jwks_file": str(path), **named, **changes})
    read = read_issuers(issuers_file(folder, *entries))
    others = [token_issuer(each, Jwks(each.jwks_file, usable_keys)) for each in read if each.jwks_file]
    return TokenVerifier(keys.token_jwks, ISSUER, AUDIENCE, clock, others=others)


def claims_elsewhere(shop: Workshop, **changes: Any) -> dict[str, Any]:
    """Those of an ordinary ID token of a provider; `...` leaves one out."""
    said = {"iss": ELSEWHERE, "aud": FOR_US, "sub": "7", "kind": ..., "roles": ..., "azp": "app"}
    return shop.claims(**{**said, **changes})


class JwksServer:
    """Answers every request with `answer`; `asked` are the requests that came."""

    def __init__(self) -> None:
        self.answer: bytes | Answer = b""
        self.asked: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Of its keys."""
        return f"http://127.0.0.1:{self.port}/keys"

    def publish(self, *jwks: Mapping[str, Any], cache_control: str | None = None) -> None:
        """Answers with these keys from now on."""
        self.answer = answer_of(json.dumps({"keys": list(jwks)}).encode(), cache_control)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            if isinstance(self.answer, bytes):
                writer.write(self.answer)
                await writer.drain()
            else:
                await self.answer(writer)
        writer.close()


def answer_of(content: bytes, cache_control: str | None = None, status: str = "200 OK") -> bytes:
    """An answer of HTTP with a body."""
    said = "" if cache_control is None else f"cache-control: {cache_control}\r\n"
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{said}content-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


@contextlib.asynccontextmanager
async def a_jwks_server() -> AsyncIterator[JwksServer]:
    """On a free port of 127.0.0.1."""
    server = JwksServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
