"""`sluice up` as a process of its own, on free ports and with short drains."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.console.installation import PROGRAMS
from tests.support.ports import a_free_port
from tests.support.waiting import PATIENCE_SECONDS, until

QUICK = [
    text
    for service in ("consent", "metering", "licensing")
    for text in ("--set", f"{service}.drain_grace=0", "--set", f"{service}.drain_seconds=1")
]


PORTS = (*PROGRAMS, "gateway", "settings-page", "console")


def _ports() -> list[str]:
    # A program that dies is started again at its port.
    return [f"--{name}-port={a_free_port()}" for name in PORTS]


class Up:
    """A running `sluice up --json`."""

    def __init__(self, state: Path, *arguments: str) -> None:
        """Starts it; what it says goes to files beside the state folder."""
        self.state = state
        self._out, self._err = (state.with_name(f"{state.name}.{name}") for name in ("out", "err"))
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "services.console", "up", "--json"),
                    *("--state", str(state), *_ports(), *QUICK, *arguments),
                ],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def services(self) -> dict[str, Any]:
        """Address and pid of each service, once it has said so."""
        self._wait_until(lambda: self._out.read_text().endswith("}\n"), "it says where the services are")
        services: dict[str, Any] = json.loads(self._out.read_text())
        return services

    def pids(self) -> dict[str, int]:
        """Process id of each service as it was started at first."""
        return {name: service["pid"] for name, service in self.services().items()}

    def says(self, text: str) -> str:
        """The first line it has said on stderr with `text` in it."""
        self._wait_until(lambda: text in self._err.read_text(), f"it says {text!r}")
        return next(line for line in self._err.read_text().splitlines() if text in line)

    def last_said(self, text: str) -> str | None:
        """The last line it has said on stderr with `text` in it; None where there is none."""
        return next((line for line in reversed(self._err.read_text().splitlines()) if text in line), None)

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def ending(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def _wait_until(self, look: Any, awaited: str) -> None:
        asyncio.run(until(lambda: look() or self.process.poll() is not None, awaited))
        assert look(), f"it ended before {awaited}: {self._err.read_text()}"


@contextlib.contextmanager
def up(state: Path, *arguments: str) -> Iterator[Up]:
    """An installation that is ready; gone at the end."""
    running = Up(state, *arguments)
    try:
        running.services()
        yield running
    finally:
        if running.process.poll() is None:
            running.send(signal.SIGTERM)
            running.ending()


def runs(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
