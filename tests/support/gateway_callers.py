"""One call in three ways: JSON, gRPC and gRPC-Web, through a gateway; and what came of it, in one form."""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import grpc
import httpx
from google.rpc import error_details_pb2, status_pb2

GRPC_WEB = "application/grpc-web+proto"
DEADLINE_SECONDS = 20.0
LARGEST = [("grpc.max_send_message_length", -1)]


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    code: int
    """Of google.rpc.Code; 0 is OK."""
    reason: str = ""
    """Of the ErrorInfo; "" where there is none."""
    message: str = field(default="", compare=False)
    body: bytes = field(default=b"", compare=False)
    http: int = field(default=200, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    details: bytes = field(default=b"", compare=False)
    """The google.rpc.Status that an error carries over gRPC and gRPC-Web."""


def in_json(answer: httpx.Response) -> Outcome:
    """What an answer in JSON says; an error that is no google.rpc.Status fails here."""
    told: dict[str, Any] = {
        "http": answer.status_code,
        "headers": dict(answer.headers),
        "body": answer.content,
    }
    if answer.is_success:
        return Outcome(0, **told)
    return replace(json_outcome(answer.content), **told)


def json_outcome(body: bytes) -> Outcome:
    """What the body of an error says; one that is no google.rpc.Status fails here."""
    said = json.loads(body)
    assert set(said) == {"code", "message", "details"}, said
    details = [each for each in said["details"] if each["@type"].endswith("google.rpc.ErrorInfo")]
    return Outcome(said["code"], details[0]["reason"] if details else "", said["message"], body)


async def over_grpc(
    address: str, path: str, request: bytes = b"", metadata: Mapping[str, str] | None = None
) -> Outcome:
    """One unary call with bytes as its message."""
    async with grpc.aio.insecure_channel(address, options=LARGEST) as channel:
        unary: Any = channel.unary_unary(path)
        call = unary(request, metadata=tuple((metadata or {}).items()), timeout=DEADLINE_SECONDS)
        try:
            body = await call
        except grpc.aio.AioRpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            details = trailers.get("grpc-status-details-bin", b"")
            assert isinstance(details, bytes)
            message = error.details() or ""
            return Outcome(error.code().value[0], _reason(details), message=message, details=details)
        return Outcome(0, body=body)


async def over_grpc_web(
    client: httpx.AsyncClient, path: str, request: bytes = b"", headers: Mapping[str, str] | None = None
) -> Outcome:
    """One unary call with bytes as its message, as a page of a browser sends it."""
    answer = await client.post(
        path,
        content=b"\0" + len(request).to_bytes(4) + request,
        headers={"content-type": GRPC_WEB, **(headers or {})},
    )
    return in_grpc_web(answer)


def in_grpc_web(answer: httpx.Response) -> Outcome:
    """What an answer of gRPC-Web says, in its last frame or, of one that has none, in its headers."""
    trailers = {key.lower(): value for key, value in answer.headers.items()}
    message, rest = b"", answer.content
    assert trailers["content-type"].startswith("application/grpc-web"), (answer.status_code, answer.text)
    while rest:
        flag, length = rest[0], int.from_bytes(rest[1:5])
        frame, rest = rest[5 : 5 + length], rest[5 + length :]
        if flag & 0x80:
            lines = frame.decode().splitlines()
            trailers |= {
                name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
        else:
            message = frame
    packed = trailers.get("grpc-status-details-bin", "")
    details = base64.b64decode(packed + "=" * (-len(packed) % 4))
    said = unquote(trailers.get("grpc-message", ""))
    return Outcome(
        int(trailers["grpc-status"]), _reason(details), message=said, body=message, http=answer.status_code,
        headers=dict(answer.headers), details=details,
    )  # fmt: skip


async def raw(address: str, request: bytes, *, head_too: bool = False) -> tuple[int, bytes]:
    """Status and body of what is answered to these bytes of HTTP/1.1; the headers before it, where asked for.

    The answer is read while they are sent: to a request that is too large it comes before its end.
    """
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(DEADLINE_SECONDS):
        headers = await reader.readuntil(b"\r\n\r\n")
        head = headers.decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
    writer.transport.abort()
    return int(head.split()[1]), headers + body if head_too else body


def _reason(details: bytes) -> str:
    status, info = status_pb2.Status.FromString(details), error_details_pb2.ErrorInfo()
    return next((info.reason for each in status.details if each.Unpack(info)), "")
