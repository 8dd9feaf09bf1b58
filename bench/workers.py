"""Workers measured: `python -m bench.workers`, one process and pools of several in turns in the same run.

Consent over PostgreSQL, asked by processes of their own which send the same prepared checks over many
connections. They take processors from what they measure: with two cores, two workers cannot be twice as fast.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from bench.engines import a_database
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import consent_service_pb2 as pb
from tests.support.consent_fleet import CONSENT
from tests.support.keys import a_minter, some_keys
from tests.support.pools import ALONE, PoolProcess, a_pool
from tests.support.replicas import Lines
from tests.support.willing_subjects import TRAINING, an_import

WORKERS = (1, 2, 3)
POSTS = (1, 1_000)
"""In a check."""
CALLERS, CONNECTIONS = 2, 8
"""Processes that ask, and connections of each, one check at a time on every one."""
AUTHORS = range(1_000, 3_000)
MIB = 2**20
CHECK = f"/{CONSENT}/CheckConsent"


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description="Measures workers.")
    parser.add_argument("--quick", action="store_true", help="not for long")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    figures = asyncio.run(measured(seconds=0.5 if options.quick else 3.0, runs=1 if options.quick else 3))
    report = Report("workers of consent", "postgresql", "posts a check", machine(), figures)
    report.print()
    if options.json:
        report.write(options.json)


async def measured(*, seconds: float, runs: int) -> list[Figure]:
    """All figures: pools of each size share one database, and are asked in turns."""
    with a_database("postgresql") as (folder, url):
        async with contextlib.AsyncExitStack() as running:
            pools: dict[int, PoolProcess] = {}
            for workers in WORKERS:
                say(f"{workers} workers start")
                started = a_pool("services.consent", "consent", folder, _settings(folder, url, workers))
                pools[workers] = await running.enter_async_context(started)
            await _fill(pools[1], folder)
            memory = [_memory(workers, pool) for workers, pool in pools.items()]
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(CALLERS, mp_context=context) as callers:
                rates = [
                    await _rates(pools, folder, callers, posts, seconds=seconds, runs=runs) for posts in POSTS
                ]
    return [figure for figures in rates for figure in figures] + memory


async def _rates(
    pools: Mapping[int, PoolProcess],
    folder: Path,
    callers: ProcessPoolExecutor,
    posts: int,
    *,
    seconds: float,
    runs: int,
) -> list[Figure]:
    token = a_minter(some_keys(folder)).mint(PrincipalKind.SERVICE, "licensing")
    found: dict[int, list[float]] = {workers: [] for workers in pools}
    for run in range(runs + 1):
        say(f"checks of {posts:,} posts, run {run} of {runs}, the first one to warm up")
        for workers, pool in pools.items():
            asking = (pool.address, token, _request(posts), seconds)
            loop = asyncio.get_running_loop()
            jobs = [loop.run_in_executor(callers, checks_answered, *asking) for _ in range(CALLERS)]
            rate = sum(await asyncio.gather(*jobs))
            found[workers] += [rate] if run else []
    rates = {workers: statistics.median(each) for workers, each in found.items()}
    return [
        Figure(_name(workers, "checks"), rate, "checks/s", posts, rate / rates[1] if workers > 1 else None)
        for workers, rate in rates.items()
    ]


def checks_answered(address: str, token: str, request: bytes, seconds: float) -> float:
    """How many checks a second one caller had answered over its connections, for so many seconds."""
    return asyncio.run(_checks_answered(address, [("authorization", f"Bearer {token}")], request, seconds))


async def _checks_answered(address: str, metadata: Any, request: bytes, seconds: float) -> float:
    async def ask() -> float:
        async with grpc.aio.insecure_channel(address, options=ALONE) as channel:
            call: Any = channel.unary_unary(CHECK)
            await call(request, metadata=metadata)
            started, taken, answered = time.perf_counter(), 0.0, 0
            while taken < seconds:
                await call(request, metadata=metadata)
                answered += 1
                taken = time.perf_counter() - started
            return answered / taken

    return sum(await asyncio.gather(*(ask() for _ in range(CONNECTIONS))))


async def _fill(pool: PoolProcess, folder: Path) -> None:
    lines = Lines([pool.address], CONSENT, folder, seconds=60)
    request = an_import(uuid7(SystemClock().now_us()), AUTHORS)
    answer = await lines.call(0, "ImportSubjects", PrincipalKind.OPERATOR, request, pb.ImportSubjectsResponse)
    assert answer is not None
    await lines.close()


def _settings(folder: Path, url: str, workers: int) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "HEAD_DIR": str(folder / "heads"),
        "STATE_DIR": str(folder / f"state-{workers}"),
        "WORKERS": str(workers),
        "TRACE_RATIO": "0",
    }


def _request(posts: int) -> bytes:
    ids = np.arange(1, posts + 1, dtype="<u8").tobytes()
    authors = np.resize(np.array(AUTHORS, "<u8"), posts).tobytes()
    return pb.CheckConsentRequest(
        licensee_id="acme",
        purpose=TRAINING,
        post_ids=ids,
        author_ids=authors,
        embed_offsets=bytes(4 * (posts + 1)),
        author_jurisdictions=["*"],
    ).SerializeToString()


def _memory(workers: int, pool: PoolProcess) -> Figure:
    pids = [pool.pid, *pool.workers()]
    return Figure(_name(workers, "memory of all"), sum(map(_own_bytes, pids)) / MIB, "MiB", POSTS[0])


def _own_bytes(pid: int) -> int:
    """Memory of a process, what it shares divided among those that share it (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1_024


def _name(workers: int, what: str) -> str:
    return f"one process, {what}" if workers == 1 else f"a pool of {workers}, {what}"


if __name__ == "__main__":
    main()
