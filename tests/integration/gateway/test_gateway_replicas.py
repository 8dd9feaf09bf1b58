"""Two processes of each service: one that is stopped takes nobody's call with it, in order or not."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from services.chassis.identity import PrincipalKind
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_world import GOOD, World, a_world
from tests.support.keys import a_minter, some_keys
from tests.support.waiting import PATIENCE_SECONDS, until

LANES = 4
ENOUGH = 20
OF_LICENSING = "/v1/decisions/1"
GET_DECISION = "/sluice.licensing.v1.ReleaseService/GetDecision"
OF_CONSENT = "/v1/policies"
LIST_POLICIES = "/sluice.consent.v1.ConsentService/ListPolicies"


class Two(NamedTuple):
    """Both processes, and how calls through the gateway have ended so far."""

    first: World
    second: World
    ended: Counter[int]
    stopped: contextlib.AsyncExitStack
    """Ends the first one at once."""


async def heard(world: World, path: str) -> None:
    """Returns when some more calls have come to it."""
    before = len(world.upstream.calls[path])
    await until(lambda: len(world.upstream.calls[path]) >= before + ENOUGH, "calls come")


async def left_alone(world: World, other: World, path: str) -> None:
    """Returns when all calls go to the other one."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            before = len(world.upstream.calls[path])
            await heard(other, path)
            if len(world.upstream.calls[path]) == before:
                return


@contextlib.asynccontextmanager
async def two_under_calls(folder: Path, path: str, headers: dict[str, str]) -> AsyncIterator[Two]:
    """Two processes that are all three services, and calls without a pause."""
    ended: Counter[int] = Counter()
    over = asyncio.Event()

    async def call_on(client: httpx.AsyncClient) -> None:
        while not over.is_set():
            ended[(await client.get(path, headers=headers)).status_code] += 1

    async with contextlib.AsyncExitStack() as stack, contextlib.AsyncExitStack() as stopped:
        first = await stopped.enter_async_context(a_world())
        second = await stack.enter_async_context(a_world())
        for each in (first, second):
            each.upstream.at_once = frozenset({GET_DECISION, LIST_POLICIES})
        both = {name: [first.address, second.address] for name in second.upstreams}
        envoy = await stack.enter_async_context(an_envoy(some_values(folder, both), folder))
        client = httpx.AsyncClient(base_url=envoy.url, timeout=PATIENCE_SECONDS)
        await stack.enter_async_context(client)
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(call_on(client))
            yield Two(first, second, ended, stopped)
            over.set()


async def test_a_process_that_says_that_it_drains_gets_no_calls_any_more_and_none_fails(
    tmp_path: Path,
) -> None:
    async with two_under_calls(tmp_path, OF_LICENSING, GOOD) as two:
        await heard(two.first, GET_DECISION)
        await heard(two.second, GET_DECISION)
        await two.first.health.enter_graceful_shutdown()
        # It serves on until the gateway has asked how it is.
        await left_alone(two.first, two.second, GET_DECISION)
        await two.stopped.aclose()
        await heard(two.second, GET_DECISION)

    assert two.ended.keys() == {200}


@pytest.mark.parametrize(("path", "rpc"), [(OF_CONSENT, LIST_POLICIES), (OF_LICENSING, GET_DECISION)])
async def test_what_met_a_process_at_its_end_is_sent_to_the_other_one(
    tmp_path: Path, path: str, rpc: str
) -> None:
    token = a_minter(some_keys(tmp_path)).mint(PrincipalKind.SUBJECT, "7")
    shown = {OF_CONSENT: {"authorization": f"Bearer {token}"}, OF_LICENSING: GOOD}[path]
    async with two_under_calls(tmp_path, path, shown) as two:
        await heard(two.first, rpc)
        await heard(two.second, rpc)
        await two.stopped.aclose()
        await heard(two.second, rpc)

    assert two.ended.keys() == {200}
