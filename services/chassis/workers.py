"""What a worker process knows of the pool that started it, and tells it.

A worker beats: from a thread until it serves, for what it loads may keep its event loop, and from then on for
as long as that turns. It ends when its pool does, however that ended: it would keep the port from the next
one, and take a part of its calls.
"""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.chassis.metrics import show_now
from services.chassis.refusals import Kind, Refusal

VARIABLE = "SLUICE_WORKER"
BEAT_SECONDS = 0.5
"""Between two beats; a change of health is told at once."""
LONGEST_BEAT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Beat:
    """What a worker says of itself."""

    serving: frozenset[str] = frozenset()
    """The names that its health calls SERVING; the process as a whole is ""."""
    refusal: Refusal | None = None
    """Why it ends, where that has a word."""
    starting: bool = False
    """Whether it is the word of a worker that does not serve yet: that it lives, and nothing else."""

    def written(self) -> bytes:
        """As it goes over the line."""
        refusal = self.refusal and (self.refusal.kind.value, self.refusal.reason, self.refusal.message)
        told = {"serving": sorted(self.serving), "refusal": refusal, "starting": self.starting}
        return json.dumps(told).encode()

    @classmethod
    def read(cls, message: bytes) -> "Beat":
        """The same at the other end."""
        told = json.loads(message)
        refusal = told["refusal"] and Refusal(Kind(told["refusal"][0]), *told["refusal"][1:])
        return cls(frozenset(told["serving"]), refusal, told["starting"])


class Worker:
    """This process as a worker."""

    def __init__(self, number: int, line: socket.socket, patience_seconds: float) -> None:
        """`number` counts from 1; `line` leads to the pool, which waits so long for a worker to drain."""
        self.number = number
        self._line = line
        self._patience_seconds = patience_seconds
        self._started = threading.Event()

    def hold(self) -> None:
        """From now on this process drains when the pool is gone, or is killed when it does not; and beats."""
        threading.Thread(target=self._outlive_nobody, name="pool-line", daemon=True).start()
        threading.Thread(target=self._start, name="pool-beats", daemon=True).start()

    def tell(self, beat: Beat) -> None:
        """Says it at once, or not at all: a pool that reads nothing now will hear the next one."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            self._line.send(beat.written(), socket.MSG_DONTWAIT)

    async def beat(self, serving: Callable[[], Iterable[str]], changed: asyncio.Event) -> None:
        """Tells what is `serving`, at intervals and when it has `changed`, until it is cancelled."""
        self._started.set()
        while True:
            changed.clear()
            show_now()
            self.tell(Beat(frozenset(serving())))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await changed.wait()

    def _start(self) -> None:
        while not self._started.is_set():
            self.tell(Beat(starting=True))
            self._started.wait(BEAT_SECONDS)

    def _outlive_nobody(self) -> None:
        # A thread of its own, which an event loop that is stuck does not keep; nothing is ever sent this way.
        with contextlib.suppress(ConnectionResetError):
            self._line.recv(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self._patience_seconds)
        os.kill(os.getpid(), signal.SIGKILL)


@functools.cache
def this_worker() -> Worker | None:
    """This process, where a pool has started it as a worker."""
    told = os.environ.get(VARIABLE)
    if told is None:
        return None
    number, descriptor, patience_seconds = told.split(":")
    line = socket.socket(fileno=int(descriptor))
    line.set_inheritable(False)
    return Worker(int(number), line, float(patience_seconds))


def as_worker(number: int, descriptor: int, patience_seconds: float) -> dict[str, str]:
    """What makes a process a worker: an addition to its environment."""
    return {VARIABLE: f"{number}:{descriptor}:{patience_seconds:g}"}
