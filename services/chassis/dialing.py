"""Calls to another service: with less time than we have, our token, our trace, and some tries.

Every RPC of ours is idempotent, so a try whose answer was lost may be repeated. Nothing else is ever retried:
a peer that says why it refuses has been met, and one in need is not to be asked more often for it. A stream
never is: only whoever opened it knows how far it came.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, Generic, TypeVar, cast

import grpc
from opentelemetry.semconv._incubating.attributes.rpc_attributes import RPC_RESPONSE_METADATA_TEMPLATE
from opentelemetry.trace import get_current_span

from services.chassis.channels import Option, client_options
from services.chassis.deadlines import SHORTEST_CALL_US, remaining_us, time_for_call_us, within
from services.chassis.lines import Line
from services.chassis.refusals import Refusal, unauthenticated, unavailable
from services.chassis.statuses import from_rpc_error, own_refusal
from services.chassis.tls import CallerTls
from services.chassis.tracing import client_span

REQUEST_ID = "x-request-id"
DEFAULT_DEADLINE_US = 5_000_000
TRIES = 3
FIRST_BACKOFF_US = 20_000

_TRIED_AGAIN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
"""What is CANCELLED and not by us has met a server at its end: gRPC tells callers nothing else of it."""
_OF_ONE_REPLICA = frozenset({"DATABASE_CLOSED", "INDEX_EMPTY"})
"""What a process refuses because it ends or begins: another one may answer."""
_NO_ANSWER = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)

Request = TypeVar("Request")
Response = TypeVar("Response")
T = TypeVar("T")


class Peer:
    """Another service, as this one sees it."""

    def __init__(
        self,
        target: str,
        token: Callable[[], str] | None,
        *,
        name: str,
        default_deadline_us: int = DEFAULT_DEADLINE_US,
        options: Sequence[Option] = (),
        tls: CallerTls | None = None,
    ) -> None:
        """`target` is as in `targets`; `token` gives the bearer token to show; `name` is for people and
        traces.

        `default_deadline_us` bounds a call that says nothing else, in microseconds. `options` are gRPC's own.
        Without a `token` none is shown: over `tls` a service is who its certificate says.
        """
        self._line = Line(target, [*client_options(target), *options], tls)
        self._token = token
        self._name = name
        self._default_deadline_us = default_deadline_us
        self.channel = cast(grpc.aio.Channel, _NamingChannel())
        """To make stubs with; their calls go through `call` and `open`."""

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        at_most_us: int | None = None,
    ) -> Response:
        """The answer to `request`, within `at_most_us` microseconds and within what our own caller has left.

        `method` is one of a stub made with `channel`. Raises the peer's own Refusal (same kind and reason;
        after up to three tries where it is only that one process ends or begins), or Refusal (unavailable):
        PEER_UNAVAILABLE where nobody answered in as many, DEADLINE_TOO_SHORT without any; Refusal
        (unauthenticated, TOKEN_INVALID) when our own token cannot be sent.
        """
        named = _named(method)
        with within(time_for_call_us(at_most_us or self._default_deadline_us)):
            for tried in range(1, TRIES + 1):
                try:
                    return cast(Response, await self._once(named, request))
                except grpc.aio.AioRpcError as error:
                    await self._wait_or_give_up(error, tried)
        raise self._no_answer()

    @contextlib.asynccontextmanager
    async def open(
        self,
        method: "grpc.aio.StreamStreamMultiCallable[Request, Response]"
        " | grpc.aio.UnaryStreamMultiCallable[Request, Response]",
        *request: Request,
    ) -> "AsyncIterator[Stream[Request, Response]]":
        """A stream of answers: to `request` where `method` takes one, else to what is sent on the stream.

        It may last for days: it has no deadline but what our own caller has left. Closed on leaving. Raises
        Refusal as `call` does, at once or at any step of the stream; nothing is tried again.
        """
        named, left_us = _named(method), remaining_us()
        timeout = None if left_us is None else time_for_call_us(left_us) / 1_000_000
        shown = self._shown()
        with client_span(named.name, self._name) as context, self._line.held() as channel:
            call = named.on(channel)(*request, timeout=timeout, metadata=[*shown, *context.items()])
            try:
                yield Stream(call, self._refusal_of)
            finally:
                _note_request_id(call)
                call.cancel()

    async def close(self) -> None:
        """Closes the connection; calls that are under way are cancelled."""
        await self._line.close()

    async def _once(self, method: "_NamedCall", request: Any) -> Any:
        left_us = remaining_us() or 0
        shown = self._shown()
        with client_span(method.name, self._name) as context, self._line.held() as channel:
            metadata = [*shown, *context.items()]
            call = method.on(channel)(request, timeout=left_us / 1_000_000, metadata=metadata)
            try:
                return await call
            finally:
                _note_request_id(call)

    def _shown(self) -> list[tuple[str, str]]:
        return [] if self._token is None else [("authorization", _authorization(self._token()))]

    async def _wait_or_give_up(self, error: grpc.aio.AioRpcError, tried: int) -> None:
        refusal = self._refusal_of(error)
        if not _may_be_tried_again(error):
            raise refusal from error
        backoff_us = int(FIRST_BACKOFF_US * 2 ** (tried - 1) * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads tries
        left_us = (remaining_us() or 0) - backoff_us
        if tried == TRIES or left_us < SHORTEST_CALL_US:
            raise refusal from error
        await asyncio.sleep(backoff_us / 1_000_000)

    def _refusal_of(self, error: grpc.aio.AioRpcError | None) -> Refusal:
        """What became of a call; None is an end without the answer that was due."""
        if error is None:
            return self._no_answer()
        if error.code() in _NO_ANSWER:
            # A peer that is there and cannot serve has said why.
            return own_refusal(error) or self._no_answer()
        return from_rpc_error(error)

    def _no_answer(self) -> Refusal:
        return unavailable("PEER_UNAVAILABLE", f"{self._name} did not answer")


class TheirEnd:
    """How the other side has ended a call: what it said, if it has.

    A write that fails because the other side has ended puts an INTERNAL of gRPC's own, which says nothing, in
    the place of what that side said (grpc/grpc#36066). Callbacks are called before.
    """

    def __init__(self, call: Any) -> None:
        self.error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._keep)

    def _keep(self, call: Any) -> None:
        code, trailing = _at_once(call.code()), _at_once(call.trailing_metadata())
        says_why = code is not grpc.StatusCode.OK and (trailing or code is not grpc.StatusCode.INTERNAL)
        if self.error is None and says_why:
            self.error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, _at_once(call.details()))


class Stream(Generic[Request, Response]):
    """A stream that is open: requests out, answers in. Every step raises the peer's own Refusal."""

    def __init__(self, call: Any, refusal_of: Callable[[grpc.aio.AioRpcError | None], Refusal]) -> None:
        self._call = call
        self._refusal_of = refusal_of
        self._end = TheirEnd(call)
        self.ended_well = False
        """Whether the other side has said all, as one that drains does: another process goes on."""

    async def send(self, request: Request) -> None:
        """Sends one request; waits while the other side has no room for it."""
        try:
            await self._call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            raise self._refusal_of(self._end.error) from error

    async def receive(self) -> Response:
        """The next answer; Refusal (unavailable, PEER_UNAVAILABLE) where the other side has ended."""
        with self._refusing():
            answer = await self._call.read()
        if answer is grpc.aio.EOF:
            self.ended_well = True
            raise self._refusal_of(None)
        return cast(Response, answer)

    async def finish(self) -> None:
        """Says that nothing more will be sent, and passes over what still comes."""
        with self._refusing():
            await self._call.done_writing()
            while await self._call.read() is not grpc.aio.EOF:
                pass

    async def __aiter__(self) -> AsyncIterator[Response]:
        """Every answer until the other side ends; not together with `send` and `receive`."""
        with self._refusing():
            async for answer in self._call:
                yield answer

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise self._refusal_of(self._end.error or error) from error
        except grpc.aio.InternalError as error:
            # gRPC's own, of the end of writing on a connection that is lost or never was.
            raise self._refusal_of(self._end.error) from error


def _may_be_tried_again(error: grpc.aio.AioRpcError) -> bool:
    said = own_refusal(error)
    return error.code() in _TRIED_AGAIN and (said is None or said.reason in _OF_ONE_REPLICA)


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    raise RuntimeError("this coroutine waits")


def _note_request_id(call: Any) -> None:
    """Puts what the gateway calls a call on its span: it begins a trace of its own, which is found by that.

    Without a word where the call has not ended, or no gateway is between.
    """
    span = get_current_span()
    if not (span.is_recording() and call.done()):
        return
    # An answer that is an error alone has all of its headers behind it.
    for metadata in (_at_once(call.initial_metadata()), _at_once(call.trailing_metadata())):
        if said := dict(metadata or ()).get(REQUEST_ID):
            span.set_attribute(f"{RPC_RESPONSE_METADATA_TEMPLATE}.{REQUEST_ID}", [said])
            return


def _named(method: Any) -> "_NamedCall":
    if not isinstance(method, _NamedCall):
        raise TypeError("the method does not belong to a stub made with this peer's channel")
    return method


def _authorization(token: str) -> str:
    # gRPC answers what a header cannot carry with an error of its own, outside of its statuses.
    if not (token.isascii() and token.isprintable()):
        raise unauthenticated("TOKEN_INVALID", "the token to show holds characters that no token has")
    return f"Bearer {token}"


class _NamedCall:
    """A method of a stub that still knows what it is called, on whichever channel is the one to use."""

    def __init__(self, name: str, make: Callable[[grpc.aio.Channel], Any]) -> None:
        self.name = name
        self._make = make
        self._made: tuple[grpc.aio.Channel | None, Any] = None, None

    def on(self, channel: grpc.aio.Channel) -> Any:
        """The method of that channel."""
        if self._made[0] is not channel:
            self._made = channel, self._make(channel)
        return self._made[1]

    def __call__(self, *_args: Any, **_keywords: Any) -> Any:
        raise TypeError(
            "called past its peer, it would carry no token, trace or deadline: use its peer's methods"
        )


class _NamingChannel:
    """A channel whose methods know their names, which gRPC keeps to itself."""

    def unary_unary(self, method: str, *args: Any, **keywords: Any) -> _NamedCall:
        return _named_call(method, lambda channel: channel.unary_unary(method, *args, **keywords))

    def unary_stream(self, method: str, *args: Any, **keywords: Any) -> _NamedCall:
        return _named_call(method, lambda channel: channel.unary_stream(method, *args, **keywords))

    def stream_unary(self, method: str, *args: Any, **keywords: Any) -> _NamedCall:
        return _named_call(method, lambda channel: channel.stream_unary(method, *args, **keywords))

    def stream_stream(self, method: str, *args: Any, **keywords: Any) -> _NamedCall:
        return _named_call(method, lambda channel: channel.stream_stream(method, *args, **keywords))


def _named_call(method: str, make: Callable[[grpc.aio.Channel], Any]) -> _NamedCall:
    return _NamedCall(method.removeprefix("/"), make)
