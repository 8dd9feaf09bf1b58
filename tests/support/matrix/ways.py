"""One call in three ways, unary or a stream, and what came of it in one form.

Of a stream of answers the first is taken, and then it is closed; one that says nothing for a while is open.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc
import httpx
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from tests.support.gateway_callers import DEADLINE_SECONDS, GRPC_WEB
from tests.support.matrix.methods import Rpc
from tests.support.matrix.paths import sent_as

SILENCE_SECONDS = 5.0
"""A stream that has said nothing for so long is open."""
TRIES = 5
TRAILERS = 0x80
"""Flag of the last frame of gRPC-Web."""


@dataclass(frozen=True)
class Answer:
    """How a call ended, or how its stream began."""

    code: int
    """Of google.rpc.Code; 0 is OK."""
    reason: str = ""
    message: str = ""
    details: tuple[bytes, ...] = ()
    """As they were packed, in order; without RetryInfo, which says something else at each moment."""
    body: Message | None = None
    """The answer, or the first of a stream; None of an error, and of a stream that says nothing."""


Metadata = tuple[tuple[str, str], ...]
Way = Callable[[Rpc, Message, Mapping[str, str]], Awaitable[list[Answer]]]
"""Answers of one way to call; more than one where it has several paths, none where it has no path."""


class Ways:
    """The three ways through one gateway."""

    def __init__(self, address: str) -> None:
        """`address` is host:port."""
        self._channel = grpc.aio.insecure_channel(address)
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
        self._client = httpx.AsyncClient(
            base_url=f"http://{address}", limits=limits, timeout=DEADLINE_SECONDS, trust_env=False
        )

    async def close(self) -> None:
        """Hangs up."""
        await self._channel.close()
        await self._client.aclose()

    @property
    def all(self) -> tuple[Way, Way, Way]:
        """gRPC, gRPC-Web, JSON."""
        return patient(self.over_grpc), patient(self.over_grpc_web), patient(self.in_json)

    async def over_grpc(self, rpc: Rpc, request: Message, headers: Mapping[str, str]) -> list[Answer]:
        """As servers call."""
        call = self._call(rpc, request.SerializeToString(), tuple(headers.items()))
        try:
            first = await call
        except grpc.aio.AioRpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            code, text = error.code().value[0], error.details() or ""
            return [_error(code, text, trailers.get("grpc-status-details-bin", b""))]
        return [Answer(0) if first is None else _ok(rpc, first)]

    async def _call(self, rpc: Rpc, request: bytes, metadata: Metadata) -> bytes | None:
        """The answer, or the first of a stream; None of one that says nothing. Raises AioRpcError."""
        if not rpc.method.client_streaming and not rpc.answers_go_on:
            unary: Any = self._channel.unary_unary(rpc.path)
            answer: bytes = await unary(request, metadata=metadata, timeout=DEADLINE_SECONDS)
            return answer
        # On the wire one request is a stream of one; and a stream of a caller's that is refused while it is
        # being sent ends in an error of grpc's own, not in the status that came.
        many: Any = self._channel.unary_stream(rpc.path)
        call = many(request, metadata=metadata, timeout=DEADLINE_SECONDS)
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                first = await call.read()
        except TimeoutError:
            return None
        finally:
            call.cancel()
        return None if first is grpc.aio.EOF else bytes(first)

    async def over_grpc_web(self, rpc: Rpc, request: Message, headers: Mapping[str, str]) -> list[Answer]:
        """As pages in a browser call."""
        content = request.SerializeToString()
        asked = self._client.stream(
            "POST",
            rpc.path,
            content=b"\0" + len(content).to_bytes(4) + content,
            headers={"content-type": GRPC_WEB, **headers},
        )
        async with _bounded(rpc), asked as answer:
            assert answer.headers["content-type"].startswith("application/grpc-web"), answer.headers
            return [await _of_frames(rpc, answer)]
        return [Answer(0)]

    async def in_json(self, rpc: Rpc, request: Message, headers: Mapping[str, str]) -> list[Answer]:
        """As everybody else calls, at each path that the contract gives."""
        return [await self._at_path(rpc, rule, request, headers) for rule in rpc.rules]

    async def _at_path(self, rpc: Rpc, rule: Any, request: Message, headers: Mapping[str, str]) -> Answer:
        sent = sent_as(rule, request)
        query = httpx.QueryParams(tuple(sent.query)) if sent.query else None
        asked = self._client.stream(
            sent.verb, sent.path, params=query, content=sent.body, headers=dict(headers)
        )
        async with _bounded(rpc), asked as answer:
            if not answer.is_success:
                return _json_error(await answer.aread())
            if rpc.answers_go_on:
                line = await anext(answer.aiter_lines(), "")
                return _json_ok(rpc, line) if line else Answer(0)
            return _json_ok(rpc, (await answer.aread()).decode())
        return Answer(0)


def patient(way: Way) -> Way:
    """Repeats a call that nobody has decided, as callers do: a busy machine may be too slow for a gateway."""

    async def repeated(rpc: Rpc, request: Message, headers: Mapping[str, str]) -> list[Answer]:
        for _ in range(TRIES):
            answers = await way(rpc, request, headers)
            if all(answer.code != code_pb2.UNAVAILABLE for answer in answers):
                break
        return answers

    return repeated


@contextlib.asynccontextmanager
async def _bounded(rpc: Rpc) -> AsyncIterator[None]:
    """Bounds the silence of a stream: where that is over, what stands after the block is done."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SILENCE_SECONDS if rpc.answers_go_on else None):
            yield


async def _of_frames(rpc: Rpc, answer: httpx.Response) -> Answer:
    """What an answer of gRPC-Web says, in its last frame or, of one that has none, in its headers."""
    trailers = {key.lower(): value for key, value in answer.headers.items()}
    message: bytes | None = None
    async for flag, frame in _frames(answer):
        if flag & TRAILERS:
            lines = [line.partition(":") for line in frame.decode().splitlines()]
            trailers |= {name.strip().lower(): value.strip() for name, _, value in lines}
        elif rpc.answers_go_on:
            return _ok(rpc, frame)
        else:
            message = frame
    code = int(trailers["grpc-status"])
    if code == 0:
        return Answer(0) if message is None else _ok(rpc, message)
    packed = trailers.get("grpc-status-details-bin", "")
    details = base64.b64decode(packed + "=" * (-len(packed) % 4))
    return _error(code, unquote(trailers.get("grpc-message", "")), details)


async def _frames(answer: httpx.Response) -> AsyncIterator[tuple[int, bytes]]:
    held = b""
    async for chunk in answer.aiter_bytes():
        held += chunk
        while len(held) >= 5 and len(held) >= 5 + int.from_bytes(held[1:5]):
            end = 5 + int.from_bytes(held[1:5])
            yield held[0], held[5:end]
            held = held[end:]
    assert not held, "a frame is cut off"


def _ok(rpc: Rpc, content: bytes) -> Answer:
    body = rpc.response()
    body.ParseFromString(content)
    return Answer(0, body=body)


def _json_ok(rpc: Rpc, text: str) -> Answer:
    return Answer(0, body=json_format.Parse(text, rpc.response()))


def _error(code: int, message: str, details: bytes) -> Answer:
    status = status_pb2.Status.FromString(details)
    # What clients go by without details is the same as what the details say.
    assert (code, message) == (status.code, status.message), (code, message, status)
    return _of_status(status)


def _json_error(content: bytes) -> Answer:
    return _of_status(json_format.Parse(content, status_pb2.Status()))


def _of_status(status: status_pb2.Status) -> Answer:
    info = error_details_pb2.ErrorInfo()
    reason = next((info.reason for each in status.details if each.Unpack(info)), "")
    kept = [each for each in status.details if not each.Is(error_details_pb2.RetryInfo.DESCRIPTOR)]
    return Answer(status.code, reason, status.message, tuple(each.value for each in kept))
