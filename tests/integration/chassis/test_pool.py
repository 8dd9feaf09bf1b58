"""Several workers serve one port as one process would: whichever of them dies or hangs, and when all end."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2

from services.chassis.identity import PrincipalKind
from services.chassis.pool import needs_pool
from services.chassis.pool_figures import figures_folder
from services.chassis.ports import kept_port
from services.chassis.refusals import Refusal
from services.chassis.settings import ServiceSettings
from services.chassis.workers import LONGEST_BEAT_BYTES, Beat, as_worker
from tests.integration.chassis.echo import NAME
from tests.integration.chassis.pooled import MODULE
from tests.support.keys import a_minter, some_keys
from tests.support.pools import (
    ALONE,
    PATIENCE_SECONDS,
    ROOT,
    PoolProcess,
    a_pool,
    a_starting_pool,
    gone,
    health_told,
)

HEALTH = health_pb2.HealthCheckResponse
CHANNELS = 60
"""That all of them reach one of two workers happens once in 2**59 times."""
CALLERS = 8
SAID = 'sluice_rpc_calls_total{code="OK",method="test.Echo/Say"}'
REPLACED = {
    reason: f'sluice_workers_replaced_total{{reason="{reason}"}}' for reason in ("ended", "hangs", "withdrew")
}
WRITTEN = {"DATABASE_URL": "postgresql://nobody@127.0.0.1/unused"}


pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True)
class Stand:
    """A pool, and who calls it."""

    pool: PoolProcess
    folder: Path
    health: str
    """Where health alone is served."""
    metadata: list[tuple[str, str]]

    async def reached(self) -> set[int]:
        """The workers that answer over some tens of new connections."""
        return {int(answer) for answer in await self.all_asked("Who")}

    async def all_asked(self, method: str) -> list[bytes]:
        """The answers over so many connections."""
        asking = (asked(self.pool.address, method, self.metadata) for _ in range(CHANNELS))
        return await asyncio.gather(*asking)


@contextlib.asynccontextmanager
async def a_stand(folder: Path, drain_grace: str = "0") -> AsyncIterator[Stand]:
    with kept_port("127.0.0.1:0") as health:
        pass
    settings = {**WRITTEN, "HEALTH_LISTEN": health, "ANNOUNCE_PATH": str(folder / "address")}
    token = a_minter(some_keys(folder)).mint(PrincipalKind.PIPELINE, "someone")
    async with a_pool(MODULE, "echo", folder, {**settings, "DRAIN_GRACE": drain_grace}) as pool:
        yield Stand(pool, folder, health, [("authorization", f"Bearer {token}")])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One that tests share which leave it serving."""
    async with a_stand(tmp_path_factory.mktemp("lasting")) as stand:
        yield stand


@contextlib.asynccontextmanager
async def a_worker(folder: Path, line: socket.socket, environment: dict[str, str]) -> AsyncIterator[None]:
    """One without a pool: its line leads to the test, whose end of it ends it."""
    settings = {**WRITTEN, "TOKEN_JWKS": str(some_keys(folder).token_jwks), "STATE_DIR": str(folder)}
    named = {f"SLUICE_ECHO_{name}": value for name, value in {**settings, "LISTEN": "127.0.0.1:0"}.items()}
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'python'}"}
    with line:
        worker = as_worker(1, line.fileno(), PATIENCE_SECONDS)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE), cwd=ROOT, pass_fds=[line.fileno()],
            env={**os.environ, **named, **paths, **environment, **worker},
        )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def asked(address: str, method: str, metadata: Any) -> bytes:
    """An answer over a connection of its own; what did not reach anybody is tried again."""
    while True:
        async with grpc.aio.insecure_channel(address, options=ALONE) as channel:
            call: Any = channel.unary_unary(f"/{NAME}/{method}")
            try:
                answer: bytes = await call(b"hello", metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                return answer


async def test_new_connections_reach_each_worker(lasting: Stand) -> None:
    reached = await lasting.reached()

    assert reached == lasting.pool.workers()
    assert (lasting.folder / "address").read_text() == lasting.pool.address + "\n"
    figures = await lasting.pool.figures()
    assert (figures["sluice_workers"], figures["sluice_workers_configured"]) == (2, 2)


async def test_a_worker_that_is_killed_is_replaced_and_health_says_nothing_of_it(lasting: Stand) -> None:
    pool = lasting.pool
    before = pool.workers()

    async with health_told(lasting.health, NAME) as told:
        os.kill(min(before), signal.SIGKILL)
        replaced = await pool.logged("a worker is replaced")
        answers = await lasting.all_asked("Say")
        await pool.logged("serving", worker=replaced["number"])
        reached = await lasting.reached()

    assert told.get_nowait() == HEALTH.SERVING
    assert told.empty()
    assert answers == [b"hello"] * CHANNELS
    assert reached == pool.workers()
    assert len(pool.workers() - before) == 1


async def test_a_worker_that_hangs_is_replaced(lasting: Stand) -> None:
    pool = lasting.pool
    hanging = min(pool.workers())
    before = await pool.figures()

    os.kill(hanging, signal.SIGSTOP)
    killed = await pool.logged("a worker hangs and is killed")
    await pool.logged("serving", worker=killed["number"])
    reached = await lasting.reached()

    after = await pool.figures()
    grown = {reason: after[key] - before[key] for reason, key in REPLACED.items()}
    assert grown == {"ended": 0, "hangs": 1, "withdrew": 0}
    assert killed["pid"] == hanging
    assert reached == pool.workers()
    assert hanging not in pool.workers()


async def test_a_worker_that_will_serve_no_more_is_drained_and_replaced(lasting: Stand) -> None:
    pool = lasting.pool
    before = pool.workers()

    await asked(pool.address, "Fail", lasting.metadata)
    replaced = await pool.logged("a worker is replaced")
    await pool.logged("serving", worker=replaced["number"])
    reached = await lasting.reached()

    assert replaced["why"] == f"WORKER_FAILED: worker {replaced['number']} ended with exit code 0"
    assert reached == pool.workers()
    assert len(pool.workers() - before) == 1


async def test_a_worker_whose_beats_fail_says_so_and_is_replaced(lasting: Stand) -> None:
    pool = lasting.pool

    await asked(pool.address, "Refuse", lasting.metadata)
    replaced = await pool.logged("a worker is replaced")
    [failed] = [entry for entry in pool.passed if entry["event"] == "a background task ended"]
    await pool.logged("serving", worker=replaced["number"])

    assert (failed["task"], failed["why"]) == ("beats", "LookupError('lost the line')")
    assert failed["worker"] == replaced["number"]


async def test_figures_add_up_over_workers_that_live_and_that_are_dead(lasting: Stand) -> None:
    pool = lasting.pool
    first = await pool.figures()
    await lasting.all_asked("Say")
    second = await pool.figures()

    for pid in pool.workers():
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
    await lasting.all_asked("Say")
    third = await pool.figures()

    assert second[SAID] - first.get(SAID, 0) == CHANNELS
    assert third[SAID] - second[SAID] == CHANNELS
    assert third["sluice_rpc_in_flight"] == 0
    assert third["process_cpu_seconds_total"] > second["process_cpu_seconds_total"]


async def test_a_second_pool_on_its_port_is_refused(lasting: Stand, tmp_path: Path) -> None:
    address = lasting.pool.address

    async with a_starting_pool(MODULE, "echo", tmp_path, {**WRITTEN, "LISTEN": address}) as second:
        status = await second.ended()

    assert status == 1
    assert second.lines == [f"ADDRESS_IN_USE: cannot listen on {address}: it is in use or not ours"]


async def test_sigterm_drains_all_workers_and_no_call_fails(tmp_path: Path) -> None:
    over = asyncio.Event()
    answered = [0] * CALLERS

    async def call_on(stand: Stand, number: int) -> None:
        async with grpc.aio.insecure_channel(stand.pool.address, options=ALONE) as channel:
            say: Any = channel.unary_unary(f"/{NAME}/Say")
            wait: Any = channel.unary_unary(f"/{NAME}/Wait")
            while not over.is_set():
                assert await say(b"hello", metadata=stand.metadata) == b"hello"
                answered[number] += 1
            # Begun after health has said so, and within the grace.
            assert await wait(b"slowly", metadata=stand.metadata) == b"slowly"

    async with a_stand(tmp_path, drain_grace="3") as stand:
        async with health_told(stand.health, NAME) as told:
            callers = asyncio.gather(*(call_on(stand, number) for number in range(CALLERS)))
            first = await told.get()
            await stand.all_asked("Say")
            stand.pool.signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE_SECONDS):
                second = await told.get()
            over.set()
            await callers
        status = await stand.pool.ended()
        files = sorted((tmp_path / "state" / "traces").iterdir())

    assert status == 0
    assert (first, second) == (HEALTH.SERVING, HEALTH.NOT_SERVING)
    assert min(answered) > 0
    assert [file.name for file in files] == ["echo.worker-1.jsonl", "echo.worker-2.jsonl"]
    assert all(f"{NAME}/Say" in file.read_text() for file in files)
    assert not list((tmp_path / "state").glob("figures-*"))


async def test_workers_end_when_their_pool_is_killed(tmp_path: Path) -> None:
    async with a_stand(tmp_path) as stand:
        workers = stand.pool.workers()

        stand.pool.signal(signal.SIGKILL)
        for pid in workers:
            await gone(pid)

        with kept_port(stand.pool.address) as free, figures_folder(tmp_path / "state") as folder:
            assert free == stand.pool.address
            assert list((tmp_path / "state").glob("figures-*")) == [folder]


async def test_a_worker_beats_while_what_it_loads_keeps_its_event_loop(tmp_path: Path) -> None:
    gate, (ours, theirs) = tmp_path / "gate", socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.mkfifo(gate)
    ours.setblocking(False)
    loop = asyncio.get_running_loop()

    async def heard() -> Beat:
        return Beat.read(await loop.sock_recv(ours, LONGEST_BEAT_BYTES))

    loading = {"ECHO_FAULT": "load", "ECHO_GATE": str(gate)}
    async with a_worker(tmp_path, theirs, loading), asyncio.timeout(PATIENCE_SECONDS):
        with await asyncio.to_thread(gate.open, "w"):
            with contextlib.suppress(BlockingIOError):
                while ours.recv(LONGEST_BEAT_BYTES):
                    continue
            first = [await heard() for _ in range(2)]
        while (beat := await heard()).starting:
            continue
    ours.close()

    assert first == [Beat(starting=True)] * 2
    assert beat == Beat(frozenset({"", NAME}))


async def test_a_pool_that_is_stopped_as_it_starts_announces_nothing(tmp_path: Path) -> None:
    announced = tmp_path / "address"
    settings = {**WRITTEN, "ANNOUNCE_PATH": str(announced)}

    async with a_starting_pool(MODULE, "echo", tmp_path, settings) as pool:
        await pool.logged("serving metrics")
        pool.signal(signal.SIGTERM)
        status = await pool.ended()

    assert status == 0
    assert pool.lines == []
    assert not announced.exists()


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
    settings = ServiceSettings.model_validate(
        {"database_url": f"sqlite:///{tmp_path}/words.db", "token_jwks": "unused", "workers": 2}
    )

    with pytest.raises(Refusal, match="a SQLite file has one process") as refused:
        needs_pool(settings)

    assert refused.value.reason == "WORKERS_NEED_POSTGRESQL"
