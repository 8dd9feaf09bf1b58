"""What callers send, however wrong or large: refused with a reason, and a stranger's is not even parsed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from tests.integration.chassis.echo import ADMISSIONS, NAME, PARSED, Echo
from tests.support.grpc import LocalServer, answers_to, serving

UNREADABLE = b"\xff\xff\xff"
LARGEST_REQUEST_BYTES = 4 * 1024 * 1024
OPEN = ("/grpc.health.v1.Health/Check", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving(tmp_path, Echo().bolt(), admissions=ADMISSIONS) as local:
        yield local


@pytest.fixture
async def bare(server: LocalServer) -> AsyncIterator[grpc.aio.Channel]:
    # No limits of the client's own: what is turned away is turned away by the server.
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(server.address, options=unlimited) as channel:
        yield channel


def authorized(server: LocalServer) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE)}")]


async def sent(bare: Any, method: str, *payloads: bytes, metadata: Any = ()) -> list[bytes]:
    """The answers to `payloads` (one, where the method takes one), whichever of the four kinds it is."""
    if method in ("SayParsed", "Say"):
        return [await bare.unary_unary(f"/{NAME}/{method}")(payloads[-1], metadata=metadata)]
    if method == "CountParsed":
        call = bare.unary_stream(f"/{NAME}/{method}")(payloads[-1], metadata=metadata)
        return [answer async for answer in call]
    kind = bare.stream_unary if method == "JoinParsed" else bare.stream_stream
    return await answers_to(kind(f"/{NAME}/{method}")(metadata=metadata), *payloads)


async def failure(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def reason_of(error: grpc.aio.AioRpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert status.details[0].Unpack(info)
    return str(info.reason)


@pytest.mark.parametrize("method", PARSED)
async def test_a_handler_gets_messages(server: LocalServer, bare: Any, method: str) -> None:
    message = health_pb2.HealthCheckRequest(service="a.Service").SerializeToString()

    assert await sent(bare, method, message, metadata=authorized(server)) == [b"a.Service"]


@pytest.mark.parametrize("method", PARSED)
async def test_what_cannot_be_parsed_is_refused_with_a_reason(
    server: LocalServer, bare: Any, method: str
) -> None:
    good = health_pb2.HealthCheckRequest(service="a.Service").SerializeToString()

    error = await failure(sent(bare, method, good, UNREADABLE, metadata=authorized(server)))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "REQUEST_UNREADABLE"
    assert error.details() == "the request is not a message of this call"
    assert b"DecodeError" not in dict(error.trailing_metadata())["grpc-status-details-bin"]


@pytest.mark.parametrize("method", PARSED)
async def test_what_a_stranger_sends_is_not_parsed(bare: Any, method: str) -> None:
    error = await failure(sent(bare, method, UNREADABLE))

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(error) == "TOKEN_MISSING"


async def test_a_handler_that_reads_by_itself_gets_bytes_of_those_alone_who_are_admitted(
    server: LocalServer, bare: Any
) -> None:
    answers = await sent(bare, "ChatRaw", UNREADABLE, b"x", metadata=authorized(server))
    error = await failure(sent(bare, "ChatRaw", UNREADABLE))

    assert answers == [b"someone " + UNREADABLE, b"someone x"]
    assert reason_of(error) == "TOKEN_MISSING"


@pytest.mark.parametrize("method", OPEN)
async def test_what_is_open_to_anyone_refuses_the_unreadable_too(bare: Any, method: str) -> None:
    error = await failure(answers_to(bare.stream_stream(method)(), UNREADABLE))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "REQUEST_UNREADABLE"


async def test_a_request_over_the_largest_is_turned_away(server: LocalServer, bare: Any) -> None:
    metadata = authorized(server)

    [answer] = await sent(bare, "Say", bytes(LARGEST_REQUEST_BYTES), metadata=metadata)
    error = await failure(sent(bare, "Say", bytes(LARGEST_REQUEST_BYTES + 1), metadata=metadata))

    assert len(answer) == LARGEST_REQUEST_BYTES
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "token", ["a\nb", "a\r\nx: y", "a\x00", "tok\u00e9n", "\ud800", "\U0001f4a5"], ids=ascii
)
async def test_a_token_that_no_header_can_carry_is_refused_before_the_call(
    server: LocalServer, token: str
) -> None:
    peer = server.peer_showing(lambda: token)

    with pytest.raises(Refusal) as caught:
        await peer.call(peer.channel.unary_unary(f"/{NAME}/Say"), b"hello")

    assert (caught.value.kind, caught.value.reason) == (Kind.UNAUTHENTICATED, "TOKEN_INVALID")
    assert token not in caught.value.message
