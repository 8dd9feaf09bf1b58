"""The login wall before a platform's pages, end to end: who reads, who is counted, and how fast it is up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.console.connections import Connections
from services.console.license_calls import resume_license, suspend_license
from services.console.walls import get_wall, lower_wall, raise_wall
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.wall_service_pb2 import WallTier
from sluice.metering.v1 import usage_pb2, usage_service_pb2
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.support.commands import sluice
from tests.support.gateway_callers import Outcome, in_json
from tests.support.through import Headers, Through
from tests.support.waiting import until_told

API, RESEARCH = WallTier.WALL_TIER_API, WallTier.WALL_TIER_RESEARCH
LOGIN_REQUIRED, TIER_CLOSED = Outcome(16, "LOGIN_REQUIRED"), Outcome(7, "TIER_CLOSED")
LATEST_SECONDS = 1.0
"""From the acknowledgement of a wall until it holds for every call that begins."""
PAGE = "/posts/17"


async def reads(gateway: Through, headers: Headers | None = None, network: int = 0) -> Outcome:
    """How somebody fares who reads a page; without headers, anonymously."""
    async with gateway.client(network) as client:
        return in_json(await client.get(PAGE, headers=headers))


@contextlib.asynccontextmanager
async def a_wall(gateway: Through, tiers: Sequence[int] = ()) -> AsyncIterator[Connections]:
    """It is up for as long as the context is open."""
    async with gateway.operator() as operator:
        await raise_wall(operator, pb.RaiseWallRequest(reason="scraping", tiers=tiers))  # type: ignore[arg-type]
        try:
            yield operator
        finally:
            await lower_wall(operator, pb.LowerWallRequest(reason="over"))
    await until_read(gateway)


async def until_read(gateway: Through) -> None:
    """Returns when anonymous callers read again."""

    async def is_read() -> bool:
        return (await reads(gateway)).code == 0

    await until_told(is_read, "anonymous callers read")


async def views_of(operator: Connections, network: int) -> int:
    """Accesses that metering has of callers of a network."""
    peer = operator.peer("metering")
    of = usage_pb2.UsageOf(party_id=f"network-127.0.{network}.0-24")
    answer = await peer.call(
        UsageServiceStub(peer.channel).QueryUsage, usage_service_pb2.QueryUsageRequest(of=of)
    )
    return sum(row.used for row in answer.rows)


async def test_anonymous_reads_are_counted_by_the_network_they_come_from_and_by_no_header(
    gateway: Through,
) -> None:
    spoofed = {"x-forwarded-for": "127.0.31.1", "x-real-ip": "127.0.31.1", "forwarded": "for=127.0.31.1"}

    answers = [await reads(gateway, spoofed, 30) for _ in range(4)]
    async with gateway.operator() as operator:

        async def are_told() -> bool:
            return await views_of(operator, 30) >= len(answers)

        await until_told(are_told, "all reads are counted")
        others = await views_of(operator, 31)
    shown = await sluice(gateway.state.root, "usage", "show", "--party", "network-127.0.30.0-24", "--json")

    assert answers == [Outcome(0)] * 4
    assert {answer.body for answer in answers} == {f"{PAGE} 127.0.30.1".encode()}
    assert others == 0
    (row,) = shown.answer["rows"]
    assert (row["origin"], row["access"], row["kind"], row["used"]) == ("seen", "view", "post", 4)


async def test_no_anonymous_call_that_begins_a_second_after_a_wall_was_raised_reads_anything(
    gateway: Through,
) -> None:
    calls = list[tuple[float, bool]]()
    acknowledged = asyncio.Event()

    async def keep_reading(client: httpx.AsyncClient) -> None:
        while not acknowledged.is_set() or time.monotonic() < since + 2 * LATEST_SECONDS:
            began = time.monotonic()
            calls.append((began, (await client.get(PAGE)).is_success))
            await asyncio.sleep(0.02)

    since = 0.0
    async with gateway.client(32) as client:
        readers = [asyncio.create_task(keep_reading(client)) for _ in range(2)]
        await asyncio.sleep(0.3)
        async with a_wall(gateway):
            since = time.monotonic()
            acknowledged.set()
            await asyncio.gather(*readers)

    late = [let_in for began, let_in in calls if began > since + LATEST_SECONDS]
    assert any(let_in for began, let_in in calls if began < since)
    assert len(late) > 10
    assert late.count(True) == 0


async def test_the_tiers_that_are_opened_read_on_and_a_suspended_license_is_out_at_once(
    gateway: Through,
) -> None:
    shown: dict[str, Headers] = {
        name: gateway.shown(PrincipalKind.LICENSEE, name) for name in ("reader", "lab", "acme")
    }
    subject = gateway.shown(PrincipalKind.SUBJECT, "11")

    async with a_wall(gateway, [API, RESEARCH]) as operator:
        stranger = await reads(gateway)
        opened = {name: await reads(gateway, headers) for name, headers in shown.items()}
        signed_in = await reads(gateway, subject)
        await suspend_license(operator, "reader-api", "does not pay")
        suspended = await reads(gateway, shown["reader"])
        await resume_license(operator, "reader-api", "pays")
        resumed = await reads(gateway, shown["reader"])
    async with a_wall(gateway, [RESEARCH]):
        research_alone = {name: await reads(gateway, headers) for name, headers in shown.items()}

    assert stranger == LOGIN_REQUIRED
    assert opened == {"reader": Outcome(0), "lab": Outcome(0), "acme": TIER_CLOSED}
    assert (signed_in, suspended, resumed) == (Outcome(0), TIER_CLOSED, Outcome(0))
    assert research_alone == {"reader": TIER_CLOSED, "lab": Outcome(0), "acme": TIER_CLOSED}


async def test_a_wall_that_was_raised_for_a_time_comes_down_by_itself(gateway: Through) -> None:
    async with gateway.operator() as operator:
        request = pb.RaiseWallRequest(reason="for a moment")
        request.until.FromMicroseconds(SystemClock().now_us() + 1_500_000)
        await raise_wall(operator, request)
        during = await reads(gateway)
        await until_read(gateway)
        over_us = SystemClock().now_us()
        standing = await get_wall(operator)

    assert during == LOGIN_REQUIRED
    assert int(during.headers["retry-after"]) in (1, 2)
    assert over_us >= request.until.ToMicroseconds()
    assert not standing.up


@pytest.mark.parametrize("token", ["Bearer x", "Basic YTpi", "Bearer"])
async def test_a_token_that_is_not_good_makes_nobody_anonymous(gateway: Through, token: str) -> None:
    answer = await reads(gateway, {"authorization": token})

    assert (answer.code, answer.http) == (16, 401)
