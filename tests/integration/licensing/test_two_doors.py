"""Two processes of licensing on one PostgreSQL database, without peers: a wall that one raises shuts both."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.wall_service_pb2_grpc import WallServiceStub
from tests.support.engines import urls_on
from tests.support.keys import a_minter, some_keys
from tests.support.replicas import Replica, running
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.walls import reads_content

pytestmark = pytest.mark.slow

SECOND = 1.0
NOBODY = "127.0.0.1:9"


@contextlib.asynccontextmanager
async def two_doors(folder: Path, url: str) -> AsyncIterator[list[Replica]]:
    """Two processes that serve, and whose peers are gone."""
    settings = {
        "DATABASE_URL": url,
        "STATE_DIR": str(folder),
        "LOG_DIR": str(folder / "log"),
        "HEAD_DIR": str(folder / "heads"),
        "CONSENT_TARGET": NOBODY,
        "METERING_TARGET": NOBODY,
    }
    doors = [Replica("services.licensing", "licensing", folder, settings) for _ in range(2)]
    async with running(doors):
        yield doors


def peer_of(door: Replica, folder: Path, kind: PrincipalKind, party: str, *roles: str) -> Peer:
    minter = a_minter(some_keys(folder))
    return Peer(door.address, lambda: minter.mint(kind, party, roles), name="licensing")


async def until_anonymous_hear(gateway: Peer, awaited: str) -> list[tuple[float, str]]:
    """When each call began, and how it went; up to the first that goes as awaited."""
    told = list[tuple[float, str]]()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not told or told[-1][1] != awaited:
            began = time.monotonic()
            told.append((began, await reads_content(gateway)))
    return told


async def test_nobody_unknown_is_let_in_by_either_process_from_a_second_after_the_acknowledgement_on(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = urls_on("postgresql", request, tmp_path)["licensing"]
    async with two_doors(tmp_path, url) as (one, other), contextlib.AsyncExitStack() as stack:
        operator = peer_of(one, tmp_path, PrincipalKind.OPERATOR, "ada", "trust")
        gateways = [peer_of(door, tmp_path, PrincipalKind.SERVICE, "gateway") for door in (one, other)]
        for peer in (operator, *gateways):
            stack.push_async_callback(peer.close)
        for gateway in gateways:
            await until_anonymous_hear(gateway, "admitted")

        wall = pb.RaiseWallRequest(request_id=uuid7(time.time_ns() // 1_000), reason="scraping")
        await operator.call(WallServiceStub(operator.channel).RaiseWall, wall)
        raised = time.monotonic()
        own = await reads_content(gateways[0])
        told = await until_anonymous_hear(gateways[1], "LOGIN_REQUIRED")
        after = [await reads_content(gateway) for gateway in gateways]

        # However slow this machine is: who cannot know of the wall in time lets nobody in.
        late = [outcome for began, outcome in told if began > raised + SECOND]
        assert (own, late.count("admitted"), after) == ("LOGIN_REQUIRED", 0, ["LOGIN_REQUIRED"] * 2)
