"""Whoever begins bodies and does not end them uses up their own room and not that of others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from tests.integration.gateway.conftest import Gateway
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_callers import Outcome, in_json, json_outcome, raw
from tests.support.gateway_world import GOOD, a_world

BODY = 390_000
"""What of each is sent; under the cap."""
FLOODER, OTHER = "198.51.100.7", "203.0.113.9"
SMALL = {"heap_bytes": 128 * 1024 * 1024, "calls_a_second": 10}


def begun(path: str, forwarded_for: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {forwarded_for}\r\ncontent-length: {BODY + 1}"
    )
    return head.encode() + b"\r\ncontent-type: application/json\r\n\r\n" + b" " * BODY


@contextlib.asynccontextmanager
async def many_begun(address: str, count: int) -> AsyncIterator[None]:
    """So many calls of one network whose bodies lack a byte, all sent as far as the gateway takes them."""
    host, _, port = address.rpartition(":")
    connections = [await asyncio.open_connection(host, int(port)) for _ in range(count)]

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Those that are turned away are cut off while they send.
        with contextlib.suppress(ConnectionError, TimeoutError):
            writer.write(begun("/v1/nowhere", FLOODER))
            async with asyncio.timeout(2):
                await writer.drain()

    await asyncio.gather(*(send(*connection) for connection in connections))
    try:
        yield
    finally:
        for _, writer in connections:
            writer.transport.abort()


async def test_400_bodies_that_never_end_leave_room_for_callers_of_other_networks(tmp_path: Path) -> None:
    async with a_world() as world:
        values = some_values(tmp_path, world.upstreams, limits=SMALL, trusted_hops=1)
        async with (
            an_envoy(values, tmp_path) as envoy,
            httpx.AsyncClient(base_url=envoy.url) as client,
            many_begun(envoy.address, 400),
        ):
            answers = [in_json(await call_after(client, 0.2)) for _ in range(12)]

    assert answers == [Outcome(0)] * 12


async def call_after(client: httpx.AsyncClient, seconds: float) -> httpx.Response:
    """Envoy looks once a second at what it holds, by a clock of its own."""
    await asyncio.sleep(seconds)
    return await client.get("/v1/decisions/1", headers={**GOOD, "x-forwarded-for": OTHER})


async def test_a_body_that_does_not_come_in_time_is_408(tmp_path: Path) -> None:
    async with an_envoy(some_values(tmp_path, limits={"body_seconds": 1}), tmp_path) as envoy:
        status, answer = await raw(envoy.address, begun("/v1/nowhere", FLOODER))

    assert (status, json_outcome(answer)) == (408, Outcome(4, "GATEWAY_REQUEST_TIMEOUT"))


async def test_the_time_of_a_body_does_not_bound_the_answer(tmp_path: Path) -> None:
    async with a_world() as world:
        world.upstream.answering.clear()
        values = some_values(tmp_path, world.upstreams, limits={"body_seconds": 1})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            calling = asyncio.create_task(client.get("/v1/decisions/1", headers=GOOD))
            ended, _ = await asyncio.wait([calling], timeout=1.5)
            world.upstream.answering.set()
            answer = await calling

    assert (len(ended), answer.status_code) == (0, 200)


async def test_a_request_for_10_000_posts_fits_and_more_than_the_cap_is_413(gateway: Gateway) -> None:
    body = {"purpose": "PURPOSE_AI_INPUT", "postIds": [str(2**64 - 1 - n) for n in range(10_000)]}

    largest = await gateway.http.post("/v1/licenses/1/releases", json=body, headers=GOOD)
    larger = await gateway.http.post("/v1/licenses/1/releases", content=b" " * 600_000, headers=GOOD)

    assert largest.status_code == 200
    assert (larger.status_code, in_json(larger)) == (413, Outcome(8, "GATEWAY_BODY_TOO_LARGE"))
