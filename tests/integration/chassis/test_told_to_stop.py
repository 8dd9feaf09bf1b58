"""Whoever is told to stop before it serves, or in the middle of a command, ends, also as process 1."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.racing import first
from tests.support.keys import some_keys
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Makes the program that follows process 1, as it is in a container."""


def can_be_first() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


FIRST = pytest.param(
    NAMESPACE,
    id="first",
    marks=pytest.mark.skipif(not can_be_first(), reason="no namespace can be made here"),
)
ANY = pytest.param((), id="any")


class Program:
    """A program that waits for its database, which takes its connection and says nothing."""

    def __init__(
        self, process: asyncio.subprocess.Process, reached: asyncio.Event, *, is_first: bool
    ) -> None:
        self._process = process
        self._reached = reached
        self._is_first = is_first

    async def told(self, number: signal.Signals) -> tuple[int, list[str]]:
        """Its status after the signal, and the lines that it said, once it has reached its database."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await first(self._reached.wait(), self._process.wait())
            assert self._process.returncode is None, "it ended before it reached its database"
            os.kill(await self._pid(), number)
            _, errors = await self._process.communicate()
        return self._process.returncode or 0, errors.decode().splitlines()

    async def _pid(self) -> int:
        started = self._process.pid
        if not self._is_first:
            return started
        children = Path(f"/proc/{started}/task/{started}/children")
        return int(await until(children.read_text, "there is a process 1"))


@contextlib.asynccontextmanager
async def starting(
    folder: Path, prefix: tuple[str, ...], *arguments: str, **settings: str
) -> AsyncIterator[Program]:
    """`python -P -m` and so on, as consent; killed on leaving."""
    reached, writers = asyncio.Event(), list[asyncio.StreamWriter]()

    def on_connection(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        reached.set()

    database = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    port = database.sockets[0].getsockname()[1]
    ours = {
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/none",
        "TOKEN_JWKS": str(some_keys(folder).token_jwks),
        "STATE_DIR": str(folder / "state"),
        "HEAD_DIR": str(folder),
        "LISTEN": "127.0.0.1:0",
        **settings,
    }
    named = {f"SLUICE_CONSENT_{name}": value for name, value in ours.items()}
    process = await asyncio.create_subprocess_exec(
        *prefix, *(sys.executable, "-P", "-m", *arguments), cwd=folder, stderr=PIPE,
        env={**os.environ, **named, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'python'}"},
    )  # fmt: skip
    try:
        yield Program(process, reached, is_first=prefix == NAMESPACE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
        for writer in writers:
            writer.close()
        database.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("prefix", [FIRST, ANY])
async def test_a_service_that_waits_for_its_database_ends_well_and_says_why(
    tmp_path: Path, prefix: tuple[str, ...], number: signal.Signals
) -> None:
    async with starting(tmp_path, prefix, "services.consent") as program:
        status, lines = await program.told(number)

    assert status == 0
    entry = json.loads(lines[-1])
    assert entry["event"] == "told to stop before it served"
    assert (entry["signal"], entry["level"]) == (number.name, "info")


@pytest.mark.parametrize("prefix", [FIRST, ANY])
async def test_a_pool_whose_workers_wait_for_their_database_ends_well(
    tmp_path: Path, prefix: tuple[str, ...]
) -> None:
    # Else the pool itself would wait, which migrates before it has workers.
    settings = {"WORKERS": "2", "MIGRATE_ON_START": "false"}
    async with starting(tmp_path, prefix, "services.consent", **settings) as program:
        status, lines = await program.told(signal.SIGTERM)

    assert status == 0
    assert json.loads(lines[-1])["event"] == "drained"
    assert not list((tmp_path / "state").glob("figures-*"))


@pytest.mark.parametrize("prefix", [FIRST])
async def test_a_job_that_waits_for_its_database_ends_as_one_that_has_not_done_it(
    tmp_path: Path, prefix: tuple[str, ...]
) -> None:
    migrating = ("services.console", "migrate", "consent", "--state", str(tmp_path / "state"))

    async with starting(tmp_path, prefix, *migrating) as program:
        status, _ = await program.told(signal.SIGTERM)

    assert status == 128 + signal.SIGTERM


@pytest.mark.parametrize("prefix", [FIRST, ANY])
async def test_an_acceptance_that_waits_for_its_database_ends_as_one_that_has_not_done_it(
    tmp_path: Path, prefix: tuple[str, ...]
) -> None:
    accepting = ("services.consent", "--accept-restore", "--reason=the disk broke", "--by=an operator")

    async with starting(tmp_path, prefix, *accepting) as program:
        status, _ = await program.told(signal.SIGTERM)

    assert status == 128 + signal.SIGTERM
