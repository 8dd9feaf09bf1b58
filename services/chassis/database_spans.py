"""Spans of a database's work, by OpenTelemetry's database conventions: who asked, and how long it took.

One span for each read, and one for each unit of work, from when it is queued until its commit is durable:
that is what its caller waits for, whoever shares the commit. They are made on the event loop, where the
caller's span is the current one; the threads that read and write know of none. A trace that is not recorded
costs a look at that.
"""

import contextlib
import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager

from opentelemetry.semconv.attributes.code_attributes import CODE_FUNCTION_NAME
from opentelemetry.semconv.attributes.db_attributes import (
    DB_NAMESPACE,
    DB_OPERATION_NAME,
    DB_SYSTEM_NAME,
)
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span

from services.chassis.refusals import Refusal
from services.chassis.telemetry import tracer

_NOTHING = contextlib.nullcontext()


def database_span(operation: str, system: str, database: str, work: object) -> AbstractContextManager[None]:
    """A span below the current one, if that is recorded; `work` is the function that is run on a connection.

    No statement is in it and no value: the text of one may hold the id of a person.
    """
    if not get_current_span().is_recording():
        return _NOTHING
    return _recorded(operation, system, database, work)


@contextlib.contextmanager
def _recorded(operation: str, system: str, database: str, work: object) -> Iterator[None]:
    span = tracer().start_span(
        f"{operation} {database}",
        kind=SpanKind.CLIENT,
        attributes={
            DB_SYSTEM_NAME: system,
            DB_NAMESPACE: database,
            DB_OPERATION_NAME: operation,
            CODE_FUNCTION_NAME: function_name(work),
        },
    )
    try:
        yield
    except BaseException as error:
        # The exception's text may hold anything, so only its name is recorded.
        reason = error.reason if isinstance(error, Refusal) else type(error).__name__
        span.set_attribute(ERROR_TYPE, reason)
        span.set_status(Status(StatusCode.ERROR, reason))
        raise
    finally:
        span.end()


def function_name(work: object) -> str:
    """The full name of the function that a query or unit is, or was written in if it has no name."""
    while isinstance(work, functools.partial):
        work = work.func
    name = getattr(work, "__qualname__", type(work).__qualname__)
    module = getattr(work, "__module__", type(work).__module__)
    return f"{module}.{name.partition('.<locals>')[0]}"
