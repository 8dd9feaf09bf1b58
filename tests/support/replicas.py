"""Replicas of a service as processes, to be stopped, killed and started again, and connections to them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc

from services.chassis.identity import PrincipalKind
from tests.support.keys import a_minter, some_keys
from tests.support.ports import HOST, a_free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 180
"""Six processes that start at once on a busy machine take a minute."""


class Replica:
    """One process at an address that stays."""

    def __init__(self, program: str, service: str, folder: Path, settings: Mapping[str, str]) -> None:
        """`program` is a module that runs as `service`; keys are those in `folder`."""
        self.address = f"{HOST}:{a_free_port()}"
        self._program = program
        self.settings = dict(settings)
        common = {
            "TOKEN_JWKS": str(some_keys(folder).token_jwks),
            "LISTEN": self.address,
            "TRACE_RATIO": "0",
            "DRAIN_GRACE": "0",
        }
        ours = {f"SLUICE_{service.upper()}_{name}": value for name, value in {**common, **settings}.items()}
        self._environment = {**os.environ, **ours, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'python'}"}
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when it serves."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._program,
            cwd=ROOT, env=self._environment, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        stderr = self._process.stderr
        assert stderr is not None
        told: list[bytes] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b'"serving"' not in (line := await stderr.readline()):
                assert line, f"{self._program} did not start:\n" + b"".join(told).decode()
                told.append(line)
        self._listening = asyncio.create_task(_forget(stderr))

    async def run(self, *arguments: str) -> tuple[int, str]:
        """The program in another mode: its exit status; and all it says, or how it says that it cannot."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._program, *arguments,
            cwd=ROOT, env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await process.communicate()
        status = await process.wait()
        return status, out.decode() if status == 0 else err.decode().strip().splitlines()[-1]

    async def stop(self) -> int:
        """Ends it as an operator would; its exit status."""
        assert self._process is not None
        self._process.terminate()
        status = await self._process.wait()
        await self.kill()
        return status

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.returncode

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        """Ends it as a power cut would, stopped or not, and returns when it is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._listening is not None:
            await self._listening


class Lines:
    """Connections to all replicas, under the tokens of one caller."""

    def __init__(self, addresses: Sequence[str], service: str, folder: Path, *, seconds: float) -> None:
        """`service` as the contracts name it; `seconds` is how long an answer is waited for."""
        self._seconds = seconds
        self._service = service
        # What is not there is tried again at once: a replica that comes back is to be asked at once.
        options = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.initial_reconnect_backoff_ms", 50)]
        self._channels = [grpc.aio.insecure_channel(address, options=options) for address in addresses]
        self._minter = a_minter(some_keys(folder))

    async def call(self, number: int, method: str, kind: PrincipalKind, request: Any, answer: Any) -> Any:
        """One call of one replica; the message, or None where there was no answer in time."""
        token = self._minter.mint(kind, "licensing" if kind is PrincipalKind.SERVICE else "fire", ["admin"])
        call = self._channels[number].unary_unary(
            f"/{self._service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return await call(
                request, timeout=self._seconds, metadata=(("authorization", f"Bearer {token}"),)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                return None
            raise

    async def close(self) -> None:
        """Closes them."""
        for channel in self._channels:
            await channel.close()


async def _forget(stderr: asyncio.StreamReader) -> None:
    """Reads what it logs, so that it never waits for a reader."""
    while await stderr.read(65_536):
        pass


@contextlib.asynccontextmanager
async def running(replicas: Sequence[Replica]) -> AsyncIterator[None]:
    """They serve; killed on leaving."""
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        yield
    finally:
        for replica in replicas:
            with contextlib.suppress(ProcessLookupError):
                await replica.kill()


async def pause(over: asyncio.Event, seconds: float) -> None:
    """Until then, or until it is over."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        return
