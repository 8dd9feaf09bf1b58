"""What a pool takes for a sign of life: any beat until a worker serves, and then those of its loop."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from services.chassis import worker_processes
from services.chassis.worker_processes import Patience, WorkerProcess
from services.chassis.workers import Beat
from tests.support.waiting import PATIENCE_SECONDS

STARTING = Beat(starting=True)
SERVING = Beat(frozenset({""}))
LOOK_SECONDS = 0.01
LOOKS = 20
"""That a pool of these tests takes for a hang, whether the worker starts or serves."""


class Line:
    """The worker's end of its line."""

    def __init__(self, theirs: socket.socket, process: WorkerProcess) -> None:
        self._theirs = theirs
        self.process = process

    async def say(self, beat: Beat, until: asyncio.Future[str], times: int = 5 * LOOKS) -> None:
        """Says it so often, at the pace of the pool's looks, or until the future is done."""
        for _ in range(times):
            if until.done():
                return
            self._theirs.send(beat.written())
            await asyncio.sleep(LOOK_SECONDS)


def an_idle_program() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])


@pytest.fixture
async def line(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    monkeypatch.setattr(worker_processes, "BEAT_SECONDS", LOOK_SECONDS)
    patience = Patience(drain=PATIENCE_SECONDS, start=LOOKS * LOOK_SECONDS, hung=LOOKS * LOOK_SECONDS)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs:
        process = WorkerProcess(an_idle_program(), 1, ours, patience, lambda: None)
        yield Line(theirs, process)
        await process.end(hangs=True)


async def test_a_start_takes_as_long_as_it_takes_while_the_worker_beats(line: Line) -> None:
    failing = asyncio.ensure_future(line.process.failed())

    await line.say(STARTING, failing)

    assert not failing.done()
    assert line.process.serving == frozenset()
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await failing == "hangs"


async def test_once_a_worker_serves_only_the_beats_of_its_event_loop_count(line: Line) -> None:
    failing = asyncio.ensure_future(line.process.failed())
    await line.say(SERVING, failing)
    assert not failing.done()

    await line.say(STARTING, failing)

    assert line.process.serving == {""}
    assert failing.done()
    assert failing.result() == "hangs"


async def test_a_beat_comes_out_as_it_went_in() -> None:
    assert [Beat.read(beat.written()) for beat in (STARTING, SERVING)] == [STARTING, SERVING]
