"""A service of raw bytes with every kind of RPC, for tests of what surrounds a handler."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from services.chassis.deadlines import remaining_us
from services.chassis.identity import AdmissionTable, PrincipalKind, current_principal
from services.chassis.interceptors import endless, reads_itself
from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.chassis.serving import Bolt
from services.chassis.telemetry import current_trace_id
from tests.support.admissions import admit, admit_anyone

NAME = "test.Echo"
PARSED = ("SayParsed", "CountParsed", "JoinParsed", "ChatParsed")
ADMISSIONS: AdmissionTable = {
    f"/{NAME}/{method}": admit(PrincipalKind.PIPELINE)
    for method in (
        "Say",
        "Refuse",
        "Fail",
        "Who",
        "Trace",
        "Left",
        "Wait",
        "Count",
        "Join",
        "Chat",
        "Pour",
        "Linger",
        "Follow",
        "Sync",
        "ChatRaw",
        *PARSED,
    )
} | {f"/{NAME}/{method}": admit_anyone() for method in ("Greet", "GreetSlowly", "WhoAmI", "GreetMany")}


class Echo:
    """Answers with what a test wants to know; `entered` and `leave` hold a call of Wait in the middle."""

    def __init__(self) -> None:
        self.entered = asyncio.Semaphore(0)
        self.leave = asyncio.Event()
        self.closed = asyncio.Event()
        self.failures: list[grpc.StatusCode | Refusal] = []
        self.asked = 0
        self.poured = 0

    async def say(self, request: bytes, context: Any) -> bytes:
        self.asked += 1
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Refusal):
                raise failure
            await context.abort(failure, "as the test wants it")
        return request

    async def refuse(self, _request: bytes, _context: Any) -> bytes:
        raise Refusal(
            Kind.PRECONDITION,
            "NOT_READY",
            "it is not ready",
            violations=[FieldViolation("a.b[2]", "is wrong")],
            retry_after_us=1_500_000,
            metadata={"since": "today"},
        )

    async def fail(self, _request: bytes, _context: Any) -> bytes:
        raise LookupError("subject 4711 said something secret")

    async def who(self, _request: bytes, _context: Any) -> bytes:
        principal = current_principal()
        return f"{principal.kind} {principal.party}".encode()

    async def trace(self, _request: bytes, _context: Any) -> bytes:
        return current_trace_id().encode()

    async def left(self, _request: bytes, _context: Any) -> bytes:
        return str(remaining_us()).encode()

    async def wait(self, request: bytes, _context: Any) -> bytes:
        self.entered.release()
        await self.leave.wait()
        return request

    async def both_entered(self) -> None:
        """Returns when two calls of Wait are held."""
        for _ in range(2):
            await self.entered.acquire()

    async def count(self, request: bytes, _context: Any) -> AsyncIterator[bytes]:
        try:
            for number in range(int(request)):
                yield f"{current_principal().party} {number}".encode()
        finally:
            self.closed.set()

    async def pour(self, request: bytes, _context: Any) -> AsyncIterator[bytes]:
        try:
            for number in range(int(request)):
                self.poured = number
                yield b"x" * 65_536
        finally:
            self.closed.set()

    async def linger(self, request: bytes, _context: Any) -> AsyncIterator[bytes]:
        """Is there, and stays for good; asked for another end, until it may leave."""
        yield b"here"
        await (self.leave if request else asyncio.Event()).wait()
        if request == b"fail":
            raise LookupError("subject 4711 said something secret")
        if request == b"refuse":
            raise Refusal(Kind.EXHAUSTED, "TALKED_OUT", "nothing more to say")

    @endless
    async def follow(self, _request: bytes, _context: Any) -> AsyncIterator[bytes]:
        """Is there, for as long as the caller likes."""
        try:
            yield b"here"
            await asyncio.Event().wait()
        finally:
            self.closed.set()

    async def join(self, requests: AsyncIterator[bytes], _context: Any) -> bytes:
        return b" ".join([current_principal().party.encode(), *[each async for each in requests]])

    async def chat(self, requests: AsyncIterator[bytes], context: Any) -> None:
        async for each in requests:
            await context.write(each.upper())
        raise Refusal(Kind.EXHAUSTED, "TALKED_OUT", "nothing more to say")

    async def say_parsed(self, request: Any, _context: Any) -> bytes:
        return str(request.service).encode()

    async def count_parsed(self, request: Any, _context: Any) -> AsyncIterator[bytes]:
        yield str(request.service).encode()

    async def join_parsed(self, requests: AsyncIterator[Any], _context: Any) -> bytes:
        return " ".join([each.service async for each in requests]).encode()

    async def chat_parsed(self, requests: AsyncIterator[Any], _context: Any) -> AsyncIterator[bytes]:
        async for each in requests:
            yield str(each.service).encode()

    @reads_itself
    async def chat_raw(self, payloads: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        """Says whose bytes they are, whatever they hold."""
        async for each in payloads:
            yield current_principal().party.encode() + b" " + each

    def sync(self, request: bytes, _context: Any) -> bytes:
        return request

    def bolt(self) -> Bolt:
        """This service as one to be served."""
        unary, names = grpc.unary_unary_rpc_method_handler, ("say", "refuse", "fail", "who", "trace", "left")
        handlers: dict[str, Any] = {
            name.capitalize(): unary(getattr(self, name)) for name in (*names, "wait", "sync")
        }
        handlers["Forgotten"] = unary(self.say)
        handlers["Greet"], handlers["GreetSlowly"] = unary(self.say), unary(self.wait)
        handlers["WhoAmI"] = unary(self.who)
        handlers["GreetMany"] = grpc.unary_stream_rpc_method_handler(self.count)
        handlers["Count"] = grpc.unary_stream_rpc_method_handler(self.count)
        handlers["Pour"] = grpc.unary_stream_rpc_method_handler(self.pour)
        handlers["Linger"] = grpc.unary_stream_rpc_method_handler(self.linger)
        handlers["Follow"] = grpc.unary_stream_rpc_method_handler(self.follow)
        handlers["Join"] = grpc.stream_unary_rpc_method_handler(self.join)
        handlers["Chat"] = grpc.stream_stream_rpc_method_handler(self.chat)
        parse = health_pb2.HealthCheckRequest.FromString
        handlers["SayParsed"] = unary(self.say_parsed, parse)
        handlers["CountParsed"] = grpc.unary_stream_rpc_method_handler(self.count_parsed, parse)
        handlers["JoinParsed"] = grpc.stream_unary_rpc_method_handler(self.join_parsed, parse)
        handlers["ChatRaw"] = grpc.stream_stream_rpc_method_handler(self.chat_raw, parse)
        handlers["ChatParsed"] = grpc.stream_stream_rpc_method_handler(self.chat_parsed, parse)

        def register(_servicer: Any, server: grpc.aio.Server) -> None:
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))

        return Bolt(register, self, NAME)
