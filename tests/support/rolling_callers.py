"""Callers who count: how often a call failed at first sight, and how often after all tries of its library."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import httpx
from google.protobuf import json_format

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from sluice.licensing.v1.release_service_pb2 import DecideRequest, Decision, Delivery, GetDecisionResponse
from sluice_gate.client import DEFAULT_DEADLINE_SECONDS, LicensingClient
from sluice_gate.errors import CallRefused
from tests.support.gateway_callers import in_json

UNASKED = frozenset({"GATEWAY_NOT_CHECKED", "GATEWAY_NOT_COUNTED"})
GATEWAY_WAITS_SECONDS = 0.5
"""For licensing and metering, which a machine with nothing left does not keep to (docs/gateway.md)."""

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
    late: Counter[str] = field(default_factory=Counter)
    """Calls of which the gateway's own questions took all the time that it gives them."""
    seconds: list[float] = field(default_factory=list)
    """How long each call took, with all its tries."""

    async def counted(self, name: str, call: Awaitable[T]) -> T:
        """The answer; raises what the call raises, and notes it."""
        self.calls[name] += 1
        began = time.monotonic()
        try:
            return await call
        except (Refusal, CallRefused) as error:
            self.failed[f"{name} {error.reason}"] += 1
            raise
        finally:
            self.seconds.append(time.monotonic() - began)

    def slowest(self) -> str:
        """The slowest call, and the 99th percentile, as text."""
        ordered = sorted(self.seconds)
        return f"slowest {ordered[-1]:.2f} s, 99 of 100 within {ordered[len(ordered) * 99 // 100]:.2f} s"


class CountingPeer(Peer):
    """A peer as services and the console have it, which tries again as those do."""

    def __init__(self, target: str, token: Callable[[], str], name: str, tally: Tally) -> None:
        super().__init__(target, token, name=name)
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


class CountingGateway:
    """Decisions as they are read in JSON through the gateway, which is asked once for each."""

    def __init__(self, url: str, token: Callable[[], str], tally: Tally) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=DEFAULT_DEADLINE_SECONDS)
        self._token = token
        self._tally = tally

    async def decision(self, decision_id: str) -> Decision | None:
        """That decision; None where there was no answer, which is counted."""
        began = time.monotonic()
        shown = {"authorization": f"Bearer {self._token()}"}
        answer = in_json(await self._http.get(f"/v1/decisions/{decision_id}", headers=shown))
        took = time.monotonic() - began
        self._tally.calls["GetDecision by way of the gateway"] += 1
        self._tally.seconds.append(took)
        if answer.code == 0:
            return json_format.Parse(answer.body, GetDecisionResponse()).decision
        if answer.reason in UNASKED and took >= GATEWAY_WAITS_SECONDS:
            self._tally.late[answer.reason] += 1
        else:
            self._tally.first_sight[f"gateway {answer.reason} {answer.message}"] += 1
        return None

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()
