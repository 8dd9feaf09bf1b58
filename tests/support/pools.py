"""A pool of workers as a process, to be stopped, killed and asked what its workers are."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.keys import some_keys

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
ALONE = [("grpc.use_local_subchannel_pool", 1)]
"""Has each channel make a connection of its own."""


class PoolProcess:
    """A running pool, from its start on."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._entries: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.lines: list[str] = []
        """What was said otherwise than as a log."""
        self.passed: list[dict[str, Any]] = []
        """The entries of the log that were read as far as the last one that was asked for."""
        self._listening = asyncio.create_task(self._listen())
        self.address = self.health = self.metrics = ""

    @classmethod
    async def start(
        cls, module: str, service: str, folder: Path, settings: Mapping[str, str]
    ) -> "PoolProcess":
        """Returns as soon as it runs; keys are those in `folder`."""
        ours = {
            "TOKEN_JWKS": str(some_keys(folder).token_jwks),
            "STATE_DIR": str(folder / "state"),
            "LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "127.0.0.1:0",
            "DRAIN_GRACE": "0",
            "WORKERS": "2",
            **settings,
        }
        named = {f"SLUICE_{service.upper()}_{name}": value for name, value in ours.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, cwd=ROOT, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **named, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'python'}"},
        )  # fmt: skip
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id of the pool itself."""
        return self._process.pid

    async def serves(self) -> None:
        """Returns when all workers serve."""
        self.metrics = (await self.logged("serving metrics"))["address"]
        self.address = (await self.logged("serving"))["address"]

    async def logged(self, event: str, *, worker: int | None = None) -> dict[str, Any]:
        """The next entry with this event, of the pool itself or of one worker."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (entry := await self._entries.get()) is not None:
                self.passed.append(entry)
                if entry["event"] == event and entry.get("worker") == worker:
                    return entry
        raise AssertionError(f"the pool ended without logging {event!r}:\n" + "\n".join(self.lines))

    def workers(self) -> set[int]:
        """The process ids of its workers."""
        pid = self.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the pool itself."""
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Its exit status, as soon as it has one and all is read that it said."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._listening
            return await self._process.wait()

    async def kill(self) -> None:
        """Ends it as a power cut would, its workers too."""
        if self._process.returncode is None:
            workers = self.workers()
            self._process.kill()
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await self.ended()

    async def figures(self) -> dict[str, float]:
        """The figures of the pool, by name and labels."""
        return await asyncio.to_thread(_figures, f"http://{self.metrics}/metrics")

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            if line.startswith(b"{"):
                self._entries.put_nowait(json.loads(line))
            else:
                self.lines.append(line.decode().rstrip())
        self._entries.put_nowait(None)


@contextlib.asynccontextmanager
async def a_pool(
    module: str, service: str, folder: Path, settings: Mapping[str, str]
) -> AsyncIterator[PoolProcess]:
    """A pool that serves; killed on leaving."""
    async with a_starting_pool(module, service, folder, settings) as pool:
        await pool.serves()
        yield pool


@contextlib.asynccontextmanager
async def a_starting_pool(
    module: str, service: str, folder: Path, settings: Mapping[str, str]
) -> AsyncIterator[PoolProcess]:
    """A pool that may not serve yet; killed on leaving."""
    pool = await PoolProcess.start(module, service, folder, settings)
    try:
        yield pool
    finally:
        await pool.kill()


async def gone(pid: int) -> None:
    """Returns when there is no such process any more."""
    try:
        death = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(death, over.set)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await over.wait()
    finally:
        asyncio.get_running_loop().remove_reader(death)
        os.close(death)


@contextlib.asynccontextmanager
async def health_told(address: str, service: str) -> AsyncIterator[asyncio.Queue[int]]:
    """What health at `address` says of a service, change by change; what it is at first has been told."""
    told: asyncio.Queue[int] = asyncio.Queue()
    async with grpc.aio.insecure_channel(address, options=ALONE) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))
        told.put_nowait((await watch.read()).status)

        async def listen() -> None:
            while (answer := await watch.read()) is not grpc.aio.EOF:
                told.put_nowait(answer.status)

        listening = asyncio.create_task(listen())
        try:
            yield told
        finally:
            listening.cancel()
            # Whoever ended with the stream had told all that there was.
            with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await listening


def _figures(url: str) -> dict[str, float]:
    with urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in pairs}
