"""What is open to callers without a token: only what says so, nobody is anybody there, and few at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.limits import Limits
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo) -> AsyncIterator[LocalServer]:
    limits = Limits(3, 2, 2, strangers=2)
    async with serving(
        tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=ManualClock(), limits=limits
    ) as local:
        yield local


@pytest.fixture
async def bare(server: LocalServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


async def ask(channel: Any, method: str, token: str | None = None) -> bytes:
    metadata = [] if token is None else [("authorization", f"Bearer {token}")]
    answer: bytes = await channel.unary_unary(f"/{NAME}/{method}")(b"hello", metadata=metadata)
    return answer


async def code_of(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code()


async def test_a_stranger_is_answered_where_the_table_says_so(bare: Any) -> None:
    assert await ask(bare, "Greet") == b"hello"
    assert await ask(bare, "Greet", "no token at all") == b"hello"


@pytest.mark.parametrize(
    "method", sorted(name.rpartition("/")[2] for name, line in ADMISSIONS.items() if not line.anyone)
)
async def test_a_stranger_is_refused_everywhere_else(bare: Any, method: str) -> None:
    assert await code_of(ask(bare, method)) is grpc.StatusCode.UNAUTHENTICATED


async def test_an_rpc_that_no_table_names_is_not_open_either(bare: Any) -> None:
    assert await code_of(ask(bare, "Forgotten")) is grpc.StatusCode.UNAUTHENTICATED


async def test_nobody_is_a_principal_there_whatever_they_show(bare: Any, server: LocalServer) -> None:
    token = server.token(PrincipalKind.PIPELINE)

    assert await code_of(ask(bare, "WhoAmI")) is grpc.StatusCode.UNAUTHENTICATED
    assert await code_of(ask(bare, "WhoAmI", token)) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_stream_is_never_open_to_strangers(bare: Any, server: LocalServer) -> None:
    stream = bare.unary_stream(f"/{NAME}/GreetMany")
    shown = [("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE)}")]

    assert await code_of(stream(b"1").read()) is grpc.StatusCode.UNAUTHENTICATED
    assert await code_of(stream(b"1", metadata=shown).read()) is grpc.StatusCode.PERMISSION_DENIED


async def test_strangers_do_not_take_the_places_of_those_who_are_known(
    bare: Any, server: LocalServer, echo: Echo
) -> None:
    running = [asyncio.create_task(ask(bare, "GreetSlowly")) for _ in range(2)]
    await asyncio.wait_for(echo.both_entered(), 5)

    third = await code_of(ask(bare, "Greet"))
    known = await ask(bare, "Say", server.token(PrincipalKind.PIPELINE))
    echo.leave.set()
    await asyncio.gather(*running)

    assert third is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert known == b"hello"
    assert await ask(bare, "Greet") == b"hello"


async def test_strangers_take_places_of_calls_too(bare: Any, server: LocalServer, echo: Echo) -> None:
    token = server.token(PrincipalKind.PIPELINE)
    running = [asyncio.create_task(ask(bare, "Wait", token)) for _ in range(3)]
    await asyncio.wait_for(echo.both_entered(), 5)
    await asyncio.wait_for(echo.entered.acquire(), 5)

    refused = await code_of(ask(bare, "Greet"))
    echo.leave.set()
    await asyncio.gather(*running)

    assert refused is grpc.StatusCode.RESOURCE_EXHAUSTED
