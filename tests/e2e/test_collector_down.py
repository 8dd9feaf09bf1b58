"""Without a collector decisions go on, memory stays as it is, the log is not flooded, and processes end."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import statistics
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.collector import Hanging, a_collector
from tests.support.envoy import NOBODY
from tests.support.traced import SERVICES, Traced, a_traced_fleet
from tests.support.waiting import until

QUEUE, SPAN_BYTES = 64, 2_800
"""Spans that a process may hold, and what each of them takes (`integration/chassis/test_exporting.py`)."""
WITH_IT, WARM_UP, STRETCH, STRETCHES, MOST_STRETCHES = 60, 240, 150, 5, 15
"""Decisions: with the collector, if there is one; then until every queue has long been full, also where there
are two spans a decision; and in each of the stretches that are measured, of which the last five count. There
are more of them while a process still grows: an allocator is done at some time, a leak never.
"""
MOST_BYTES = STRETCH * SPAN_BYTES // 2
"""By which a process may grow in the middling stretch beyond what it does with a collector that takes all:
210 kB. So much would it be if one span of every second decision stayed. A default queue is 12 MB.
"""
TRIMMING = Path(__file__).resolve().parents[1] / "support" / "trimming"

Stop = Callable[[], Any]
Way = Callable[[], contextlib.AbstractAsyncContextManager[tuple[str, Stop]]]


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    grown: dict[str, list[int]]
    """By service, in each of the last stretches: bytes."""
    lost: dict[str, float]
    """Spans, before the end."""
    told: dict[str, list[dict[str, Any]]]
    """The lines of their logs."""
    said: list[str]
    """What the supervisor reported, such as that it had to kill one."""
    medians_ms: tuple[float, float]
    """Of a decision: at first, and in the stretches."""

    def middling(self) -> dict[str, int]:
        """As the function of this name."""
        return middling(self.grown)


@contextlib.asynccontextmanager
async def always_there() -> AsyncIterator[tuple[str, Stop]]:
    """It takes all."""
    async with a_collector() as collector:
        yield collector.address, lambda: None


@contextlib.asynccontextmanager
async def never_there() -> AsyncIterator[tuple[str, Stop]]:
    """Nobody listens."""
    yield NOBODY, lambda: None


@contextlib.asynccontextmanager
async def cut_off() -> AsyncIterator[tuple[str, Stop]]:
    """It takes spans until it is stopped, as one that is killed."""
    async with contextlib.AsyncExitStack() as stack:
        collector = await stack.enter_async_context(a_collector())
        yield collector.address, stack.aclose


@contextlib.asynccontextmanager
async def hanging() -> AsyncIterator[tuple[str, Stop]]:
    """It takes calls, and answers none."""
    async with a_collector(Hanging()) as collector:
        yield collector.address, lambda: None


async def resident(traced: Traced, folder: Path) -> dict[str, int]:
    """Bytes of memory that each process uses, which they are asked for."""
    return {service: await size_of(traced.fleet.pid(service), folder) for service in SERVICES}


async def size_of(pid: int, folder: Path) -> int:
    """What a process says, in the file that has its number."""
    known = len(lines_of(folder / str(pid)))
    os.kill(pid, signal.SIGUSR1)
    told = await until(lambda: lines_of(folder / str(pid))[known:], f"{pid} has said its size")
    return told[0]


def lines_of(file: Path) -> list[int]:
    """The whole lines of a file so far."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [int(line) for line in lines if line.endswith("\n")]


def growth(sizes: list[dict[str, int]]) -> dict[str, list[int]]:
    """By service, in each of the last stretches."""
    pairs = list(itertools.pairwise(sizes))[-STRETCHES:]
    return {service: [after[service] - before[service] for before, after in pairs] for service in SERVICES}


def middling(grown: dict[str, list[int]]) -> dict[str, int]:
    """The growth in the middling stretch: what an allocator takes once is not in it, and a leak is."""
    return {service: int(statistics.median(each)) for service, each in grown.items()}


def grows(sizes: list[dict[str, int]], usual: dict[str, int]) -> bool:
    """Whether a process takes more than it may beyond what is usual."""
    return any(size - usual[service] >= MOST_BYTES for service, size in middling(growth(sizes)).items())


def logged(traced: Traced, service: str) -> list[dict[str, Any]]:
    """The lines that a service has written."""
    lines = traced.fleet.state.log(service).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def dropped(traced: Traced, service: str) -> float:
    """How many spans a service says that it has lost."""
    address = next(line["address"] for line in logged(traced, service) if line["event"] == "serving metrics")
    with urlopen(f"http://{address}/metrics") as answer:
        told = answer.read().decode()
    return sum(float(each) for each in re.findall(r"^sluice_spans_dropped_total\{.*\} (.*)$", told, re.M))


def gaps(lines: list[dict[str, Any]]) -> list[float]:
    """Seconds between lines that follow each other."""
    times = [datetime.fromisoformat(line["timestamp"]) for line in lines]
    return [(after - before).total_seconds() for before, after in itertools.pairwise(times)]


async def measured(way: Way, folder: Path, usual: Run | None, **settings: str) -> Run:
    """Decisions in equal stretches, and what memory does meanwhile, compared with what is `usual`."""
    settings |= {"metrics_listen": "127.0.0.1:0"}
    sizes_in = folder / "sizes"
    sizes_in.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRIMMING)
        patch.setenv("TRIMMED", str(sizes_in))
        return await _measured(way, folder, settings, sizes_in, usual)


async def _measured(
    way: Way, folder: Path, settings: dict[str, str], sizes_in: Path, usual: Run | None
) -> Run:
    async with way() as (address, stop):
        async with a_traced_fleet(folder, f"http://{address}", settings) as traced:
            with_it = await traced.decide(WITH_IT)
            if stopped := stop():
                await stopped
            await traced.decide(WARM_UP)
            seconds, sizes = list[float](), [await resident(traced, sizes_in)]
            for done in range(MOST_STRETCHES):
                if done >= STRETCHES and not (usual and grows(sizes, usual.middling())):
                    break
                seconds += await traced.decide(STRETCH)
                sizes.append(await resident(traced, sizes_in))
            lost = {service: dropped(traced, service) for service in SERVICES}
        told = {service: logged(traced, service) for service in SERVICES}
        said = traced.fleet.said
    assert len(seconds) == (len(sizes) - 1) * STRETCH
    at_first, later = (round(statistics.median(each) * 1_000, 1) for each in (with_it, seconds))
    return Run(growth(sizes), lost, told, said, (at_first, later))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a collector that takes all."""
    return asyncio.run(measured(always_there, tmp_path_factory.mktemp("usual"), None))


@pytest.mark.parametrize("way", [never_there, cut_off, hanging])
def test_without_a_collector_decisions_go_on_and_memory_stays(way: Way, usual: Run, tmp_path: Path) -> None:
    run = asyncio.run(measured(way, tmp_path, usual, trace_queue=str(QUEUE)))

    for name, each in (("usual", usual), (way.__name__, run)):
        # For people: with `pytest -s`.
        print(name, each.medians_ms, "ms; middling growth", each.middling(), "of", each.grown)
    assert not any(usual.lost.values())
    assert all(spans >= STRETCHES * STRETCH for spans in run.lost.values()), run.lost
    beyond = {service: size - usual.middling()[service] for service, size in run.middling().items()}
    assert all(size < MOST_BYTES for size in beyond.values()), (run.grown, usual.grown)
    assert run.said == []
    for lines in run.told.values():
        losses = [line for line in lines if line["event"] == "spans were dropped"]
        assert losses
        # The last one may be of its end.
        assert all(gap > 59 for gap in gaps(losses)[:-1])
        assert all(gap > 59 for gap in gaps([line for line in lines if "Failed to export" in line["event"]]))
        assert not [line for line in lines if "Transient error" in line["event"]]
