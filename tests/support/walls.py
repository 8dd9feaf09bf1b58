"""The login wall as operators work it, and the door as the gateway asks it, over gRPC."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from gateway import authorization_pb2 as envoy
from gateway.authorization_pb2_grpc import AuthorizationStub
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.walls import bolt
from services.licensing.storage.walls import WallStore
from services.licensing.wall_watching import WallWatch
from services.licensing.walls import WallDesk
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.wall_service_pb2_grpc import WallServiceStub
from tests.support.clock import NOON_US
from tests.support.grpc import LocalServer, serving

TRUST = (PrincipalKind.OPERATOR, "ada", ("trust",))


@contextlib.asynccontextmanager
async def serving_walls(database: Database, clock: Clock, folder: Path) -> AsyncIterator[LocalServer]:
    """The service of the wall."""
    store = WallStore(database)
    watch = WallWatch(store, clock, lambda: clock.now_us() / 1_000_000)
    async with serving(
        folder, bolt(WallDesk(store, clock, watch.hold), clock), admissions=ADMISSIONS, clock=clock
    ) as server:
        yield server


async def ask(server: LocalServer, rpc: str, request: Any, who: tuple[Any, ...] = TRUST) -> Any:
    """One call of the wall."""
    peer = server.peer(*who)
    return await peer.call(getattr(WallServiceStub(peer.channel), rpc), request)


def a_raise(reason: str = "scraping", now_us: int = NOON_US, **fields: Any) -> pb.RaiseWallRequest:
    """A wall that is up until it is lowered, under a new id."""
    return pb.RaiseWallRequest(request_id=uuid7(now_us), reason=reason, **fields)


def a_lower(reason: str = "over", now_us: int = NOON_US) -> pb.LowerWallRequest:
    """No wall, under a new id."""
    return pb.LowerWallRequest(request_id=uuid7(now_us), reason=reason)


def a_check(
    path: str, headers: Mapping[str, str], address: str = "203.0.113.9", surface: str = ""
) -> envoy.CheckRequest:
    """What Envoy asks of a call."""
    request = envoy.CheckRequest()
    request.attributes.source.address.socket_address.address = address
    request.attributes.request.http.path = path
    request.attributes.request.http.headers.update(headers)
    if surface:
        request.attributes.context_extensions["surface"] = surface
    return request


async def check(peer: Peer, request: envoy.CheckRequest) -> envoy.CheckResponse:
    """What Envoy is answered."""
    return await peer.call(AuthorizationStub(peer.channel).Check, request)


async def reads_content(peer: Peer, token: str = "", **changes: Any) -> str:
    """How somebody fares who reads content: "admitted", or the reason in the answer that they get."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = await check(peer, a_check("/posts/1", headers, surface="content", **changes))
    return outcome(answer)


def outcome(answer: envoy.CheckResponse) -> str:
    """Either "admitted", or the reason in the JSON that the caller gets."""
    if answer.HasField("ok_response"):
        return "admitted"
    return answer.denied_response.body.split('"reason":"')[1].split('"')[0]
