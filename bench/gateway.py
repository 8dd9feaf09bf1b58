"""What the gateway costs a call: `python -m bench.gateway`, with gRPC straight to the service beside it.

The same calls in all four ways, in turns and against the same processes: one after the other, and 32 at once.
consent's calls pass Envoy alone; those of licensing are asked about at licensing and at metering first.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateway_stand import Stand, a_stand
from bench.gateway_ways import STRAIGHT, Json, Question, TurnedAwayError, Way, ways
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import Times, machine
from services.metering.domain.rates.documents import MOST_CALLS

IN_FLIGHT = (1, 32)
BATCHES = (1, 100, 1_000)
READ = 0
"""Posts that a read asks for."""
SEEN_SECONDS = 1.5
"""Metering looks once a second whether there are other limits."""

Make = Callable[[], Question]
"""The next question of a kind."""


@dataclass(frozen=True)
class Effort:
    """How long it is measured; more gives steadier figures."""

    seconds: float
    """That each way is measured for, `runs` times."""
    runs: int


@dataclass
class Measured:
    """How long the answered calls of one way took, in how many seconds altogether."""

    taken: list[float] = field(default_factory=list)
    turned_away: int = 0
    seconds: float = 0.0

    @property
    def times(self) -> Times:
        """Of each call."""
        return Times(tuple(self.taken))

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.taken) / self.seconds


async def measured(way: Way, make: Make, in_flight: int, seconds: float, into: Measured) -> None:
    """Asks for so long, so many at once; a question is made before its time begins."""
    until = time.perf_counter() + seconds

    async def ask() -> None:
        while time.perf_counter() < until:
            question = make()
            started = time.perf_counter()
            try:
                await way.ask(question)
            except TurnedAwayError:
                into.turned_away += 1
            else:
                into.taken.append(time.perf_counter() - started)

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(in_flight)))
    into.seconds += time.perf_counter() - began


async def compared(
    stand: Stand, service: str, make: Make, in_flight: int, effort: Effort
) -> dict[str, Measured]:
    """All four ways, in turns, each warm before it counts."""
    several = ways(stand.fleet.address(service), stand.gateway)
    found = {name: Measured() for name in several}
    try:
        for way in several.values():
            await measured(way, make, in_flight, effort.seconds / 4, Measured())
        for _, (name, way) in itertools.product(range(effort.runs), several.items()):
            await measured(way, make, in_flight, effort.seconds, found[name])
    finally:
        for way in several.values():
            await way.close()
    return found


def figures_of(call: str, in_flight: int, posts: int, found: dict[str, Measured]) -> list[Figure]:
    """Medians and 99th percentiles, and rates where calls are at once; all with their ratio to gRPC alone."""
    figures: list[Figure] = []

    def note(what: str, unit: str, way: str, of: Callable[[Measured], float]) -> None:
        ratio = None if way == STRAIGHT else of(found[way]) / of(found[STRAIGHT])
        figures.append(Figure(f"{call} x{in_flight}, {way}, {what}", of(found[way]), unit, posts, ratio))

    for way, each_of in found.items():
        note("median", "ms", way, lambda each: each.times.median * 1e3)
        note("99 %", "ms", way, lambda each: each.times.p99 * 1e3)
        if in_flight > 1:
            note("answered", "a second", way, lambda each: each.rate)
        if each_of.turned_away:
            what, value = f"{call} x{in_flight}, {way}, turned away", each_of.turned_away / each_of.seconds
            figures.append(Figure(what, value, "a second", posts))
    return figures


def parts(read: dict[str, Measured], alone: dict[str, Measured]) -> list[Figure]:
    """Where the time of a read goes, one call after the other."""

    def added(found: dict[str, Measured]) -> float:
        return (found["gRPC"].times.median - found[STRAIGHT].times.median) * 1e3

    envoy, all_of_it = added(alone), added(read)
    return [
        Figure("a read longer by Envoy alone", envoy, "ms", READ),
        Figure("a read longer by all of it", all_of_it, "ms", READ),
        Figure("  of which licensing and metering", all_of_it - envoy, "ms", READ),
    ]


async def one_caller(stand: Stand, seconds: float) -> list[Figure]:
    """What becomes of one caller who calls as fast as they can while the limits are as shipped."""
    stand.limit(None)
    await asyncio.sleep(SEEN_SECONDS)
    question, way, found = stand.listing(await stand.a_licensee()), Json(stand.gateway), Measured()
    await measured(way, lambda: question, IN_FLIGHT[-1], seconds, found)
    await way.close()
    stand.limit(MOST_CALLS)
    await asyncio.sleep(SEEN_SECONDS)
    return [
        Figure("one caller as shipped, let through", found.rate, "a second", READ),
        Figure("one caller as shipped, refused", found.turned_away / found.seconds, "a second", READ),
    ]


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """All figures."""
    figures: list[Figure] = []
    async with a_stand(folder) as stand:
        for in_flight in IN_FLIGHT:
            say(f"{in_flight} at once")
            figures += await _reads(stand, in_flight, effort)
            for posts in BATCHES:
                figures += await _releases(stand, in_flight, posts, effort)
        figures += await one_caller(stand, effort.seconds * effort.runs)
    return figures


async def _reads(stand: Stand, in_flight: int, effort: Effort) -> list[Figure]:
    # Their tokens outlast what is measured.
    choices, listing = stand.choices(), stand.listing(await stand.a_licensee())
    alone = await compared(stand, "consent", lambda: choices, in_flight, effort)
    read = await compared(stand, "licensing", lambda: listing, in_flight, effort)
    figures = figures_of("GetChoices", in_flight, READ, alone)
    figures += figures_of("ListLicenses", in_flight, READ, read)
    return figures + (parts(read, alone) if in_flight == 1 else [])


async def _releases(stand: Stand, in_flight: int, posts: int, effort: Effort) -> list[Figure]:
    whose = await stand.a_licensee()
    found = await compared(stand, "licensing", lambda: stand.release(whose, posts), in_flight, effort)
    return figures_of("RequestRelease", in_flight, posts, found)


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description="What the gateway costs.")
    parser.add_argument("--quick", action="store_true", help="not for long")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        effort = Effort(0.3, 1) if options.quick else Effort(1.0, 3)
        figures = asyncio.run(measure(Path(name), effort))
    report = Report("calls through the gateway", "sqlite", "posts", about, figures)
    report.print()
    if options.json:
        report.write(options.json)


if __name__ == "__main__":
    main()
