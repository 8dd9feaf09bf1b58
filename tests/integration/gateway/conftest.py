"""A gateway that leads to services of the tests' own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest_asyncio

from tests.support.envoy import Envoy, an_envoy, some_values
from tests.support.gateway_world import World, a_world

ORIGIN = "https://settings.example"


@dataclass(frozen=True)
class Gateway:
    """What tests call, and what stands behind it."""

    envoy: Envoy
    http: httpx.AsyncClient
    world: World

    @property
    def address(self) -> str:
        """host:port."""
        return self.envoy.address


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """All services are up."""
    async with a_world() as world:
        values = some_values(tmp_path, world.upstreams, origins=[ORIGIN])
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            yield Gateway(envoy, client, world)
