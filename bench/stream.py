"""Decisions on a stream compared with single calls: `python -m bench.stream`.

The three services as processes with databases on disk, one caller with 32 requests in flight, each asked for
posts that were not asked for before. Both ways are measured in turns, several times; figures are medians. A
job is measured from file to file.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from bench.batches import a_request
from bench.report import Figure, Report
from bench.stand import say
from bench.stream_client import StreamClient
from bench.timing import machine
from services.console.credentials import PIPELINE, token_source
from sluice.licensing.v1.release_service_pb2 import DecideRequest, Decision
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.client import LicensingClient
from sluice_gate.job import ReleaseJob
from sluice_gate.plan import Plan
from sluice_gate.reading.forms import Format, PostForm
from sluice_gate.reading.plain_form import Names
from sluice_gate.report import Ended
from tests.support.fleet import Fleet, a_fleet
from tests.support.platforms import Platform, a_platform

BATCHES = (1, 100, 1_000)
IN_FLIGHT = 32
ACCOUNTS = 2_000
LICENSE = "bench"
PERMITS = {
    "licensing": {"permit_seconds": "30", "sweep_age_seconds": "60"},
    "consent": {"permit_seconds": "30"},
}

Decide = Callable[[DecideRequest], Awaitable[Decision]]
Client = LicensingClient | StreamClient


class Bench:
    """A fleet, its platform, and batches that nobody asked for before."""

    def __init__(self, fleet: Fleet, platform: Platform, *, seconds: float, runs: int) -> None:
        """`seconds` that each way is measured for, `runs` times."""
        self._fleet = fleet
        self._platform = platform
        self._seconds = seconds
        self._runs = runs
        self._authors = np.array([account.id for account in platform.accounts], "<u8")
        self._next_post = itertools.count(1)
        self._licenses = itertools.count(1)

    def clients(self) -> dict[str, Client]:
        """The two ways, each with a connection of its own."""
        tokens = token_source(self._fleet.state, None, PIPELINE)
        target = self._fleet.address("licensing")
        return {"single calls": LicensingClient(target, tokens), "a stream": StreamClient(target, tokens)}

    async def rates(self, batch: int) -> dict[str, float]:
        """Decisions per second of each way, the median of its runs."""
        clients = self.clients()
        try:
            found: dict[str, list[float]] = {way: [] for way in clients}
            for client in clients.values():
                await self._rate(client.decide, batch, self._seconds / 4)
            for _ in range(self._runs):
                for way, client in clients.items():
                    found[way].append(await self._rate(client.decide, batch, self._seconds))
        finally:
            for client in clients.values():
                await client.close()
        return {way: statistics.median(rates) for way, rates in found.items()}

    async def job_rates(self, folder: Path, batch: int) -> dict[str, float]:
        """Posts per second of a job from file to file, likewise."""
        found: dict[str, list[float]] = {}
        for run in range(self._runs):
            for way, client in self.clients().items():
                out = folder / f"out-{batch}-{run}-{way[0]}"
                plan = self._plan(out, await self._license(), batch)
                try:
                    started = time.perf_counter()
                    report = await ReleaseJob(plan, client).start()
                    taken = time.perf_counter() - started
                finally:
                    await client.close()
                assert report.ended is Ended.FINISHED, report.message
                found.setdefault(way, []).append(report.asked / taken)
        return {way: statistics.median(rates) for way, rates in found.items()}

    async def _rate(self, decide: Decide, batch: int, seconds: float) -> float:
        license_id = await self._license()
        until = time.perf_counter() + seconds
        decided = 0

        async def ask() -> None:
            nonlocal decided
            while time.perf_counter() < until:
                await decide(self._request(license_id, batch))
                decided += 1

        started = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))
        return decided / (time.perf_counter() - started)

    async def _license(self) -> str:
        name = f"{LICENSE}-{next(self._licenses)}"
        # Each has room for a million posts.
        await self._fleet.license(name)
        return name

    def _request(self, license_id: str, batch: int) -> DecideRequest:
        first = next(self._next_post) * 10_000
        authors = self._authors[np.arange(first, first + batch) % len(self._authors)]
        return a_request(self._fleet.new_id(), license_id, first, authors)

    def _plan(self, out: Path, license_id: str, batch: int) -> Plan:
        return Plan(
            self._platform.posts,
            out,
            license_id,
            Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
            PostForm(Format.JSON, Names.parse(""), None),
            batch_size=batch,
            in_flight=IN_FLIGHT,
        )


def compared(what: str, unit: str, size: int, rates: dict[str, float]) -> list[Figure]:
    """The figures of both ways; the stream's has the ratio to single calls."""
    single = rates["single calls"]
    return [
        Figure(f"{what}, {way}", rate, unit, size, None if rate is single else rate / single)
        for way, rate in rates.items()
    ]


async def measure(folder: Path, *, seconds: float, runs: int, posts: int) -> list[Figure]:
    """All figures."""
    figures: list[Figure] = []
    async with a_fleet(folder / "state", PERMITS) as fleet:
        platform = await a_platform(fleet, folder / "platform", posts=posts, accounts=ACCOUNTS, seed=1)
        bench = Bench(fleet, platform, seconds=seconds, runs=runs)
        for batch in BATCHES:
            say(f"deciding on {batch:,} posts at a time")
            figures += compared("decisions, 32 in flight", "a second", batch, await bench.rates(batch))
        for batch in BATCHES[1:]:
            say(f"a job with {batch:,} posts at a time")
            figures += compared(
                "job, file to file", "posts a second", batch, await bench.job_rates(folder, batch)
            )
    return figures


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.stream", description="Streams and single calls.")
    parser.add_argument("--quick", action="store_true", help="not for long")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        effort = (0.3, 1, 2_000) if options.quick else (2.0, 5, 50_000)
        seconds, runs, posts = effort
        figures = asyncio.run(measure(Path(name), seconds=seconds, runs=runs, posts=posts))
    report = Report("stream and single calls", "sqlite", "posts at once", about, figures)
    report.print()
    if options.json:
        report.write(options.json)


if __name__ == "__main__":
    main()
