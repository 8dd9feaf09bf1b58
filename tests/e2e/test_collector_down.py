"""Without a collector decisions go on, memory stays as it is, the log is not flooded, and processes end."""

import contextlib
import itertools
import json
import os
import re
import statistics
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.collector import Hanging, a_collector
from tests.support.envoy import NOBODY
from tests.support.traced import SERVICES, Traced, a_traced_fleet

QUEUE = 512
"""Spans. It is full long before the warm-up ends, also in those who have two spans a decision."""
WARM_UP, MEASURED = 600, 2_400
"""Decisions. Were nothing dropped, what is measured would take 13 MB in consent and in the directory, which
have two spans a decision (of 2.8 KB), and 80 MB in licensing.
"""
MOST_BYTES = 8 * 2**20
"""By which a process may grow: half as much again as was seen with a collector that takes all."""

Stop = Callable[[], Any]


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


def resident(traced: Traced) -> dict[str, int]:
    """Bytes of memory of each process."""
    page = os.sysconf("SC_PAGE_SIZE")
    return {
        service: int(Path(f"/proc/{traced.fleet.pid(service)}/statm").read_text().split()[1]) * page
        for service in SERVICES
    }


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


@pytest.mark.slow
@pytest.mark.parametrize("way", [never_there, cut_off, hanging])
async def test_without_a_collector_decisions_go_on_and_memory_stays(
    way: Callable[[], contextlib.AbstractAsyncContextManager[tuple[str, Stop]]],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    settings = {"trace_queue": str(QUEUE), "metrics_listen": "127.0.0.1:0"}
    async with way() as (address, stop):
        async with a_traced_fleet(tmp_path, f"http://{address}", settings) as traced:
            with_it = await traced.decide(WARM_UP)
            if stopped := stop():
                await stopped
            await traced.decide(WARM_UP)
            before = resident(traced)
            without = await traced.decide(MEASURED)
            grown = {service: after - before[service] for service, after in resident(traced).items()}
            lost = {service: dropped(traced, service) for service in SERVICES}
        told = {service: logged(traced, service) for service in SERVICES}

    medians = [round(statistics.median(each) * 1_000, 1) for each in (with_it, without)]
    record_property("figures", f"{way.__name__}: {medians} ms at first and later; grown by {grown} bytes")
    assert len(without) == MEASURED
    assert all(spans >= MEASURED for spans in lost.values()), lost
    assert all(size < MOST_BYTES for size in grown.values()), grown
    for lines in told.values():
        losses = [line for line in lines if line["event"] == "spans were dropped"]
        # The last one is of its end, which it therefore came to by itself.
        assert losses[-1]["ending"] > 0
        assert all(gap > 59 for gap in gaps(losses)[:-1])
        assert all(gap > 59 for gap in gaps([line for line in lines if "Failed to export" in line["event"]]))
        assert not [line for line in lines if "Transient error" in line["event"]]
