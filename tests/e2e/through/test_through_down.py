"""Services that are gone, stand still or lie: what callers are told, and that nothing is released or held."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator

import grpc
import httpx

from services.chassis.identity import PrincipalKind
from sluice.directory.v1 import directory_service_pb2 as directory
from sluice.directory.v1.directory_service_pb2_grpc import add_PostDirectoryServiceServicer_to_server
from sluice.metering.v1 import metering_service_pb2 as metering
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.directory import ScriptedDirectory
from tests.support.gateway_callers import Outcome, in_json
from tests.support.http_forms import http_form
from tests.support.through import REQUEST_RELEASE, Through, a_request
from tests.support.through_world import post_of
from tests.support.waiting import PATIENCE_SECONDS, until, until_told

NOT_CHECKED, NOT_COUNTED = Outcome(14, "GATEWAY_NOT_CHECKED"), Outcome(14, "GATEWAY_NOT_COUNTED")
PEER_UNAVAILABLE = Outcome(14, "PEER_UNAVAILABLE")
CHOOSE = "/sluice.consent.v1.ConsentService/RecordChoice"
GATEWAY_WAITS_SECONDS = 0.5
PEER_WAITS_SECONDS = 2.0
SLACK_SECONDS = 3.0
"""A machine that does much else answers late; a gateway that waits without end would never."""


async def asked(gateway: Through) -> tuple[list[Outcome], float]:
    """A request in the three ways, and how many seconds they took together."""
    began = time.monotonic()
    answers = await gateway.three_ways(REQUEST_RELEASE, a_request(post_of(11)), gateway.acme)
    return answers, time.monotonic() - began


async def until_nothing_is_held(gateway: Through) -> None:
    """Permits that other tests got are over by then, too."""
    async with gateway.inside(PrincipalKind.SERVICE, "licensing") as inside:
        peer = inside.peer("metering")
        stub = MeteringServiceStub(peer.channel)

        async def is_free() -> bool:
            return not (await peer.call(stub.ListHolds, metering.ListHoldsRequest(page_size=1000))).holds

        await until_told(is_free, "nothing is held")


async def test_without_licensing_nothing_goes_on_whether_it_is_gone_or_stands_still(gateway: Through) -> None:
    subject = gateway.shown(PrincipalKind.SUBJECT, "11")
    async with gateway.gone("licensing"), gateway.client() as client:
        gone, _ = await asked(gateway)
        pages = [in_json(await client.get("/posts/17", headers=headers)) for headers in ({}, subject)]
    await gateway.serving()
    with gateway.stopped("licensing"):
        stopped, seconds = await asked(gateway)
    await gateway.serving()

    assert gone == stopped == [NOT_CHECKED] * 3
    # Of a platform's pages nobody knows whether there is a wall before them.
    assert pages == [NOT_CHECKED] * 2
    assert gone[0].http == stopped[0].http == 503
    assert seconds < 3 * GATEWAY_WAITS_SECONDS + SLACK_SECONDS


async def test_without_metering_nothing_goes_on_whether_it_is_gone_or_stands_still(gateway: Through) -> None:
    async with gateway.gone("metering"):
        gone, _ = await asked(gateway)
    await gateway.serving()
    with gateway.stopped("metering"):
        stopped, seconds = await asked(gateway)
    await gateway.serving()

    assert gone == stopped == [NOT_COUNTED] * 3
    assert gone[0].http == stopped[0].http == 503
    assert seconds < 3 * GATEWAY_WAITS_SECONDS + SLACK_SECONDS


async def test_without_the_directory_nothing_is_released_and_nothing_stays_held(gateway: Through) -> None:
    async with gateway.gone("directory"):
        gone, _ = await asked(gateway)
    await gateway.serving()
    with gateway.stopped("directory"):
        stopped, seconds = await asked(gateway)
    await gateway.serving()

    assert gone == stopped == [PEER_UNAVAILABLE] * 3
    assert seconds < 3 * PEER_WAITS_SECONDS + SLACK_SECONDS
    await until_nothing_is_held(gateway)


async def test_a_directory_that_answers_for_other_posts_releases_nothing(gateway: Through) -> None:
    """Its author may not be who wrote the post that was asked for."""
    released = await gateway.decided(post_of(11))

    async def heard() -> list[Outcome]:
        answers, _ = await asked(gateway)
        # Until licensing has noticed that somebody is there again.
        return [] if answers == [PEER_UNAVAILABLE] * 3 else answers

    async with gateway.gone("directory"), lying(gateway.address_of("directory"), post_of(12)):
        answers = await until_told(heard, "the other directory answers")
    await gateway.serving()

    assert released["outcome"] == "OUTCOME_RELEASED"
    assert answers == [Outcome(14, "PEER_ANSWER_INVALID")] * 3
    assert answers[0].http == 503


@contextlib.asynccontextmanager
async def lying(address: str, post: int) -> AsyncIterator[None]:
    """A directory at the address that says whatever it is asked: this post, by who may release theirs."""
    posts = [Post(id=post, author_id=11, kind=1, media_flags=0, language="en", posted_at_us=1, embeds=())]
    said = directory.GetPostsResponse(posts=columns_of(posts))
    said.as_of.GetCurrentTime()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_PostDirectoryServiceServicer_to_server(ScriptedDirectory(lambda ids: said), server)
    # Threads of the process that was killed may keep the port for a moment longer than it.
    await until(lambda: bound(server, address), "the port is free", 0.05)
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)


def bound(server: grpc.aio.Server, address: str) -> bool:
    try:
        return server.add_insecure_port(address) > 0
    except RuntimeError:
        return False


async def test_envoy_that_is_killed_comes_back_and_no_request_is_decided_twice(gateway: Through) -> None:
    """Whoever got no answer sends the same again, and hears of one decision alone."""
    killed = gateway.pid("gateway")
    requests = [http_form(REQUEST_RELEASE, a_request(post_of(11))) for _ in range(12)]
    answers = dict[int, str]()

    async def ask(number: int) -> None:
        while number not in answers:
            form = requests[number]
            with contextlib.suppress(httpx.TransportError):
                async with gateway.client(number % 4) as client:
                    answer = await client.post(form.path, content=form.content({}), headers=gateway.acme)
                if answer.is_success:
                    answers[number] = answer.json()["decision"]["decisionId"]

    async with asyncio.timeout(PATIENCE_SECONDS):
        asking = [asyncio.create_task(ask(number)) for number in range(len(requests))]
        await until(lambda: len(answers) > 3, "some have been answered")
        os.kill(killed, signal.SIGKILL)
        await asyncio.gather(*asking)
    first = dict(answers)
    answers.clear()
    for number in range(len(requests)):
        await ask(number)

    assert answers == first
    assert gateway.pid("gateway") != killed
