"""Spans of RPCs by OpenTelemetry's RPC conventions, with the W3C context in the metadata.

Own code, for two reasons: a refusal is an error in the trace too, and an unsampled call must cost next to
nothing.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import grpc
from opentelemetry.semconv._incubating.attributes.rpc_attributes import (
    RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE,
    RPC_SYSTEM_NAME,
)
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis.refusals import Refusal
from services.chassis.statuses import code_of
from services.chassis.telemetry import tracer

_PROPAGATOR = TraceContextTextMapPropagator()


@contextlib.contextmanager
def server_span(method: str, metadata: Mapping[str, Any], links: Sequence[Link] = ()) -> Iterator[Span]:
    """A span for a call that is being answered, below the caller's; `method` is "package.Service/Method"."""
    with (
        tracer().start_as_current_span(
            method,
            context=_PROPAGATOR.extract(metadata),
            kind=SpanKind.SERVER,
            attributes={RPC_SYSTEM_NAME: "grpc", RPC_METHOD: method},
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span,
        _outcome_on(span),
    ):
        yield span


def span_beside(name: str) -> AbstractContextManager[Span]:
    """A span for one request of the stream that is being answered: a trace of its own, linked to that one.

    Below the stream's span, all that was ever asked on it would be one trace.
    """
    stream = get_current_span().get_span_context()
    return server_span(name, {}, [Link(stream)] if stream.is_valid else [])


@contextlib.contextmanager
def client_span(method: str, peer: str) -> Iterator[dict[str, str]]:
    """A span for one try of a call to `peer`; yields the metadata that lets the other side continue it."""
    with tracer().start_as_current_span(
        method,
        kind=SpanKind.CLIENT,
        attributes={RPC_SYSTEM_NAME: "grpc", RPC_METHOD: method, SERVER_ADDRESS: peer},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        with _outcome_on(span):
            yield carrier


def code_of_exception(error: BaseException) -> grpc.StatusCode:
    """The status code that an exception out of a handler, or out of a call, amounts to."""
    match error:
        case Refusal():
            return code_of(error.kind)
        case grpc.aio.AioRpcError():
            return error.code()
        case Exception():
            return grpc.StatusCode.INTERNAL
        case _:
            return grpc.StatusCode.CANCELLED


@contextlib.contextmanager
def _outcome_on(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if span.is_recording():
            code = code_of_exception(error).name
            # The exception's text may hold anything, so only its name is recorded.
            reason = error.reason if isinstance(error, Refusal) else type(error).__name__
            span.set_attributes({RPC_RESPONSE_STATUS_CODE: code, ERROR_TYPE: code})
            span.set_status(Status(StatusCode.ERROR, reason))
        raise
    else:
        span.set_attribute(RPC_RESPONSE_STATUS_CODE, grpc.StatusCode.OK.name)
