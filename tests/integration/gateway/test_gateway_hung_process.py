"""A process that takes connections and says nothing gets no calls, also where it is asked who may call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml

from services.console.gateway.values import Values
from tests.support.envoy import Envoy, some_values
from tests.support.gateway_world import GOOD, a_world
from tests.support.ports import HOST


@contextlib.asynccontextmanager
async def a_hung_process() -> AsyncIterator[int]:
    """The port of a server that never says anything."""
    held = []
    server = await asyncio.start_server(lambda *streams: held.append(streams), HOST, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for _, writer in held:
            writer.transport.abort()


class TwoOfEach(Envoy):
    """An Envoy that finds a second process of one cluster, as a headless name gives it."""

    def __init__(self, values: Values, folder: Path, cluster: str, port: int) -> None:
        self._second = cluster, port
        super().__init__(values, folder)

    def config(self, values: Values) -> str:
        """The configuration that operators run, with one endpoint more."""
        said = yaml.load(super().config(values), yaml.CSafeLoader)
        cluster, port = self._second
        (found,) = [each for each in said["static_resources"]["clusters"] if each["name"] == cluster]
        address = {"socket_address": {"address": HOST, "port_value": port}}
        found["load_assignment"]["endpoints"][0]["lb_endpoints"].append({"endpoint": {"address": address}})
        return yaml.dump(said, Dumper=yaml.CSafeDumper)


@pytest.mark.parametrize("cluster", ["authz", "limits"])
async def test_a_process_that_hangs_is_asked_nothing(tmp_path: Path, cluster: str) -> None:
    async with a_world() as world, a_hung_process() as port:
        envoy = TwoOfEach(some_values(tmp_path, world.upstreams), tmp_path, cluster, port)
        try:
            await envoy.ready()
            async with httpx.AsyncClient(base_url=envoy.url) as client:
                answers = [await client.get("/v1/decisions/1", headers=GOOD) for _ in range(6)]
        finally:
            envoy.end()

    assert [answer.status_code for answer in answers] == [200] * 6
