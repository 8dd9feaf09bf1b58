"""The supervisor, with tiny programs in place of services."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.chassis.refusals import Refusal
from services.console.supervisor import Patience, Supervisor, log_tail

READY_THEN_WAIT = "import pathlib, sys, signal; pathlib.Path(sys.argv[1]).touch(); signal.pause()"
DEAF = (
    "import pathlib, sys, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "pathlib.Path(sys.argv[1]).touch(); [signal.pause() for _ in range(9)]"
)
FAILS = "print('no such database'); raise SystemExit(4)"


@dataclass
class Script:
    """A Python one-liner as a program; it is ready when its file is there."""

    name: str
    code: str
    folder: Path
    needs: frozenset[str] = frozenset()
    starts: list[float] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def marker(self) -> Path:
        return self.folder / f"{self.name}.ready"

    def command(self) -> Sequence[str]:
        self.marker.unlink(missing_ok=True)
        self.starts.append(asyncio.get_running_loop().time())
        return [sys.executable, "-S", "-c", self.code, str(self.marker)]

    def environment(self) -> Mapping[str, str]:
        return dict(os.environ)

    async def ready(self) -> None:
        while not self.marker.exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.005)


Supervise = Callable[..., Supervisor]


@pytest.fixture
async def supervise() -> AsyncIterator[Supervise]:
    made: list[Supervisor] = []

    def make(
        *programs: Script, said: list[str] | None = None, patience: Patience | None = None
    ) -> Supervisor:
        said = said if said is not None else []
        made.append(Supervisor(programs, said.append, patience or Patience(quick=0.0, backoff=0.01)))
        return made[-1]

    yield make
    for supervisor in made:
        await supervisor.stop()


def is_gone(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_start_returns_when_every_program_is_ready(supervise: Supervise, tmp_path: Path) -> None:
    one, two = Script("one", READY_THEN_WAIT, tmp_path), Script("two", READY_THEN_WAIT, tmp_path)
    supervisor = supervise(one, two)

    await supervisor.start()

    assert one.marker.exists()
    assert two.marker.exists()
    assert not is_gone(supervisor.pid("one"))


async def test_a_program_starts_only_after_those_it_needs(supervise: Supervise, tmp_path: Path) -> None:
    needed = Script("needed", READY_THEN_WAIT, tmp_path)
    needing = Script("needing", READY_THEN_WAIT, tmp_path, needs=frozenset({"needed"}))

    await supervise(needing, needed).start()

    assert needed.starts[0] < needing.starts[0]


async def test_a_killed_program_is_started_again_and_it_is_said(supervise: Supervise, tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = supervise(Script("one", READY_THEN_WAIT, tmp_path), said=said)
    await supervisor.start()
    first = supervisor.pid("one")

    supervisor.kill("one")
    await supervisor.until_ready("one")

    assert is_gone(first)
    assert supervisor.pid("one") not in {None, first}
    assert said == [
        "one was ended by SIGKILL; starting it again.",
        f"one is running again, as process {supervisor.pid('one')}.",
    ]


async def test_a_program_that_dies_by_itself_is_started_again_after_a_pause(
    supervise: Supervise, tmp_path: Path
) -> None:
    said: list[str] = []
    script = Script("one", READY_THEN_WAIT, tmp_path)
    supervisor = supervise(script, said=said)
    await supervisor.start()
    first = supervisor.pid("one")
    assert first is not None

    os.kill(first, signal.SIGSEGV)
    while len(script.starts) < 2:  # noqa: ASYNC110 - the new process is what is waited for
        await asyncio.sleep(0.005)
    await supervisor.until_ready("one")

    assert supervisor.pid("one") != first
    assert said[0] == "one was ended by SIGSEGV; starting it again in 0.01 s."


async def test_stop_drains_every_program(supervise: Supervise, tmp_path: Path) -> None:
    supervisor = supervise(Script("one", READY_THEN_WAIT, tmp_path), Script("two", READY_THEN_WAIT, tmp_path))
    await supervisor.start()
    pids = [supervisor.pid("one"), supervisor.pid("two")]

    await supervisor.stop()

    assert all(is_gone(pid) for pid in pids)
    assert supervisor.pid("one") is None


async def test_callers_are_drained_before_those_they_call(supervise: Supervise, tmp_path: Path) -> None:
    called = Script("called", READY_THEN_WAIT, tmp_path)
    calling = Script("calling", DEAF, tmp_path, needs=frozenset({"called"}))
    said: list[str] = []
    supervisor = supervise(called, calling, said=said, patience=Patience(drain=0.05))
    await supervisor.start()

    stopping = asyncio.create_task(supervisor.stop())
    while supervisor.pid("calling") is not None:
        assert not is_gone(supervisor.pid("called"))
        await asyncio.sleep(0.005)
    await stopping

    assert supervisor.pid("called") is None


async def test_a_program_that_does_not_drain_is_killed(supervise: Supervise, tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = supervise(Script("deaf", DEAF, tmp_path), said=said, patience=Patience(drain=0.05))
    await supervisor.start()
    pid = supervisor.pid("deaf")

    await supervisor.stop()

    assert is_gone(pid)
    assert said == ["deaf did not drain in 0.05 s and is killed."]


async def test_hurry_ends_a_drain_at_once(supervise: Supervise, tmp_path: Path) -> None:
    supervisor = supervise(Script("deaf", DEAF, tmp_path), patience=Patience(drain=3600.0))
    await supervisor.start()
    pid = supervisor.pid("deaf")
    draining = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0)

    supervisor.hurry()
    await draining

    assert is_gone(pid)


async def test_a_program_that_cannot_start_is_given_up_with_the_end_of_its_log(
    supervise: Supervise, tmp_path: Path
) -> None:
    good = Script("good", READY_THEN_WAIT, tmp_path)
    supervisor = supervise(good, Script("bad", FAILS, tmp_path))

    with pytest.raises(Refusal) as refused:
        await supervisor.start()

    assert refused.value.reason == "PROGRAM_FAILED"
    assert "bad ended with exit code 4" in refused.value.message
    assert "no such database" in refused.value.message
    assert supervisor.pid("good") is None


async def test_a_program_that_keeps_dying_is_given_up(supervise: Supervise, tmp_path: Path) -> None:
    script = Script("moody", READY_THEN_WAIT, tmp_path)
    supervisor = supervise(script, patience=Patience(quick=3600.0, quick_failures=3, backoff=0.001))
    await supervisor.start()

    async def kill_whatever_runs() -> None:
        while True:
            if (pid := supervisor.pid("moody")) is not None and script.marker.exists():
                # It may be gone already, and the supervisor not know it yet.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.005)

    killer = asyncio.create_task(kill_whatever_runs())
    with pytest.raises(Refusal, match="moody was ended by SIGKILL and is given up"):
        await supervisor.failure()
    killer.cancel()

    assert len(script.starts) == 3


async def test_stop_before_anything_is_ready_leaves_nothing(supervise: Supervise, tmp_path: Path) -> None:
    never = Script("never", "import signal; signal.pause()", tmp_path)
    waiting = Script("waiting", READY_THEN_WAIT, tmp_path, needs=frozenset({"never"}))
    supervisor = supervise(never, waiting)
    starting = asyncio.create_task(supervisor.start())
    while supervisor.pid("never") is None:  # noqa: ASYNC110 - the process is what is waited for
        await asyncio.sleep(0.005)
    pid = supervisor.pid("never")

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert is_gone(pid)
    assert waiting.starts == []


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("\n".join(str(number) for number in range(100)), encoding="utf-8")

    assert log_tail(log, 2) == ["98", "99"]
    assert log_tail(tmp_path / "absent.log") == []
