"""Puts what operators do on record: before the handler runs, and when it has ended.

No entry, no action: where the log cannot be written the handler is not called. A process that dies between
the two entries leaves an action of which nobody says how it ended.
"""

import asyncio
import contextlib
import functools
import inspect
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import structlog
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from services.chassis.action_requests import begun
from services.chassis.actions import Begun, Caller, Ended, Outcome
from services.chassis.group_commit import CommitUnknown
from services.chassis.identity import Admission, PrincipalKind, current_principal
from services.chassis.refusals import Refusal
from services.chassis.telemetry import current_trace_id
from services.chassis.urgency import urgently

_log = structlog.get_logger(__name__)

NONCE_BYTES = 16
"""Of the salt of a request's digest: more than anybody tries."""
LONGEST_URGENT = 16 * 1024
"""Bytes of a request whose action goes before what waits; a longer one brings many rows."""

Behaviour = Callable[[Any, Any], Any]


class ActionLog(Protocol):
    """Where actions are kept; both raise Refusal where they cannot be."""

    async def begin(self, caller: Caller, begun: Begun) -> int:
        """Adds that an action begins, durable when it returns the number of the entry."""
        ...

    async def end(self, action: int, caller: Caller, ended: Ended) -> None:
        """Adds how an action ended."""
        ...


def changes_something(method: str) -> bool:
    """Whether the contract does not say of an RPC ("/package.Service/Method") that it has no side effects.

    What it forgets to say of a read makes an entry too many, never one too few. So does an RPC that no
    contract has.
    """
    name = method.removeprefix("/").replace("/", ".")
    try:
        found = descriptor_pool.Default().FindMethodByName(name)
    except KeyError:
        return True
    return bool(found.GetOptions().idempotency_level != MethodOptions.NO_SIDE_EFFECTS)


def is_action(method: str, admission: Admission | None) -> bool:
    """Whether it is an RPC by which an operator can change something."""
    return admission is not None and PrincipalKind.OPERATOR in admission.kinds and changes_something(method)


def recorded(behaviour: Behaviour, method: str, log: ActionLog, *, request_streaming: bool) -> Behaviour:
    """The behaviour of a handler, with the calls of operators put on record; of others nothing is."""
    name = method.removeprefix("/")

    def opened(request: Any, counts: "_Counts") -> tuple[Caller, Begun, Any]:
        if request_streaming:
            return _caller(name), Begun(), counts.requests_of(request)
        return _caller(name), begun(request, secrets.token_bytes(NONCE_BYTES)), request

    async def single(request: Any, context: Any) -> Any:
        if not _is_operator():
            return await behaviour(request, context)
        counts = _Counts()
        caller, asked, request = opened(request, counts)
        # A page of an import is no emergency, nor is a stream: users and decisions do not wait for those.
        is_short = not request_streaming and asked.request_bytes <= LONGEST_URGENT
        with urgently(is_short):
            async with _on_record(log, caller, asked, counts):
                return await behaviour(request, context)

    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        if not _is_operator():
            async with contextlib.aclosing(behaviour(request, context)) as answers:
                async for answer in answers:
                    yield answer
            return
        counts = _Counts()
        caller, asked, request = opened(request, counts)
        async with (
            _on_record(log, caller, asked, counts),
            contextlib.aclosing(behaviour(request, context)) as answers,
        ):
            async for answer in answers:
                yield answer
                counts.answers += 1

    # Keeps the marks of a handler, such as `reads_itself`.
    return functools.wraps(behaviour)(stream if inspect.isasyncgenfunction(behaviour) else single)


class _Counts:
    """How much has gone through a stream."""

    def __init__(self) -> None:
        self.requests = 0
        self.answers = 0

    async def requests_of(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The same requests, counted."""
        async for request in requests:
            self.requests += 1
            yield request


@contextlib.asynccontextmanager
async def _on_record(log: ActionLog, caller: Caller, asked: Begun, counts: _Counts) -> AsyncIterator[None]:
    action = await log.begin(caller, asked)

    def end(outcome: Outcome, refusal: str = "") -> Awaitable[None]:
        ended = Ended(outcome, refusal, counts.requests, counts.answers)
        # Whoever goes away while it is written does not stop it.
        return asyncio.shield(asyncio.ensure_future(log.end(action, caller, ended)))

    try:
        yield
    except BaseException as error:
        try:
            await end(*_outcome_of(error))
        except Refusal as refusal:
            # What the caller hears is what became of their call; the action stays one without an end.
            _log.error("the end of an action is not on record", action=action, reason=refusal.reason)
        raise
    # Where this cannot be written the caller hears so, and repeats the call: its answer is on record then.
    await end(Outcome.DONE)


def _outcome_of(error: BaseException) -> tuple[Outcome, str]:
    match error:
        case CommitUnknown():
            return Outcome.UNKNOWN, error.reason
        case Refusal():
            return Outcome.REFUSED, error.reason
        case Exception():
            return Outcome.UNKNOWN, "INTERNAL"
        case _:
            return Outcome.UNKNOWN, "CANCELLED"


def _is_operator() -> bool:
    return current_principal().kind is PrincipalKind.OPERATOR


def _caller(method: str) -> Caller:
    principal = current_principal()
    return Caller(principal.party, tuple(sorted(principal.roles)), method, current_trace_id())
