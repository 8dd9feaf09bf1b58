"""The command line `sluice` as people run it: a process of its own, which can be killed at any moment."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Ending:
    """How a command ended, and what it said."""

    status: int
    """Exit code; the negative number of the signal that ended it."""
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """What it said with --json."""
        return json.loads(self.out)


class Command:
    """One command under way."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._reading = asyncio.create_task(process.communicate())

    @classmethod
    async def start(cls, state: Path, *arguments: str, out: int = PIPE) -> Self:
        """Runs `sluice` with `arguments` on the local installation in `state`; `out` is a file descriptor."""
        imports = os.pathsep.join(path for path in sys.path if path)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.console", *arguments),
            env={**os.environ, "PYTHONPATH": imports, "SLUICE_STATE": str(state)},
            stdin=DEVNULL,
            stdout=out,
            stderr=PIPE,
            start_new_session=True,
        )
        return cls(process)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.returncode is not None

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if the process is still there."""
        if not self.has_ended:
            self._process.send_signal(number)

    async def ending(self) -> Ending:
        """Waits for its end."""
        out, err = await asyncio.wait_for(asyncio.shield(self._reading), PATIENCE_SECONDS)
        assert self._process.returncode is not None
        return Ending(self._process.returncode, (out or b"").decode(), err.decode())

    async def killed(self) -> Ending:
        """Ends it as a crash would."""
        self.send(signal.SIGKILL)
        return await self.ending()


async def sluice(state: Path, *arguments: str) -> Ending:
    """Runs a command to its end."""
    command = await Command.start(state, *arguments)
    try:
        return await command.ending()
    finally:
        command.send(signal.SIGKILL)
