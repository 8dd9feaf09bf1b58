"""Keeps processes running: starts them, starts them again when they end, and drains them when told to.

A program that cannot start, or ends again and again at once, is given up: then nothing is kept running half.
"""

import asyncio
import contextlib
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.chassis.racing import first
from services.chassis.refusals import Refusal, precondition

LOG_TAIL_LINES = 12

Report = Callable[[str], None]
"""Takes one sentence for people."""


class Program(Protocol):
    """Something to keep running as a process of its own."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Programs that it calls: they are ready before it is first started, and drained after it."""
        ...

    @property
    def log(self) -> Path:
        """File that gets its stdout and stderr."""
        ...

    def command(self) -> Sequence[str]:
        """Program and arguments; asked at every start, to clear away what the last process left."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Its whole environment; asked at every start."""
        ...

    async def ready(self) -> None:
        """Returns as soon as the process just started can be used."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long the supervisor waits for what; seconds."""

    ready: float = 30.0
    """From a start until the program must be ready."""
    drain: float = 10.0
    """From SIGTERM until SIGKILL."""
    quick: float = 2.0
    """A process that ends sooner than this after its start has failed quickly."""
    quick_failures: int = 5
    """So many quick failures in a row, and the program is given up."""
    backoff: float = 0.1
    """Before the first restart; doubled with each quick failure."""
    longest_backoff: float = 5.0


class Supervisor:
    """Runs programs, each as one process that is replaced when it ends."""

    def __init__(self, programs: Sequence[Program], report: Report, patience: Patience | None = None) -> None:
        self._report = report
        self._patience = patience or Patience()
        self._keepers = {program.name: _Keeper(program, report, self._patience) for program in programs}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Returns when every program is ready.

        Raises Refusal (precondition, PROGRAM_FAILED, with the tail of its log) when one cannot start; the
        others are drained by then.
        """
        await self._begin(list(self._keepers))

    async def add(self, programs: Sequence[Program]) -> None:
        """Keeps more programs running; returns when they are ready. Raises as `start`, and then all end."""
        for program in programs:
            self._keepers[program.name] = _Keeper(program, self._report, self._patience)
        await self._begin([program.name for program in programs])

    async def failure(self) -> None:
        """Waits while all goes well; raises Refusal (precondition, PROGRAM_FAILED) when one is given up."""
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Drains all programs, callers before those they call: SIGTERM, then SIGKILL for what takes too long.

        Safe to call again.
        """
        left = dict(self._keepers)
        while left:
            needed = frozenset[str]().union(*(keeper.program.needs for keeper in left.values()))
            wave = [name for name in left if name not in needed]
            for name in wave:
                left.pop(name).stop()
            tasks = [self._tasks[name] for name in wave if name in self._tasks]
            await asyncio.gather(*tasks, return_exceptions=True)

    def hurry(self) -> None:
        """Ends a drain at once: SIGKILL for all that still run."""
        for keeper in self._keepers.values():
            keeper.hurry()

    def pid(self, name: str) -> int | None:
        """Process id of the running process; None between two processes."""
        return self._keepers[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would end it; it is started again, and the crash is not held against it."""
        self._keepers[name].end(signal.SIGKILL)

    async def restart(self, name: str) -> None:
        """Drains the program and returns when its next process is ready."""
        self._keepers[name].end(signal.SIGTERM)
        await self.until_ready(name)

    async def until_ready(self, name: str) -> None:
        """Returns when the program is ready; after `kill`, when its next process is. Raises as `failure`."""
        await first(self._keepers[name].is_ready.wait(), self.failure())

    async def _begin(self, names: Sequence[str]) -> None:
        for name in names:
            keeper = self._keepers[name]
            prerequisites = [self._keepers[other].is_ready for other in keeper.program.needs]
            self._tasks[name] = asyncio.create_task(keeper.keep(prerequisites), name=f"keeper-{name}")
        try:
            for name in names:
                await self.until_ready(name)
        except BaseException:
            await self.stop()
            raise


class _Keeper:
    """One program, and the process that it runs as at the moment."""

    def __init__(self, program: Program, report: Report, patience: Patience) -> None:
        self.program = program
        self.is_ready = asyncio.Event()
        self._report = report
        self._patience = patience
        self._stopping = asyncio.Event()
        self._process: Process | None = None
        self._expected_end = False
        self._in_a_hurry = False
        self._starts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Ends the process and starts none after it."""
        self._stopping.set()
        self.is_ready.clear()

    def hurry(self) -> None:
        """Ends the process at once, if it is being drained; else, as soon as it is to be drained."""
        self._in_a_hurry = True
        if self._stopping.is_set():
            self.signal(signal.SIGKILL)

    def end(self, number: signal.Signals) -> None:
        """Ends the process by a signal; the next one starts without delay."""
        self._expected_end = True
        self.is_ready.clear()
        self.signal(number)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def keep(self, prerequisites: Sequence[asyncio.Event]) -> None:
        """Runs the program, once all `prerequisites` are set, until `stop`; raises Refusal when given up."""
        for event in prerequisites:
            await first(event.wait(), self._stopping.wait())
        quick_failures = 0
        was_ready = False
        while not self._stopping.is_set():
            lived, became_ready, ending = await self._live()
            if self._stopping.is_set():
                return
            was_ready = was_ready or became_ready
            if self._expected_end:
                self._report(f"{self.program.name} {ending}; starting it again.")
                self._expected_end = False
                continue
            quick_failures = quick_failures + 1 if lived < self._patience.quick or not became_ready else 0
            if not was_ready or quick_failures >= self._patience.quick_failures:
                raise self._given_up(ending)
            await self._back_off(quick_failures, ending)

    async def _live(self) -> tuple[float, bool, str]:
        """One process from start to end: seconds it lived, whether it got ready, how it ended."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        process = await self._spawn()
        ended = asyncio.ensure_future(process.wait())
        try:
            became_ready = await self._await_ready(ended)
            await self._await_end(ended)
        finally:
            self.is_ready.clear()
            if process.returncode is None:
                self.signal(signal.SIGKILL)
                await ended
            self._process = None
        return loop.time() - began, became_ready, _ending(process.returncode or 0)

    async def _spawn(self) -> Process:
        self._starts += 1
        command, environment = self.program.command(), self.program.environment()
        with self.program.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                # Ctrl-C in a terminal goes to the whole group; draining is the supervisor's to order.
                start_new_session=True,
            )
        return self._process

    async def _await_ready(self, ended: "asyncio.Future[int]") -> bool:
        try:
            async with asyncio.timeout(self._patience.ready):
                await first(self.program.ready(), asyncio.shield(ended), self._stopping.wait())
        except TimeoutError:
            self._report(f"{self.program.name} is not ready after {self._patience.ready:g} s.")
            self.signal(signal.SIGKILL)
            return False
        if ended.done() or self._stopping.is_set():
            return False
        self.is_ready.set()
        if self._starts > 1:
            self._report(f"{self.program.name} is running again, as process {self.pid}.")
        return True

    async def _await_end(self, ended: "asyncio.Future[int]") -> None:
        await first(asyncio.shield(ended), self._stopping.wait())
        if ended.done():
            return
        self.signal(signal.SIGKILL if self._in_a_hurry else signal.SIGTERM)
        await asyncio.wait({ended}, timeout=self._patience.drain)
        if not ended.done():
            self._report(f"{self.program.name} did not drain in {self._patience.drain:g} s and is killed.")

    async def _back_off(self, quick_failures: int, ending: str) -> None:
        delay = min(self._patience.longest_backoff, self._patience.backoff * 2**quick_failures)
        self._report(f"{self.program.name} {ending}; starting it again in {delay:g} s.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()

    def _given_up(self, ending: str) -> Refusal:
        tail = "".join(f"\n  {line}" for line in log_tail(self.program.log))
        return precondition(
            "PROGRAM_FAILED", f"{self.program.name} {ending} and is given up. The end of its log:{tail}"
        )


def log_tail(log: Path, lines: int = LOG_TAIL_LINES) -> list[str]:
    """The last lines of a log; none when there is no log yet."""
    if not log.exists():
        return []
    with log.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip() for line in deque(file, maxlen=lines)]


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"
