"""Timing: medians and percentiles of repeated calls, and what machine they ran on."""

import os
import platform
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Times:
    """How long calls took, in seconds, ascending."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half took no longer."""
        return float(np.median(self.seconds))

    @property
    def p99(self) -> float:
        """99 of 100 took no longer."""
        return float(np.percentile(self.seconds, 99))


def timed(call: Callable[[], object], *, least: int = 7, most: int = 2_000, budget: float = 1.0) -> Times:
    """Calls until `budget` seconds are used up, `least` to `most` times, and once before for luck."""
    call()
    taken: list[float] = []
    while len(taken) < least or (len(taken) < most and sum(taken) < budget):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return Times(tuple(sorted(taken)))


async def timed_async(call: Callable[[], Awaitable[object]], times: int) -> Times:
    """The same for a coroutine, so many times after one for luck."""
    await call()
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - started)
    return Times(tuple(sorted(taken)))


def machine() -> str:
    """What figures depend on."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
        f"load before {load:.1f}"
    )
