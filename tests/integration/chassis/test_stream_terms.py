"""A stream goes on no longer than its caller's token, and nothing that was read of it is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.chassis.statuses import from_rpc_error
from services.chassis.terms import has_run_out
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.waiting import PATIENCE_SECONDS

LIFETIME_US = 15 * 60 * 1_000_000
SOON_US = 300_000


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo, clock: ManualClock) -> AsyncIterator[LocalServer]:
    async with serving(tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=clock) as local:
        yield local


@pytest.fixture
def peer(server: LocalServer, clock: ManualClock) -> Peer:
    """Shows a token that ends in less than a second, whatever is asked for later."""
    token = server.token(PrincipalKind.PIPELINE)
    clock.advance(LIFETIME_US - SOON_US)
    return server.peer_showing(lambda: token)


async def end_of(answers: AsyncIterator[bytes]) -> tuple[list[bytes], Refusal]:
    """What is answered, and the refusal that comes in the end."""
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Refusal) as refused:
            while True:
                found.append(await anext(answers))
    return found, refused.value


def check(refusal: Refusal) -> None:
    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "TOKEN_EXPIRED")
    assert has_run_out(refusal)


async def test_answers_that_would_go_on_for_ever_end_with_the_token(peer: Peer, echo: Echo) -> None:
    method: Any = peer.channel.unary_stream(f"/{NAME}/Follow")

    async with peer.open(method, b"") as stream:
        answers, refusal = await end_of(aiter(stream))

    assert answers == [b"here"]
    check(refusal)
    assert echo.closed.is_set()


async def test_a_dialogue_is_read_no_further_and_what_was_read_is_answered(peer: Peer) -> None:
    method: Any = peer.channel.stream_stream(f"/{NAME}/ChatParsed")

    async with peer.open(method) as stream:
        await stream.send(b"\x0a\x01a")
        answers, refusal = await end_of(aiter(stream))

    assert answers == [b"a"]
    check(refusal)


async def test_one_answer_is_not_given_to_a_part_of_the_questions(
    server: LocalServer, clock: ManualClock
) -> None:
    metadata = (("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE)}"),)
    clock.advance(LIFETIME_US - SOON_US)

    async with grpc.aio.insecure_channel(server.address) as channel, asyncio.timeout(PATIENCE_SECONDS):
        call: Any = channel.stream_unary(f"/{NAME}/JoinParsed")(metadata=metadata)
        await call.write(b"\x0a\x01a")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call

    check(from_rpc_error(refused.value))


async def test_answers_that_come_to_an_end_are_told_to_it(peer: Peer, echo: Echo) -> None:
    lingering: Any = peer.channel.unary_stream(f"/{NAME}/Linger")

    answers = []
    async with asyncio.timeout(PATIENCE_SECONDS), peer.open(lingering, b"x") as stream:
        async for answer in stream:
            answers.append(answer)
            await asyncio.sleep(2 * SOON_US / 1_000_000)
            echo.leave.set()

    # Its end is no refusal.
    assert answers == [b"here"]


async def test_a_stream_that_is_opened_with_a_token_that_has_ended_is_not_worth_another_try(
    peer: Peer, clock: ManualClock
) -> None:
    clock.advance(SOON_US)
    method: Any = peer.channel.unary_stream(f"/{NAME}/Follow")

    async with peer.open(method, b"") as stream:
        _, refusal = await end_of(aiter(stream))

    assert refusal.reason == "TOKEN_EXPIRED"
    assert not has_run_out(refusal)
