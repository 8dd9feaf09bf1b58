"""Calls to another service: with less time than we have, our token, our trace, and tries after UNAVAILABLE.

Every RPC of ours is idempotent, so a try whose answer was lost may be repeated. Nothing else is ever retried.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import grpc

from services.chassis.channels import CLIENT_OPTIONS
from services.chassis.deadlines import SHORTEST_CALL_US, remaining_us, time_for_call_us, within
from services.chassis.refusals import Refusal, unauthenticated, unavailable
from services.chassis.statuses import from_rpc_error, own_refusal
from services.chassis.tracing import client_span

DEFAULT_DEADLINE_US = 5_000_000
TRIES = 3
FIRST_BACKOFF_US = 20_000

_NO_ANSWER = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)

Request = TypeVar("Request")
Response = TypeVar("Response")


class Peer:
    """Another service, as this one sees it."""

    def __init__(
        self,
        target: str,
        token: Callable[[], str],
        *,
        name: str,
        default_deadline_us: int = DEFAULT_DEADLINE_US,
        options: Sequence[tuple[str, int]] = (),
    ) -> None:
        """`target` is host:port; `token` gives the bearer token to show; `name` is for people and traces.

        `default_deadline_us` bounds a call that says nothing else, in microseconds. `options` are gRPC's own.
        """
        self._channel = grpc.aio.insecure_channel(target, options=[*CLIENT_OPTIONS, *options])
        self._token = token
        self._name = name
        self._default_deadline_us = default_deadline_us
        self.channel = cast(grpc.aio.Channel, _NamingChannel(self._channel))
        """To make stubs with; their calls go through `call`."""

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        at_most_us: int | None = None,
    ) -> Response:
        """The answer to `request`, within `at_most_us` microseconds and within what our own caller has left.

        `method` is one of a stub made with `channel`. Raises the peer's own Refusal (same kind and reason;
        after up to three tries if it is UNAVAILABLE), or Refusal (unavailable): PEER_UNAVAILABLE where there
        was no answer in as many, DEADLINE_TOO_SHORT without any; Refusal (unauthenticated, TOKEN_INVALID)
        when our own token cannot be sent.
        """
        if not isinstance(method, _NamedCall):
            raise TypeError("the method does not belong to a stub made with this peer's channel")
        with within(time_for_call_us(at_most_us or self._default_deadline_us)):
            for tried in range(1, TRIES + 1):
                try:
                    return cast(Response, await self._once(method, request))
                except grpc.aio.AioRpcError as error:
                    await self._wait_or_give_up(error, tried)
        raise self._no_answer()

    async def close(self) -> None:
        """Closes the connection; calls that are under way are cancelled."""
        await self._channel.close()

    async def _once(self, method: "_NamedCall", request: Any) -> Any:
        left_us = remaining_us() or 0
        authorization = _authorization(self._token())
        with client_span(method.name, self._name) as context:
            metadata = [("authorization", authorization), *context.items()]
            return await method.call(request, timeout=left_us / 1_000_000, metadata=metadata)

    async def _wait_or_give_up(self, error: grpc.aio.AioRpcError, tried: int) -> None:
        if error.code() not in _NO_ANSWER:
            raise from_rpc_error(error) from error
        backoff_us = int(FIRST_BACKOFF_US * 2 ** (tried - 1) * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads tries
        left_us = (remaining_us() or 0) - backoff_us
        if error.code() is not grpc.StatusCode.UNAVAILABLE or tried == TRIES or left_us < SHORTEST_CALL_US:
            # A peer that is there and cannot serve has said why.
            raise (own_refusal(error) or self._no_answer()) from error
        await asyncio.sleep(backoff_us / 1_000_000)

    def _no_answer(self) -> Refusal:
        return unavailable("PEER_UNAVAILABLE", f"{self._name} did not answer")


def _authorization(token: str) -> str:
    # gRPC answers what a header cannot carry with an error of its own, outside of its statuses.
    if not (token.isascii() and token.isprintable()):
        raise unauthenticated("TOKEN_INVALID", "the token to show holds characters that no token has")
    return f"Bearer {token}"


class _NamedCall(grpc.aio.UnaryUnaryMultiCallable[Any, Any]):
    """A method of a stub that still knows what it is called."""

    def __init__(self, name: str, call: Any) -> None:
        self.name = name
        self.call = call

    def __call__(self, *_args: Any, **_keywords: Any) -> Any:
        raise TypeError("called past its peer, it would carry no token, trace or deadline: use Peer.call")


class _NamingChannel:
    """A channel whose unary methods know their names, which gRPC keeps to itself."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def unary_unary(self, method: str, *args: Any, **keywords: Any) -> _NamedCall:
        return _NamedCall(method.removeprefix("/"), self._channel.unary_unary(method, *args, **keywords))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)
