"""The ways to a service that are compared: straight to it, and by the gateway in gRPC, gRPC-Web and JSON.

The client of HTTP/1.1 does no more than is needed: what is measured is the gateway, not a library.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from services.chassis.channels import CLIENT_OPTIONS

DEADLINE_SECONDS = 30.0
GRPC_WEB = "application/grpc-web+proto"
END = b"\r\n"
STRAIGHT = "direct"
"""gRPC to the service itself."""
TURNED_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
"""In HTTP 503 and 429, in gRPC-Web 14 and 8."""


@dataclass(frozen=True)
class Question:
    """One call, in each form that it can be sent in."""

    path: str
    """/package.Service/Method."""
    message: bytes
    verb: str
    url: str
    """Of the JSON form."""
    body: Mapping[str, object] | None
    """Likewise; None where it has none."""
    token: str


class TurnedAwayError(Exception):
    """The call was not answered, for there is no room, or no time: on a busy machine that is an answer."""


class Way(Protocol):
    """Asks, and takes no answer but that all went well."""

    async def ask(self, question: Question) -> None:
        """Raises TurnedAwayError; AssertionError or AioRpcError for any other answer."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...


class Grpc:
    """One channel, as clients of gRPC have it."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=CLIENT_OPTIONS)

    async def ask(self, question: Question) -> None:
        """One unary call; the answer stays bytes, as in the other ways."""
        call: Any = self._channel.unary_unary(question.path)
        shown = (("authorization", f"Bearer {question.token}"),)
        try:
            await call(question.message, metadata=shown, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() in TURNED_AWAY:
                raise TurnedAwayError from error
            raise

    async def close(self) -> None:
        """Ends the channel."""
        await self._channel.close()


class Http:
    """Connections of HTTP/1.1 that are kept, as many as there are calls at once."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def answer(self, question: Question, verb: str, url: str, media: str, body: bytes) -> bytes:
        """The body of an answer with the status 200."""
        reader, writer = self._idle.pop() if self._idle else await self._connection()
        head = (
            f"{verb} {url} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: {media}\r\n"
            f"authorization: Bearer {question.token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        async with asyncio.timeout(DEADLINE_SECONDS):
            said = (await reader.readuntil(END * 2)).lower()
            got = await _body(reader, said)
        self._idle.append((reader, writer))
        if said.split()[1] in (b"503", b"429") or re.search(rb"grpc-status: ?(14|8)\b", said + got):
            raise TurnedAwayError
        assert said.startswith(b"http/1.1 200"), said + got
        return got

    async def close(self) -> None:
        """Ends all that are idle."""
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port)


class Json(Http):
    """As `google.api.http` has it."""

    async def ask(self, question: Question) -> None:
        """One call in JSON."""
        body = b"" if question.body is None else json.dumps(question.body).encode()
        await self.answer(question, question.verb, question.url, "application/json", body)


class GrpcWeb(Http):
    """As pages of browsers call."""

    async def ask(self, question: Question) -> None:
        """One call in gRPC-Web, whose last frame says how it ended."""
        framed = b"\0" + len(question.message).to_bytes(4) + question.message
        said = await self.answer(question, "POST", question.path, GRPC_WEB, framed)
        assert b"grpc-status:0" in said, said


def ways(service: str, gateway: str) -> dict[str, Way]:
    """All of them, by name, the one that the others are compared with first; addresses are host:port."""
    return {
        STRAIGHT: Grpc(service),
        "gRPC": Grpc(gateway),
        "gRPC-Web": GrpcWeb(gateway),
        "JSON": Json(gateway),
    }


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if b"transfer-encoding: chunked" not in head:
        return await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(END)[0]))
    parts: list[bytes] = []
    while size := int(await reader.readuntil(END), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(len(END))
    await reader.readexactly(len(END))
    return b"".join(parts)
