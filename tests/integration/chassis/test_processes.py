"""Whole processes: drained, killed, locked out, and ended by a disk that loses writes."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from tests.integration.chassis.echo import NAME
from tests.integration.chassis.program import SCHEMA
from tests.support.keys import a_minter, some_keys

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 20
HEALTH = health_pb2.HealthCheckResponse


@contextlib.asynccontextmanager
async def program(mode: str, folder: Path, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.chassis.program", mode, str(folder), *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/protos/python"},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_of(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    return (await asyncio.wait_for(stream.readline(), PATIENCE_SECONDS)).decode().strip()


async def logged(process: Process, event: str) -> dict[str, Any]:
    while line := await line_of(process.stderr):
        if line.startswith("{") and json.loads(line)["event"] == event:
            entry: dict[str, Any] = json.loads(line)
            return entry
    raise AssertionError(f"the process ended without logging {event!r}")


async def test_sigterm_drains_and_loses_no_call(tmp_path: Path) -> None:
    minter = a_minter(some_keys(tmp_path))
    async with program("serve", tmp_path, "127.0.0.1:0") as process:
        address = (await logged(process, "serving"))["address"]
        announced = (tmp_path / "address").read_text()
        peer = Peer(address, lambda: minter.mint(PrincipalKind.PIPELINE, "export-1"), name="echo")
        wait: Any = peer.channel.unary_unary(f"/{NAME}/Wait")
        call = asyncio.create_task(peer.call(wait, b"hello", at_most_us=20_000_000))
        entered = await line_of(process.stdout)
        async with grpc.aio.insecure_channel(address) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME))
            before = await watch.read()
            process.send_signal(signal.SIGTERM)
            after = await watch.read()
            watch.cancel()
        await logged(process, "draining")

        assert process.stdin is not None
        process.stdin.write(b"go on\n")
        answer = await asyncio.wait_for(call, PATIENCE_SECONDS)
        last_words = [await line_of(process.stdout), await line_of(process.stdout)]
        status = await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        await peer.close()

    assert announced == address + "\n"
    assert entered == "entered"
    assert (before.status, after.status) == (HEALTH.SERVING, HEALTH.NOT_SERVING)
    assert answer == b"hello"
    assert last_words == ["steady was ended", "closed"]
    assert status == 0
    assert f"{NAME}/Wait" in (tmp_path / "traces" / "echo.jsonl").read_text()


async def test_a_port_in_use_ends_the_start_with_one_clear_line(tmp_path: Path) -> None:
    async with program("serve", tmp_path, "127.0.0.1:0") as first:
        address = (await logged(first, "serving"))["address"]
        async with program("serve", tmp_path / "second", address) as second:
            output, errors = await asyncio.wait_for(second.communicate(), PATIENCE_SECONDS)

    assert second.returncode == 1
    assert errors.decode().splitlines()[-1].startswith(f"ADDRESS_IN_USE: cannot listen on {address}")
    assert b"Traceback" not in errors
    assert output == b"closed\n"


async def test_a_background_task_that_gives_up_ends_the_process(tmp_path: Path) -> None:
    async with program("faint", tmp_path, "127.0.0.1:0") as process:
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)

    assert process.returncode == 1
    assert b"the background task faint ended" in errors
    assert output == b"closed\n"


async def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    async with program("write", tmp_path) as process:
        acknowledged = [await line_of(process.stdout) for _ in range(500)]
        process.kill()
        await process.wait()

    database = opened(tmp_path)
    stored = await database.read(lambda c: set(c.execute(text("select word from words")).scalars()))
    integrity = await database.read(lambda c: c.exec_driver_sql("PRAGMA integrity_check").scalar())
    await database.close()

    assert set(acknowledged) <= stored
    assert integrity == "ok"


async def test_a_second_process_is_told_who_owns_the_file(tmp_path: Path) -> None:
    async with program("own", tmp_path) as owner:
        assert await line_of(owner.stdout) == "open"

        with pytest.raises(Refusal, match="DATABASE_IN_USE") as refused:
            opened(tmp_path)
        owner.kill()
        await owner.wait()
    await opened(tmp_path).close()

    assert refused.value.message == f"words.db is in use by process {owner.pid}"


async def test_a_failing_fsync_ends_the_process(tmp_path: Path) -> None:
    async with program("lose", tmp_path) as process:
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)

    assert process.returncode == os.EX_IOERR
    assert "the database cannot be trusted any more, the process ends" in errors.decode()
    assert output == b""


def opened(folder: Path) -> Database:
    return Database.open(f"sqlite:///{folder}/words.db", schema_dir=SCHEMA, name="words")
