"""What surrounds every RPC handler: telemetry, refusals, limits, identity, the deadline, then its message.

Around the handlers by which operators change something lies one more: the log of what they do.

One interceptor wraps a handler of any of the four kinds in the same layers, outermost first, so that a
streaming RPC cannot slip past what guards a unary one; a handler that it cannot wrap is refused, never let
through. What a caller sent is parsed inside of them: a stranger's bytes are not looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import grpc
import structlog
from prometheus_client import Gauge

from services.chassis.certified import CertifiedCallers
from services.chassis.deadlines import DEFAULT_DEADLINE_US, within
from services.chassis.ending import Ending
from services.chassis.identity import (
    GATEWAY_HEADER,
    AdmissionTable,
    acting_as,
    bearer_of,
    check_admission,
    not_admitted,
)
from services.chassis.limits import RETRY_AFTER_OVERLOAD_US, CallLimit, Limits, StreamLimit
from services.chassis.metrics import CALL_SECONDS, CALLS, CALLS_IN_FLIGHT, CALLS_OVERLOADED, STREAMS_OPEN
from services.chassis.recording import ActionLog, is_action, recorded
from services.chassis.refusals import Kind, Refusal, exhausted
from services.chassis.statuses import DETAILS_KEY, code_of, to_status
from services.chassis.terms import Term
from services.chassis.tracing import code_of_exception, server_span, span_beside
from services.chassis.validation import read_message
from services.chassis.verifying import TokenVerifier

READER_PATIENCE_SECONDS = 30.0
"""How long a caller may leave one answer of a stream untaken; until then it holds no more than that one."""
OVERLOAD = frozenset({"OVERLOADED", "QUEUE_FULL"})
"""Reasons that say nothing of who called: others that are exhausted are a caller's own, such as a pace."""
HEALTH = "/grpc.health.v1.Health/"
REFLECTION = ("/grpc.reflection.v1alpha.ServerReflection/", "/grpc.reflection.v1.ServerReflection/")

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Layer = Callable[[str, Context], AbstractContextManager[None]]

_log = structlog.get_logger(__name__)


class Guard(grpc.aio.ServerInterceptor):
    """Wraps handlers; health is reachable for anyone inside and always, reflection for anyone inside.

    Anyone at all reaches an RPC with one question and one answer whose line in the table says so in as many
    words.
    """

    def __init__(
        self,
        *,
        admissions: AdmissionTable,
        verifier: TokenVerifier,
        limits: Limits,
        certified: CertifiedCallers | None = None,
        actions: ActionLog | None = None,
    ) -> None:
        """`certified` is for a port that speaks TLS; `actions` is where operators' actions are put on record,
        None where no RPC is one.
        """
        identify = identified(admissions, verifier, certified)
        calls, streams = CallLimit(limits.calls), StreamLimit(limits.streams, limits.streams_each)
        self._call_layers: list[Layer] = [observed, contained, calls, identify]
        self._stream_layers: list[Layer] = [
            *(observed_stream, contained, streams.of_all),
            *(identify, streams.of_caller),
        ]
        self._reflection_layers: list[Layer] = [
            *(observed_stream, contained, inside),
            *(streams.of_all, streams.of_strangers),
        ]
        self._open_layers: list[Layer] = [observed, contained, CallLimit(limits.strangers), calls]
        self.ending = Ending()
        """Comes when the process is told to stop: streams that would go on for ever end by it."""
        self._term = functools.partial(Term, self.ending, verifier.clock)
        self._admissions = admissions
        self._actions = actions
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The handler of the RPC inside its layers; None, which becomes UNIMPLEMENTED, if there is none."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        known, wrapped = self._wrapped.get(method, (None, None))
        if wrapped is None or known is not handler:
            actions = self._actions if is_action(method, self._admissions.get(method)) else None
            wrapped = wrap(handler, method, self._layers_for(method, handler), self._term, actions)
            self._wrapped[method] = handler, wrapped
        return wrapped

    def _layers_for(self, method: str, handler: Handler) -> Sequence[Layer]:
        if method.startswith(HEALTH):
            return [contained, inside]
        if method.startswith(REFLECTION):
            return self._reflection_layers
        if handler.request_streaming or handler.response_streaming:
            return self._stream_layers
        admission = self._admissions.get(method)
        return self._open_layers if admission is not None and admission.anyone else self._call_layers


def observed(method: str, context: Context) -> AbstractContextManager[None]:
    """Span, counter, duration and in-flight gauge of one call."""
    name = method.removeprefix("/")
    return _observed(name, server_span(name, _metadata(context)), CALLS_IN_FLIGHT)


def observed_stream(method: str, context: Context) -> AbstractContextManager[None]:
    """The same of a stream, with a gauge of its own: one that is open and idle is no work.

    Replicas are added by what is in flight, and whoever watches does so for hours.
    """
    name = method.removeprefix("/")
    return _observed(name, server_span(name, _metadata(context)), STREAMS_OPEN)


def observed_beside(name: str) -> AbstractContextManager[None]:
    """As `observed`, of one request of the stream that is being answered, under a name of its own.

    The stream itself ends well however many of its requests were refused.
    """
    return _observed(name, span_beside(name), CALLS_IN_FLIGHT)


@contextlib.contextmanager
def _observed(name: str, span: AbstractContextManager[object], under_way: Gauge) -> Iterator[None]:
    started = time.perf_counter()
    code = grpc.StatusCode.OK
    under_way.inc()
    try:
        with span:
            yield
    except BaseException as error:
        code = code_of_exception(error)
        if isinstance(error, Refusal) and error.reason in OVERLOAD:
            CALLS_OVERLOADED.labels(name).inc()
        raise
    finally:
        under_way.dec()
        CALLS.labels(name, code.name).inc()
        CALL_SECONDS.labels(name).observe(time.perf_counter() - started)


@contextlib.contextmanager
def contained(method: str, _context: object) -> Iterator[None]:
    """Turns an exception that nobody foresaw into a refusal that says nothing of it, and logs it."""
    try:
        yield
    except (Refusal, grpc.aio.AbortError):
        raise
    except Exception as error:
        _log.exception("a call failed on a defect", method=method)
        raise Refusal(Kind.INTERNAL, "INTERNAL", "something went wrong on our side") from error


@contextlib.contextmanager
def inside(_method: str, context: Context) -> Iterator[None]:
    """Lets nobody through who came by the gateway; raises Refusal (forbidden, NOT_ADMITTED)."""
    if GATEWAY_HEADER in _metadata(context):
        raise not_admitted()
    yield


def identified(
    admissions: AdmissionTable, verifier: TokenVerifier, certified: CertifiedCallers | None = None
) -> Layer:
    """Lets in whom the table admits, and makes them the current principal.

    They are whom their token names or, with `certified`, the service that their certificate names.
    """

    def layer(method: str, context: Context) -> AbstractContextManager[None]:
        metadata = _metadata(context)
        token = bearer_of(str(metadata.get("authorization", "")))
        if certified is None:
            principal = verifier.verify(token)
        else:
            principal = certified.identify(context.auth_context(), metadata, token)
        check_admission(admissions, method, principal, from_outside=GATEWAY_HEADER in metadata)
        return acting_as(principal)

    return layer


def deadlined(default_us: int | None) -> Layer:
    """Keeps the caller's deadline for the calls that the handler makes; `default_us` if there is none."""

    def layer(_method: str, context: Context) -> AbstractContextManager[None]:
        seconds: float | None = context.time_remaining()
        left_us = default_us if seconds is None else int(seconds * 1_000_000)
        return contextlib.nullcontext() if left_us is None else within(left_us)

    return layer


def wrap(
    handler: Handler,
    method: str,
    layers: Sequence[Layer],
    term: Callable[[], Term],
    actions: ActionLog | None = None,
) -> Handler:
    """The handler inside its layers, whichever of the four kinds it is; its calls in `actions`, if any.

    `term` is asked for once its caller is known: how long each of its streams goes on.
    """
    behaviour = _behaviour_of(handler)
    # Else it would run on a thread of gRPC's, outside of every context variable set here.
    is_guardable = inspect.iscoroutinefunction(behaviour) or inspect.isasyncgenfunction(behaviour)
    if actions is not None and is_guardable:
        behaviour = recorded(behaviour, method, actions, request_streaming=handler.request_streaming)
    read = _reader(handler)
    if handler.response_streaming:
        # A stream may stay open for days: no deadline unless its caller wants one.
        run = _streaming(behaviour, read, term)
        layers = [*layers, deadlined(None)]
    else:
        run = _single(behaviour, read, term) if handler.request_streaming else _call(behaviour, handler)
        layers = [*layers, deadlined(None if handler.request_streaming else DEFAULT_DEADLINE_US)]
    if not is_guardable:
        run = _unguardable

    async def guarded(incoming: Any, context: Context) -> Any:
        try:
            with _entered(layers, method, context):
                return await run(incoming, context)
        except Refusal as refusal:
            await _abort(context, refusal)

    return _handler_like(handler, guarded)


def _behaviour_of(handler: Handler) -> Any:
    kinds = {
        (False, False): handler.unary_unary,
        (False, True): handler.unary_stream,
        (True, False): handler.stream_unary,
        (True, True): handler.stream_stream,
    }
    return kinds[handler.request_streaming, handler.response_streaming]


def _handler_like(handler: Handler, behaviour: Any) -> Handler:
    makers: dict[tuple[bool, bool], Any] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = makers[handler.request_streaming, handler.response_streaming]
    # Without a deserializer: gRPC would run it before any layer and tell the caller what it raised.
    wrapped: Handler = make(behaviour, None, handler.response_serializer)
    return wrapped


def _call(behaviour: Any, handler: Handler) -> Callable[[Any, Context], Awaitable[Any]]:
    parse = handler.request_deserializer

    async def run(payload: bytes, context: Context) -> Any:
        return await behaviour(read_message(payload, parse), context)

    return run


def _single(
    behaviour: Any, read: Callable[[Any, Term], Any], make_term: Callable[[], Term]
) -> Callable[[Any, Context], Awaitable[Any]]:
    async def run(incoming: Any, context: Context) -> Any:
        term = make_term()
        answer = await behaviour(read(incoming, term), context)
        term.check()
        return answer

    return run


def _streaming(
    behaviour: Any, read: Callable[[Any, Term], Any], make_term: Callable[[], Term]
) -> Callable[[Any, Context], Awaitable[Any]]:
    if not inspect.isasyncgenfunction(behaviour):
        return _single(behaviour, read, make_term)
    # All others come to an end of their own: what they tell is not cut off as if that were all.
    is_endless = getattr(behaviour, "endless", False)

    # Answers are written from here and not yielded: a generator that nobody finishes would leave its layers
    # open.
    async def run(incoming: Any, context: Context) -> None:
        term = make_term()
        async with contextlib.aclosing(behaviour(read(incoming, term), context)) as answers:
            async for answer in term.until(answers) if is_endless else answers:
                await _written(context, answer)
        term.check()

    return run


async def _written(context: Context, answer: Any) -> None:
    """Raises Refusal (exhausted, READER_TOO_SLOW) where the caller does not take it in time, and
    CancelledError where they are gone.
    """
    try:
        async with asyncio.timeout(READER_PATIENCE_SECONDS):
            await context.write(answer)
    except grpc.aio.InternalError as error:
        # All that gRPC says when there is nobody left to write to.
        raise asyncio.CancelledError from error
    except TimeoutError as error:
        message = "the stream was not read for too long; go on from the last answer that was kept"
        raise exhausted("READER_TOO_SLOW", message, retry_after_us=RETRY_AFTER_OVERLOAD_US) from error


async def _unguardable(_incoming: Any, _context: Context) -> Any:
    raise Refusal(Kind.INTERNAL, "NOT_GUARDED", "this call cannot be served safely")


def reads_itself(behaviour: Any) -> Any:
    """Marks the handler of a stream of requests that gets them as bytes and reads each by itself.

    For one that answers a faulty request (`validation.read_message`) and goes on; else it ends the stream. It
    also minds by itself when its caller's token ends.
    """
    behaviour.reads_itself = True
    return behaviour


def endless(behaviour: Any) -> Any:
    """Marks the handler of a stream of answers that goes on for as long as its caller likes.

    When the process is told to stop it gives no further answer and ends well: its caller opens another one.
    At the end of its caller's token it ends with TOKEN_EXPIRED.
    """
    behaviour.endless = True
    return behaviour


def _reader(handler: Handler) -> Callable[[Any, Term], Any]:
    parse = handler.request_deserializer
    if handler.request_streaming and getattr(_behaviour_of(handler), "reads_itself", False):
        return lambda payloads, term: term.ending.until(payloads)

    def read(payload: bytes, _term: Term) -> Any:
        return read_message(payload, parse)

    async def read_each(payloads: AsyncIterator[bytes], term: Term) -> AsyncIterator[Any]:
        # Where each request has its answer, none is missed when no more are read. One answer to all of them
        # would be that to a part.
        async for payload in term.until(payloads) if handler.response_streaming else term.whole(payloads):
            yield read_message(payload, parse)

    return read_each if handler.request_streaming else read


@contextlib.contextmanager
def _entered(layers: Sequence[Layer], method: str, context: Context) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(layer(method, context))
        yield


async def _abort(context: Context, refusal: Refusal) -> None:
    details = to_status(refusal).SerializeToString()
    await context.abort(code_of(refusal.kind), refusal.message, ((DETAILS_KEY, details),))


def _metadata(context: Context) -> dict[str, Any]:
    return dict(context.invocation_metadata() or ())
