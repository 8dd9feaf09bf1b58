"""Several workers serve one port as one process would: whichever of them dies or hangs, and when all end."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from services.chassis.identity import PrincipalKind
from services.chassis.ports import kept_port
from tests.integration.chassis.echo import NAME
from tests.integration.chassis.pooled import MODULE
from tests.support.keys import a_minter, some_keys
from tests.support.pools import ALONE, PoolProcess, a_pool, a_starting_pool, gone, health_told

HEALTH = health_pb2.HealthCheckResponse
CHANNELS = 60
"""That all of them reach one of two workers happens once in 2**59 times."""
CALLERS = 8
SAID = 'sluice_rpc_calls_total{code="OK",method="test.Echo/Say"}'
WRITTEN = {"DATABASE_URL": "postgresql://nobody@127.0.0.1/unused"}


@pytest.fixture
def metadata(tmp_path: Path) -> list[tuple[str, str]]:
    token = a_minter(some_keys(tmp_path)).mint(PrincipalKind.PIPELINE, "someone")
    return [("authorization", f"Bearer {token}")]


@pytest.fixture
def health(tmp_path: Path) -> str:
    with kept_port("127.0.0.1:0") as address:
        return address


@pytest.fixture
async def pool(tmp_path: Path, health: str) -> AsyncIterator[PoolProcess]:
    settings = {**WRITTEN, "HEALTH_LISTEN": health, "ANNOUNCE_PATH": str(tmp_path / "address")}
    async with a_pool(MODULE, "echo", tmp_path, {**settings, "DRAIN_GRACE": "1"}) as pool:
        yield pool


async def asked(address: str, method: str, metadata: Any) -> bytes:
    """An answer over a connection of its own; what did not reach anybody is tried again."""
    while True:
        async with grpc.aio.insecure_channel(address, options=ALONE) as channel:
            call: Any = channel.unary_unary(f"/{NAME}/{method}")
            try:
                answer: bytes = await call(b"hello", metadata=metadata)
                return answer
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise


async def test_new_connections_reach_each_worker(pool: PoolProcess, metadata: Any, tmp_path: Path) -> None:
    answers = await asyncio.gather(*(asked(pool.address, "Who", metadata) for _ in range(CHANNELS)))

    assert {int(answer) for answer in answers} == pool.workers()
    assert (tmp_path / "address").read_text() == pool.address + "\n"
    assert (await pool.figures())["sluice_workers"] == 2


async def test_a_worker_that_is_killed_is_replaced_and_health_says_nothing_of_it(
    pool: PoolProcess, metadata: Any, health: str
) -> None:
    before = pool.workers()

    async with health_told(health, NAME) as told:
        os.kill(min(before), signal.SIGKILL)
        replaced = await pool.logged("a worker is replaced")
        answers = await asyncio.gather(*(asked(pool.address, "Who", metadata) for _ in range(CALLERS)))
        await pool.logged("serving", worker=replaced["number"])
        reached = await asyncio.gather(*(asked(pool.address, "Who", metadata) for _ in range(CHANNELS)))

    assert told.get_nowait() == HEALTH.SERVING
    assert told.empty()
    assert len(answers) == CALLERS
    assert {int(answer) for answer in reached} == pool.workers()
    assert len(pool.workers() - before) == 1


async def test_a_worker_that_hangs_is_replaced(pool: PoolProcess, metadata: Any) -> None:
    hanging = min(pool.workers())

    os.kill(hanging, signal.SIGSTOP)
    killed = await pool.logged("a worker hangs and is killed")
    await pool.logged("serving", worker=killed["number"])
    reached = await asyncio.gather(*(asked(pool.address, "Who", metadata) for _ in range(CHANNELS)))

    assert killed["pid"] == hanging
    assert {int(answer) for answer in reached} == pool.workers()
    assert hanging not in pool.workers()


async def test_figures_add_up_over_workers_that_live_and_that_are_dead(
    pool: PoolProcess, metadata: Any
) -> None:
    await asyncio.gather(*(asked(pool.address, "Say", metadata) for _ in range(CHANNELS)))
    before = await pool.figures()

    for pid in pool.workers():
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
    await asyncio.gather(*(asked(pool.address, "Say", metadata) for _ in range(CHANNELS)))
    after = await pool.figures()

    assert before[SAID] == CHANNELS
    assert after[SAID] == 2 * CHANNELS
    assert after["sluice_rpc_in_flight"] == 0
    assert after["process_cpu_seconds_total"] > before["process_cpu_seconds_total"]


async def test_sigterm_drains_all_workers_and_no_call_fails(
    pool: PoolProcess, metadata: Any, health: str
) -> None:
    over = asyncio.Event()
    answered = [0] * CALLERS

    async def call_on(number: int) -> None:
        async with grpc.aio.insecure_channel(pool.address, options=ALONE) as channel:
            say: Any = channel.unary_unary(f"/{NAME}/Say")
            wait: Any = channel.unary_unary(f"/{NAME}/Wait")
            while not over.is_set():
                assert await say(b"hello", metadata=metadata) == b"hello"
                answered[number] += 1
            # Begun after health has said so, and within the grace.
            assert await wait(b"slowly", metadata=metadata) == b"slowly"

    async with health_told(health, NAME) as told:
        callers = asyncio.gather(*(call_on(number) for number in range(CALLERS)))
        first = await told.get()
        pool.signal(signal.SIGTERM)
        second = await told.get()
        over.set()
        await callers

    assert await pool.ended() == 0
    assert (first, second) == (HEALTH.SERVING, HEALTH.NOT_SERVING)
    assert min(answered) > 0


async def test_workers_end_when_their_pool_is_killed(pool: PoolProcess, tmp_path: Path) -> None:
    workers = pool.workers()

    pool.signal(signal.SIGKILL)
    for pid in workers:
        await gone(pid)

    async with a_pool(MODULE, "echo", tmp_path, {**WRITTEN, "LISTEN": pool.address}) as next_one:
        assert next_one.address == pool.address
        assert len(list((tmp_path / "state").glob("figures-*"))) == 1


async def test_each_worker_keeps_its_traces_in_a_file_of_its_own(
    pool: PoolProcess, metadata: Any, tmp_path: Path
) -> None:
    await asyncio.gather(*(asked(pool.address, "Say", metadata) for _ in range(CHANNELS)))
    pool.signal(signal.SIGTERM)
    await pool.ended()

    files = sorted((tmp_path / "state" / "traces").iterdir())
    assert [file.name for file in files] == ["echo.worker-1.jsonl", "echo.worker-2.jsonl"]
    assert all(f"{NAME}/Say" in file.read_text() for file in files)
    assert not list((tmp_path / "state").glob("figures-*"))


async def test_a_second_pool_on_its_port_is_refused(pool: PoolProcess, tmp_path: Path) -> None:
    settings = {**WRITTEN, "LISTEN": pool.address}

    async with a_starting_pool(MODULE, "echo", tmp_path, settings) as second:
        status = await second.ended()

    assert status == 1
    assert second.lines == [f"ADDRESS_IN_USE: cannot listen on {pool.address}: it is in use or not ours"]


@pytest.mark.parametrize(
    ("fault", "last_line"),
    [
        ("refuse", "ECHO_BROKEN: there is no echo here"),
        ("end", "WORKER_FAILED: worker [12] ended with exit code 7"),
    ],
)
async def test_a_worker_that_cannot_start_ends_the_pool_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, last_line: str
) -> None:
    monkeypatch.setenv("ECHO_FAULT", fault)

    async with a_starting_pool(MODULE, "echo", tmp_path, WRITTEN) as pool:
        status = await pool.ended()

    assert status == 1
    [line] = pool.lines
    assert re.fullmatch(last_line, line)


async def test_several_workers_of_a_sqlite_file_are_refused(tmp_path: Path) -> None:
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/words.db"}

    async with a_starting_pool(MODULE, "echo", tmp_path, settings) as pool:
        status = await pool.ended()

    assert status == 1
    assert pool.lines == [
        "WORKERS_NEED_POSTGRESQL: a SQLite file has one process; several workers need a database of PostgreSQL"
    ]
