"""The figures of Envoy that alerts go by have these names, and move when what they tell of happens."""

import asyncio
import re
from pathlib import Path

import httpx

from services.console.gateway.values import Values
from tests.support.envoy import NOBODY, an_envoy, some_values
from tests.support.gateway_world import GOOD, a_world
from tests.support.waiting import PATIENCE_SECONDS

Figures = dict[tuple[str, str], float]
"""By name and cluster."""
SAMPLE = re.compile(r'^(\w+)\{(?:envoy_cluster_name="(\w+)")?\} (\S+)$', re.MULTILINE)
CLUSTERS = ("consent", "metering", "licensing", "authz", "limits")


async def figures(values: Values) -> Figures:
    """What Envoy shows at its port of administration."""
    transport = httpx.AsyncHTTPTransport(uds=values.admin_socket)
    async with httpx.AsyncClient(transport=transport) as client:
        text = (await client.get("http://envoy/stats/prometheus")).text
    # Not by a parser, which gives counters another name.
    return {(name, cluster or ""): float(value) for name, cluster, value in SAMPLE.findall(text)}


async def healthy_once(values: Values, **wanted: float) -> Figures:
    """The figures as soon as so many processes of the clusters are healthy."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            seen = await figures(values)
            found = {name: seen["envoy_cluster_membership_healthy", name] for name in wanted}
            if found == wanted:
                return seen
            await asyncio.sleep(0.05)


async def test_a_cluster_that_is_not_reached_shows_and_what_it_cannot_count_too(tmp_path: Path) -> None:
    async with a_world() as world:
        upstreams = {**world.upstreams, "metering": NOBODY}
        values = some_values(tmp_path, upstreams, admin_socket=str(tmp_path / "admin"))
        async with an_envoy(values, tmp_path) as envoy:
            await healthy_once(values, consent=1, licensing=1, authz=1, metering=0, limits=0)
            async with httpx.AsyncClient(base_url=envoy.url) as client:
                answer = await client.get("/v1/decisions/1", headers=GOOD)
            after = await figures(values)

    assert answer.status_code == 503
    assert "GATEWAY_NOT_COUNTED" in answer.text
    assert after["envoy_cluster_ratelimit_error", "licensing"] == 1
    assert {after["envoy_cluster_membership_total", name] for name in CLUSTERS} == {1}
    assert after["envoy_server_uptime", ""] >= 0
