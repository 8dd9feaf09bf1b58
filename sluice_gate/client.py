"""The connection of a gate to licensing: calls that each have a deadline, a fresh token and a trace."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import grpc
from opentelemetry import context, propagate, trace

from sluice.licensing.v1.release_service_pb2 import (
    ConfirmDeliveryRequest,
    ConfirmDeliveryResponse,
    DecideRequest,
    DecideResponse,
    Decision,
    Delivery,
    GetReleasedPostsRequest,
    GetReleasedPostsResponse,
)
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice_gate.errors import CallRefused
from sluice_gate.statuses import refused
from sluice_gate.targets import balancing, naming
from sluice_gate.threads import finish
from sluice_gate.tokens import ApiKeyTokens

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
DEFAULT_DEADLINE_SECONDS = 10.0

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Without a policy the channel sends again what no server has begun; all else is repeated by `asking`.
    ("grpc.enable_retries", 1),
    # A server that was started again is found within a second, not after the two minutes of the default.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A name is looked up again soon after one of its addresses was lost, not half a minute later.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
)

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What can stand after "Bearer" (RFC 6750, 2.1)."""

_Response = TypeVar("_Response")


class Licensing(Protocol):
    """What a job asks of licensing."""

    async def decide(self, request: DecideRequest) -> Decision:
        """The decision on a batch; the stored one if the id was asked before. Raises CallRefused."""
        ...

    async def confirm(self, decision_id: str, delivered: bytes) -> Delivery:
        """Says which posts were delivered, as a bitmap. Raises CallRefused."""
        ...


class LicensingClient:
    """Calls licensing over gRPC."""

    def __init__(
        self,
        target: str,
        token: Callable[[], str],
        *,
        credentials: grpc.ChannelCredentials | None = None,
        server_name: str | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        """`token` is called for every call, so that it can hand out a renewed one. Needs a running loop.

        ApiKeyTokens are also asked for another where licensing does not believe the one they gave.
        Without `credentials` the connection is not encrypted: for 127.0.0.1 only. With them the certificate
        of licensing has to carry `server_name` where that is given, else the host of `target`; for a list of
        addresses it has to be given. `target` is as gRPC names it: host:port, or dns:///NAME:PORT and
        ipv4:HOST:PORT,HOST:PORT for all replicas, each of which gets its share of the calls.
        """
        options = (*_OPTIONS, *balancing(target))
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options=options)
        else:
            options = (*options, *naming(server_name))
            self._channel = grpc.aio.secure_channel(target, credentials, options=options)
        # grpc's own annotations do not know that the stub takes either kind of channel.
        stub: Any = ReleaseServiceStub(self._channel)
        self._decide: Callable[..., Awaitable[DecideResponse]] = stub.Decide
        self._released: Callable[..., Awaitable[GetReleasedPostsResponse]] = stub.GetReleasedPosts
        self._confirm: Callable[..., Awaitable[ConfirmDeliveryResponse]] = stub.ConfirmDelivery
        self._token = token
        self._deadline_seconds = deadline_seconds
        self._tracer = trace.get_tracer("sluice_gate")

    async def decide(self, request: DecideRequest) -> Decision:
        """The decision on a batch; the stored one if the id was asked before. Raises CallRefused."""
        response = await self._call("Decide", self._decide, request)
        return response.decision

    async def confirm(self, decision_id: str, delivered: bytes) -> Delivery:
        """Says which posts were delivered, as a bitmap. Raises CallRefused."""
        request = ConfirmDeliveryRequest(decision_id=decision_id, delivered=delivered)
        response = await self._call("ConfirmDelivery", self._confirm, request)
        return response.delivery

    async def released(self, decision_id: str) -> GetReleasedPostsResponse:
        """What a decision released, and how long it may be served. Raises CallRefused."""
        request = GetReleasedPostsRequest(decision_id=decision_id)
        return await self._call("GetReleasedPosts", self._released, request)

    async def close(self) -> None:
        """Ends the connection; calls under way are cancelled."""
        await self._channel.close()

    async def _call(
        self, name: str, method: Callable[..., Awaitable[_Response]], request: object
    ) -> _Response:
        # A root span for each call: one decision is one trace, however long the job is.
        with self._tracer.start_as_current_span(
            f"sluice.licensing.v1.ReleaseService/{name}", context.Context(), trace.SpanKind.CLIENT
        ):
            tokens, token = self._token, self._token()
            try:
                return await self._send(method, request, token)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAUTHENTICATED or not isinstance(
                    tokens, ApiKeyTokens
                ):
                    raise refused(error) from error
            # The key that signed the token may have been replaced. Once: another one is as good as any.
            another = await finish(lambda: tokens.renewed(token))
            try:
                return await self._send(method, request, another)
            except grpc.aio.AioRpcError as error:
                raise refused(error) from error

    async def _send(
        self, method: Callable[..., Awaitable[_Response]], request: object, token: str
    ) -> _Response:
        headers: dict[str, str] = {"authorization": f"Bearer {_sendable(token)}"}
        propagate.inject(headers)
        return await method(request, metadata=tuple(headers.items()), timeout=self._deadline_seconds)


def _sendable(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise CallRefused("TOKEN_INVALID", "the token holds what no token can hold", passing=False)
    return token
