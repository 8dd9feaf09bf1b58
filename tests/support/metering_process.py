"""Metering as a process of its own, to be killed."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from tests.support.keys import a_minter, some_keys

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_US = 20_000_000


class MeteringProcess:
    """A running `python -m services.metering`; its database is in its folder unless said."""

    def __init__(self, process: asyncio.subprocess.Process, address: str, folder: Path) -> None:
        minter = a_minter(some_keys(folder))
        self._process = process
        self._listening = asyncio.create_task(_forget(process))
        self.peer = Peer(
            address,
            lambda: minter.mint(PrincipalKind.SERVICE, "licensing"),
            name="metering",
            default_deadline_us=DEADLINE_US,
        )
        self.auditor = Peer(
            address,
            lambda: minter.mint(PrincipalKind.AUDITOR, "audrey"),
            name="metering",
            default_deadline_us=DEADLINE_US,
        )
        self.gateway = Peer(
            address,
            lambda: minter.mint(PrincipalKind.SERVICE, "gateway"),
            name="metering",
            default_deadline_us=DEADLINE_US,
        )

    @classmethod
    async def start(
        cls, folder: Path, url: str | None = None, replica: int = 0, **settings: str
    ) -> "MeteringProcess":
        """Returns when it serves. Replicas share a folder and a database; `settings` are its own besides."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.metering",
            cwd=ROOT, env=_environment(folder, url, replica, settings), stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return cls(process, await _address(process), folder)

    async def kill(self) -> None:
        """Ends it as a power cut would, if it still runs, and waits until it is gone."""
        if self._process.returncode is None:
            self._process.kill()
        await self._gone()

    async def stop(self) -> int:
        """Ends it as an operator would; its exit status."""
        self._process.terminate()
        return await self._gone()

    async def _gone(self) -> int:
        status = await self._process.wait()
        await self._listening
        return status

    async def hang_up(self) -> None:
        """Closes the connection to it; no call may be under way."""
        await self.peer.close()
        await self.auditor.close()
        await self.gateway.close()


def _environment(folder: Path, url: str | None, replica: int, chosen: Mapping[str, str]) -> dict[str, str]:
    settings = {
        "DATABASE_URL": url or f"sqlite:///{folder}/metering.db",
        "STATE_DIR": str(folder / f"replica-{replica}"),
        "HEAD_DIR": str(folder / "heads"),
        "TOKEN_JWKS": str(some_keys(folder).token_jwks),
        "LISTEN": "127.0.0.1:0",
        "DRAIN_GRACE": "0",
        # One caller plays all that there are.
        "MAX_STREAMS_EACH": "256",
        **chosen,
    }
    ours = {f"SLUICE_METERING_{name}": value for name, value in settings.items()}
    return {**os.environ, **ours, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'python'}"}


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    told: list[str] = []
    async for line in process.stderr:
        told.append(line.decode())
        if line.startswith(b"{") and (address := json.loads(line).get("address")):
            return str(address)
    raise AssertionError("metering did not start:\n" + "".join(told))


async def _forget(process: asyncio.subprocess.Process) -> None:
    """Reads what it logs, so that it never waits for a reader."""
    assert process.stderr is not None
    while await process.stderr.read(65_536):
        pass


@contextlib.asynccontextmanager
async def metering_in(
    folder: Path, url: str | None = None, replica: int = 0, **settings: str
) -> AsyncIterator[MeteringProcess]:
    """Metering on a database, that in `folder` unless said; killed at the end."""
    process = await MeteringProcess.start(folder, url, replica, **settings)
    try:
        yield process
    finally:
        await process.hang_up()
        await process.kill()
