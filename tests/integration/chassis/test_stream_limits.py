"""Streams have places of their own: of all together and of each caller, given back whatever ends a stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis.dialing import Stream
from services.chassis.identity import PrincipalKind
from services.chassis.limits import Limits
from services.chassis.refusals import Kind, Refusal
from services.chassis.statuses import from_rpc_error
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, answers_to, serving
from tests.support.waiting import PATIENCE_SECONDS

LIMITS = Limits(calls=1, streams=3, streams_each=2)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo) -> AsyncIterator[LocalServer]:
    async with serving(
        tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=ManualClock(), limits=LIMITS
    ) as local:
        yield local


def refusal_of(end: grpc.aio.AioRpcError | None) -> Refusal:
    assert end is not None, "it has ended without an answer"
    return from_rpc_error(end)


class Caller:
    """Somebody with streams of their own, each on the same channel."""

    def __init__(self, server: LocalServer, party: str, channel: grpc.aio.Channel) -> None:
        self.metadata = [("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE, party)}")]
        self.channel: Any = channel

    async def linger(self, request: bytes = b"", seconds: float | None = None) -> Any:
        """A stream that is open, for so long at most; raises Refusal."""
        linger = self.channel.unary_stream(f"/{NAME}/Linger")
        return await self.opened(linger(request, metadata=self.metadata, timeout=seconds))

    async def chat(self) -> Any:
        """A dialogue that is open; raises Refusal."""
        call = self.channel.stream_stream(f"/{NAME}/Chat")(metadata=self.metadata)
        stream = Stream[bytes, bytes](call, refusal_of)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await stream.send(b"hello")
            assert await stream.receive() == b"HELLO"
        return call

    async def opened(self, call: Any) -> Any:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await call.read() == b"here"
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return call

    async def linger_again(self) -> Any:
        """A stream as soon as there is a place for it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(Refusal):
                    return await self.linger()

    async def say(self) -> bytes:
        answer: bytes = await self.channel.unary_unary(f"/{NAME}/Say")(b"hello", metadata=self.metadata)
        return answer


@pytest.fixture
async def caller(server: LocalServer) -> AsyncIterator[Callable[[str], Caller]]:
    async with contextlib.AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
        yield lambda party: Caller(server, party, channel)


async def refused(opening: Awaitable[Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await opening
    return caught.value


async def test_streams_that_are_open_do_not_keep_a_call_from_being_answered(
    caller: Callable[[str], Caller],
) -> None:
    anna, otto = caller("anna"), caller("otto")
    _open = [await anna.linger(), await anna.linger(), await otto.linger()]

    assert await anna.say() == b"hello"


async def test_a_call_that_is_worked_on_does_not_keep_a_stream_from_being_opened(
    caller: Callable[[str], Caller], echo: Echo
) -> None:
    anna = caller("anna")
    call = anna.channel.unary_unary(f"/{NAME}/Wait")(b"hello", metadata=anna.metadata)
    await asyncio.wait_for(echo.entered.acquire(), PATIENCE_SECONDS)

    stream = await anna.linger()

    stream.cancel()
    echo.leave.set()
    assert await call == b"hello"


async def test_more_streams_than_there_are_places_are_told_to_come_back(
    caller: Callable[[str], Caller],
) -> None:
    anna, otto = caller("anna"), caller("otto")
    _open = [await anna.linger(), await anna.chat(), await otto.linger()]

    for opening in (otto.linger(), otto.chat(), caller("rosa").linger()):
        refusal = await refused(opening)
        assert (refusal.kind, refusal.reason) == (Kind.EXHAUSTED, "OVERLOADED")
        assert refusal.retry_after_us == 1_000_000


async def test_nobody_has_more_streams_than_their_own_places_of_whichever_kind(
    caller: Callable[[str], Caller],
) -> None:
    anna = caller("anna")
    _open = [await anna.linger(), await anna.chat()]

    for opening in (anna.linger(), anna.chat()):
        refusal = await refused(opening)
        assert (refusal.kind, refusal.reason) == (Kind.EXHAUSTED, "TOO_MANY_STREAMS")
        assert refusal.retry_after_us == 1_000_000
    assert await caller("otto").linger()


async def left(echo: Echo, call: Any) -> None:
    echo.leave.set()
    await call.code()


async def cancelled(_echo: Echo, call: Any) -> None:
    call.cancel()


async def timed_out(_echo: Echo, call: Any) -> None:
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


ENDS: dict[str, tuple[bytes, float | None, Callable[[Echo, Any], Awaitable[None]]]] = {
    "the handler, which is done": (b"done", None, left),
    "the handler, with a refusal": (b"refuse", None, left),
    "the handler, with a defect": (b"fail", None, left),
    "the caller, who hangs up": (b"", None, cancelled),
    "the deadline": (b"", 0.5, timed_out),
}


@pytest.mark.parametrize("ended_by", ENDS)
async def test_a_place_comes_back_whatever_ends_the_stream(
    caller: Callable[[str], Caller], echo: Echo, ended_by: str
) -> None:
    request, seconds, end = ENDS[ended_by]
    anna, otto = caller("anna"), caller("otto")
    # All places of one caller, and one that leaves none of all.
    _others = [await anna.linger(), await otto.linger()]
    call = await anna.linger(request, seconds)
    assert (await refused(anna.linger())).reason == "OVERLOADED"

    await end(echo, call)

    again = await anna.linger_again()
    assert (await refused(caller("rosa").linger())).reason == "OVERLOADED"
    again.cancel()


async def test_a_place_comes_back_when_the_connection_is_lost(
    server: LocalServer, caller: Callable[[str], Caller]
) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        anna = Caller(server, "anna", channel)
        _open = [await anna.linger(), await anna.linger()]
        assert (await refused(caller("anna").linger())).reason == "TOO_MANY_STREAMS"

    assert await caller("anna").linger_again()


async def test_a_stream_that_is_not_admitted_leaves_no_place_taken(
    server: LocalServer, caller: Callable[[str], Caller]
) -> None:
    anna, nobody = caller("anna"), caller("anna")
    nobody.metadata = []
    for _ in range(2 * LIMITS.streams):
        assert (await refused(nobody.linger())).reason == "TOKEN_MISSING"
    _open = [await anna.linger(), await anna.linger()]
    for _ in range(2 * LIMITS.streams):
        assert (await refused(anna.linger())).reason == "TOO_MANY_STREAMS"

    assert await caller("otto").linger()


async def test_strangers_have_the_places_of_one_caller_and_leave_the_rest(
    server: LocalServer, caller: Callable[[str], Caller]
) -> None:
    rosa = caller("rosa")
    stub = reflection_pb2_grpc.ServerReflectionStub(rosa.channel)
    question = reflection_pb2.ServerReflectionRequest(list_services="")
    _open = [stub.ServerReflectionInfo() for _ in range(LIMITS.streams_each)]
    for call in _open:
        await call.write(question)
        assert (await call.read()).HasField("list_services_response")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answers_to(stub.ServerReflectionInfo(), question)

    assert from_rpc_error(caught.value).reason == "TOO_MANY_STREAMS"
    assert await rosa.linger()


async def test_health_is_watched_by_however_many(
    server: LocalServer, caller: Callable[[str], Caller]
) -> None:
    anna, otto = caller("anna"), caller("otto")
    _open = [await anna.linger(), await anna.linger(), await otto.linger()]
    stub = health_pb2_grpc.HealthStub(anna.channel)

    watched = [stub.Watch(health_pb2.HealthCheckRequest(service=NAME)) for _ in range(2 * LIMITS.streams)]

    for call in watched:
        answer = await asyncio.wait_for(call.read(), PATIENCE_SECONDS)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        call.cancel()
