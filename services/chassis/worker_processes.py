"""One worker process, as the pool that started it sees it: what it says of itself, and how it ends.

It serves what its last beat says that it serves, and nothing once it is gone.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from services.chassis.refusals import Refusal, precondition
from services.chassis.workers import BEAT_SECONDS, LONGEST_BEAT_BYTES, Beat, as_worker

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a pool waits for what; seconds."""

    drain: float
    """From SIGTERM until SIGKILL."""
    start: float = 120.0
    """Without a beat before it serves, which is while it imports. A thread beats while it migrates or loads
    an index, which takes as long as it takes."""
    hung: float = 10.0
    """Without a beat once it serves: longer than any deadline of a caller, so that whoever asked has gone."""
    quick: float = 10.0
    """A worker that has served for less than this has failed quickly."""
    quick_failures: int = 5
    """So many in a row, and a pool of which no worker serves gives up."""
    backoff: float = 0.1
    """Before the next start; doubled with each quick failure."""
    longest_backoff: float = 30.0


@dataclass(frozen=True)
class Launch:
    """How workers are started."""

    module: str
    """Run with -m."""
    environment: Mapping[str, str]
    patience: Patience


class WorkerProcess:
    """A running worker."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        number: int,
        line: socket.socket,
        patience: Patience,
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called whenever it begins or ceases to serve something."""
        self.number = number
        self.serving: frozenset[str] = frozenset()
        self.has_served = asyncio.Event()
        self.served_seconds = 0.0
        """How long it has served, or had, once it has ended."""
        self._process = process
        self._line = line
        self._patience = patience
        self._changed = changed
        self._heard = False
        self._refusal: Refusal | None = None
        self._withdrew = asyncio.Event()
        self._began = 0.0
        self._ended = asyncio.Event()
        self._death = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(self._death, self._end)
        asyncio.get_running_loop().add_reader(line.fileno(), self._hear)

    @classmethod
    def start(cls, launch: Launch, number: int, changed: Callable[[], None]) -> "WorkerProcess":
        """Returns when it runs, long before it serves."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            ours.setblocking(False)
            # Not by the loop, which would fork: gRPC has threads here that would be missing afterwards.
            process = subprocess.Popen(  # noqa: S603 - this program again
                [sys.executable, *(("-P",) if sys.flags.safe_path else ()), "-m", launch.module],
                env={**launch.environment, **as_worker(number, theirs.fileno(), launch.patience.drain)},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # Ctrl-C in a terminal goes to the whole group; draining is the pool's to order.
                start_new_session=True,
            )
        return cls(process, number, ours, launch.patience, changed)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def failed(self) -> str:
        """Returns as soon as it is to be replaced, and says why: it ended, hangs, or serves no more."""
        waits = {
            asyncio.create_task(self._ended.wait()): "ended by itself",
            asyncio.create_task(self._withdrew.wait()): "serves no more",
            asyncio.create_task(self._hung()): "hangs",
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return next(why for task, why in waits.items() if task in done)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def end(self, *, hangs: bool = False) -> Refusal:
        """Drains it, if it does not hang, kills it if it must be, and returns why it has ended."""
        try:
            self._signal(signal.SIGKILL if hangs else signal.SIGTERM)
            async with asyncio.timeout(self._patience.drain):
                await self._ended.wait()
        except TimeoutError:
            _log.error("a worker does not drain and is killed", number=self.number, pid=self.pid)
        finally:
            self._signal(signal.SIGKILL)
            await self._ended.wait()
            self._hang_up()
        message = f"worker {self.number} {_ending(self._process.wait())}"
        return self._refusal or precondition("WORKER_FAILED", message)

    async def _hung(self) -> None:
        # Counted in looks, not by the clock: a pool that was stopped itself has not missed a beat meanwhile.
        silent, patience = 0, self._patience
        while silent * BEAT_SECONDS < (patience.hung if self.has_served.is_set() else patience.start):
            self._heard = False
            await asyncio.sleep(BEAT_SECONDS)
            silent = 0 if self._heard else silent + 1

    def _hear(self) -> None:
        while self._line.fileno() >= 0:
            try:
                message = self._line.recv(LONGEST_BEAT_BYTES)
            except BlockingIOError:
                return
            if not message:
                self._hang_up()
                return
            beat = Beat.read(message)
            self._refusal = beat.refusal or self._refusal
            if not beat.starting:
                self._note(beat.serving)
            # Once it serves, that a thread lives is no sign of its event loop.
            self._heard = self._heard or not (beat.starting and self.has_served.is_set())

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._death)
        os.close(self._death)
        self._process.wait()
        # Its last word may not have been read yet.
        self._hear()
        self._ended.set()

    def _hang_up(self) -> None:
        """It is gone, or about to be: whatever it served it serves no more."""
        if self._line.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._line.fileno())
            self._line.close()
        self._note(frozenset())

    def _note(self, serving: frozenset[str]) -> None:
        if serving == self.serving:
            return
        now = asyncio.get_running_loop().time()
        if not self.serving:
            self.has_served.set()
            self._began = now
        if not serving:
            self._withdrew.set()
            self.served_seconds = now - self._began
        self.serving = serving
        self._changed()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def _ending(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit code {status}"


def environment_of(prefix: str, own: Mapping[str, str], without: tuple[str, ...]) -> dict[str, str]:
    """This process's environment with settings of `prefix` changed: `own` said, those `without` not."""
    gone = {f"{prefix}{name}".upper() for name in (*own, *without)}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in gone}
    return {**kept, **{f"{prefix}{name}".upper(): value for name, value in own.items()}}
