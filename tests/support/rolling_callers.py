"""Callers who count: how often a call failed at first sight, and how often after all tries of its library."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from sluice.licensing.v1.release_service_pb2 import DecideRequest, Decision, Delivery
from sluice_gate.client import LicensingClient
from sluice_gate.errors import CallRefused

T = TypeVar("T")


@dataclass
class Tally:
    """What became of all calls."""

    calls: Counter[str] = field(default_factory=Counter)
    """By RPC; a call and all its tries are one."""
    first_sight: Counter[str] = field(default_factory=Counter)
    """Tries that failed, by what was said."""
    failed: Counter[str] = field(default_factory=Counter)
    """Calls that failed."""

    async def counted(self, name: str, call: Awaitable[T]) -> T:
        """The answer; raises what the call raises, and notes it."""
        self.calls[name] += 1
        try:
            return await call
        except (Refusal, CallRefused) as error:
            self.failed[f"{name} {error.reason}"] += 1
            raise


class CountingPeer(Peer):
    """A peer as services and the console have it, which tries again as those do."""

    def __init__(
        self, target: str, token: Callable[[], str], name: str, seconds: float, tally: Tally
    ) -> None:
        super().__init__(target, token, name=name, default_deadline_us=int(seconds * 1_000_000))
        self._tally = tally

    async def ask(self, method: Any, request: Any) -> Any:
        """The answer to a request, counted."""
        name = type(request).__name__.removesuffix("Request")
        return await self._tally.counted(name, self.call(method, request))

    async def _wait_or_give_up(self, error: grpc.aio.AioRpcError, tried: int) -> None:
        self._tally.first_sight[f"{self._name} {error.code().name} {error.details()}"] += 1
        await super()._wait_or_give_up(error, tried)


class CountingClient:
    """Licensing as a job sees it, of which each try is counted; `sluice_gate.asking` tries again."""

    def __init__(self, client: LicensingClient, tally: Tally) -> None:
        self._client = client
        self._tally = tally

    async def decide(self, request: DecideRequest) -> Decision:
        """As the client does."""
        return await self._tried("Decide", self._client.decide(request))

    async def confirm(self, decision_id: str, delivered: bytes) -> Delivery:
        """As the client does."""
        return await self._tried("ConfirmDelivery", self._client.confirm(decision_id, delivered))

    async def _tried(self, name: str, call: Awaitable[T]) -> T:
        try:
            return await call
        except CallRefused as refusal:
            self._tally.first_sight[f"{name} {refusal.reason} {refusal.message}"] += 1
            raise
