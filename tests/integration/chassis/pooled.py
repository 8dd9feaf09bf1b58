"""The echo service as a pool of workers, with times so short that tests can wait; run with -m.

Who answers with the process id, Wait after a moment; Fail has health say NOT_SERVING, Refuse has the beats of
a worker fail. `ECHO_FAULT` says what a worker does at its start.
"""

if __name__ == "__main__":
    from services.chassis.stopping import end_when_told

    end_when_told(serves=True)

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from pydantic_settings import SettingsConfigDict

from services.chassis.clock import SystemClock
from services.chassis.issuers import verifier_of
from services.chassis.pool import needs_pool, serve_pool
from services.chassis.refusals import precondition
from services.chassis.serving import run, serve
from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import start_telemetry
from services.chassis.worker_processes import Patience
from services.chassis.workers import Beat, this_worker
from tests.integration.chassis.echo import ADMISSIONS, Echo

MODULE = "tests.integration.chassis.pooled"
MOMENT_SECONDS = 0.5
QUICKLY = Patience(drain=15, hung=2, backoff=0.05, longest_backoff=0.1)


class PooledSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SLUICE_ECHO_")


class PooledEcho(Echo):
    """Tells processes apart."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = asyncio.Event()

    async def who(self, _request: bytes, _context: Any) -> bytes:
        return str(os.getpid()).encode()

    async def fail(self, request: bytes, _context: Any) -> bytes:
        self.failed.set()
        return request

    async def refuse(self, request: bytes, _context: Any) -> bytes:
        worker = this_worker()
        assert worker is not None
        worker.tell = _lost  # type: ignore[method-assign]
        return request

    async def wait(self, request: bytes, _context: Any) -> bytes:
        await asyncio.sleep(MOMENT_SECONDS)
        return request


def _pass(gate: Path) -> None:
    """Nothing turns the event loop until the test closes its end of the pipe."""
    gate.read_text()


def _lost(beat: Beat) -> None:
    del beat
    raise LookupError("lost the line")


async def main() -> None:
    settings = PooledSettings.from_environment()
    if needs_pool(settings):
        await serve_pool(MODULE, settings, QUICKLY)
        return
    telemetry = start_telemetry("echo", settings)
    match os.environ.get("ECHO_FAULT"):
        case "refuse":
            raise precondition("ECHO_BROKEN", "there is no echo here")
        case "end":
            sys.exit(7)
        case "load":
            _pass(Path(os.environ["ECHO_GATE"]))
    echo = PooledEcho()
    await serve(
        settings=settings,
        bolts=[echo.bolt()],
        admissions=ADMISSIONS,
        verifier=verifier_of(settings, SystemClock()),
        actions=None,
        telemetry=telemetry,
        failed=echo.failed,
    )


if __name__ == "__main__":
    run(main())
