"""A process that is told to stop waits for no stream that would go on, and cuts off none that has an end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.identity import PrincipalKind
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo) -> AsyncIterator[LocalServer]:
    async with serving(tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=ManualClock()) as local:
        yield local


@pytest.fixture
async def channel(server: LocalServer) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture
def metadata(server: LocalServer) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE)}")]


async def left(call: Any) -> list[bytes]:
    """What is still answered; the call must end well."""
    answers: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (answer := await call.read()) is not grpc.aio.EOF:
            answers.append(answer)
        assert await call.code() is grpc.StatusCode.OK
    return answers


@pytest.mark.parametrize("method", ["ChatRaw", "ChatParsed"])
async def test_a_dialogue_that_is_idle_ends_well(
    server: LocalServer, channel: Any, metadata: Any, method: str
) -> None:
    call = channel.stream_stream(f"/{NAME}/{method}")(metadata=metadata)
    await call.write(b"")
    await call.read()

    await server.drain()

    assert await left(call) == []


async def test_a_dialogue_that_never_pauses_is_read_no_further_and_what_was_read_is_answered(
    server: LocalServer, channel: Any, metadata: Any
) -> None:
    call = channel.stream_stream(f"/{NAME}/ChatRaw")(metadata=metadata)

    async def talk() -> None:
        while True:
            await call.write(b"hello")

    talking = asyncio.create_task(talk())
    await call.read()

    taking = asyncio.create_task(left(call))
    await server.drain()
    answers = await taking
    with pytest.raises((grpc.aio.AioRpcError, asyncio.InvalidStateError)):
        await talking

    assert set(answers) <= {b"someone hello"}


async def test_a_stream_of_answers_that_goes_on_for_ever_ends_well(
    server: LocalServer, channel: Any, metadata: Any, echo: Echo
) -> None:
    call = channel.unary_stream(f"/{NAME}/Follow")(b"", metadata=metadata)
    await call.read()

    await server.drain()

    assert await left(call) == []
    assert echo.closed.is_set()


async def test_a_stream_of_answers_with_an_end_is_told_to_its_end(
    server: LocalServer, channel: Any, metadata: Any
) -> None:
    call = channel.unary_stream(f"/{NAME}/Count")(b"5000", metadata=metadata)
    await call.read()

    draining = asyncio.create_task(server.drain())
    answers = await left(call)
    await draining

    assert answers == [f"someone {number}".encode() for number in range(1, 5000)]


async def test_what_has_one_answer_to_all_questions_hears_them_all(
    server: LocalServer, channel: Any, metadata: Any, echo: Echo
) -> None:
    call = channel.stream_unary(f"/{NAME}/Join")(metadata=metadata)
    await call.write(b"one")
    beside = channel.stream_stream(f"/{NAME}/ChatRaw")(metadata=metadata)
    await beside.write(b"")
    await beside.read()

    draining = asyncio.create_task(server.drain())
    # Its end shows that streams have been told.
    await left(beside)
    await call.write(b"two")
    await call.done_writing()

    assert await call == b"someone one two"
    await draining
