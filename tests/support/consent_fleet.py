"""Replicas of consent as processes over one database, to be stopped, killed and started again."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc

from services.chassis.identity import PrincipalKind
from tests.support.keys import a_minter, some_keys

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
REAL, STALE = "services.consent", "tests.support.stale_consent"


class ConsentReplica:
    """One process at an address that stays."""

    def __init__(self, program: str, url: str, folder: Path, number: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._program = program
        settings = {
            "DATABASE_URL": url,
            "STATE_DIR": str(folder / f"replica-{number}"),
            "TOKEN_JWKS": str(some_keys(folder).token_jwks),
            "LISTEN": self.address,
            "TRACE_RATIO": "0",
            "DRAIN_GRACE": "0",
        }
        ours = {f"SLUICE_CONSENT_{name}": value for name, value in settings.items()}
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
                assert line, "consent did not start:\n" + b"".join(told).decode()
                told.append(line)
        self._listening = asyncio.create_task(_forget(stderr))

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

    def __init__(self, addresses: Sequence[str], folder: Path, *, seconds: float) -> None:
        """`seconds` is how long an answer is waited for."""
        self._seconds = seconds
        # What is not there is tried again at once: a replica that comes back is to be asked at once.
        options = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.initial_reconnect_backoff_ms", 50)]
        self._channels = [grpc.aio.insecure_channel(address, options=options) for address in addresses]
        self._minter = a_minter(some_keys(folder))

    async def call(self, number: int, method: str, kind: PrincipalKind, request: Any, answer: Any) -> Any:
        """One call of one replica; the message, or None where there was no answer in time."""
        token = self._minter.mint(kind, "fire", ["admin"])
        call = self._channels[number].unary_unary(
            f"/sluice.consent.v1.ConsentService/{method}",
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
async def consent_replicas(
    program: str, url: str, folder: Path, count: int
) -> AsyncIterator[list[ConsentReplica]]:
    """Replicas that serve; killed on leaving."""
    replicas = [ConsentReplica(program, url, folder, number) for number in range(count)]
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        yield replicas
    finally:
        for replica in replicas:
            with contextlib.suppress(ProcessLookupError):
                await replica.kill()
