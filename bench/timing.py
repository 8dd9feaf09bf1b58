"""Timing: medians and percentiles of repeated calls, and what machine they ran on."""

import os
import platform
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

BLOCK = bytes(4_096)
T = TypeVar("T")


@dataclass(frozen=True)
class Times:
    """How long calls took, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half took no longer."""
        return float(np.median(self.seconds))

    @property
    def p99(self) -> float:
        """99 of 100 took no longer."""
        return float(np.percentile(self.seconds, 99))


def timed(call: Callable[[T], object], each: Sequence[T], budget: float) -> Times:
    """Calls with each in turn, once untimed and then again and again until `budget` seconds are used up.

    With many different arguments, for what is asked again and again is in the cache of the processor.
    """
    for one in each:
        call(one)
    taken: list[float] = []
    while sum(taken) < budget:
        for one in each:
            started = time.perf_counter()
            call(one)
            taken.append(time.perf_counter() - started)
    return Times(tuple(taken))


async def timed_async(call: Callable[[T], Awaitable[object]], each: Sequence[T], budget: float) -> Times:
    """The same for a coroutine."""
    for one in each:
        await call(one)
    taken: list[float] = []
    while sum(taken) < budget:
        for one in each:
            started = time.perf_counter()
            await call(one)
            taken.append(time.perf_counter() - started)
    return Times(tuple(taken))


def syncs(folder: Path, times: int) -> Times:
    """How long this disk takes to make a block durable, the least that a commit can take."""
    taken: list[float] = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(BLOCK)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return Times(tuple(taken))


def machine() -> dict[str, str | float | None]:
    """What figures depend on, as it is now."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "sqlite": sqlite3.sqlite_version,
    }


def resident_bytes() -> int:
    """Memory of this process that is in use and in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _processor() -> str:
    told = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in told if line.startswith("model name")), "unknown")
