"""Limits on calls measured: `python -m bench.limits`, with a row a call beside it in the same run.

What is compared counts its rows in the window and adds one, under the same lock, in the same groups and as
durably; it knows one limit a call and tells nobody when to come back.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, text

from bench.engines import ENGINES, a_database
from bench.metering import SCHEMA
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine, syncs
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database
from services.metering.domain.rates.documents import MOST_CALLS
from services.metering.domain.rates.limits import Limited, Line, RateLimit, RateLimits, Unit, limited
from services.metering.domain.rates.rulings import Asked
from services.metering.limiter import Limiter
from services.metering.storage.head import lock_head
from services.metering.storage.rate_windows import SqlRateWindows

KEYS = (1, 64, 1_000)
IN_FLIGHT = 64
A_SECOND = RateLimit("a second", MOST_CALLS, Unit.SECOND)
AN_HOUR = RateLimit("an hour", MOST_CALLS, Unit.HOUR)
NONE_LEFT = RateLimit("one an hour", 1, Unit.HOUR)

Count = Callable[[Limited], Awaitable[bool]]
"""Counts a call; whether it was let through."""


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description="Measures limits on calls.")
    parser.add_argument("--engine", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--quick", action="store_true", help="not for long")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about, reports = machine(), list[Report]()
    for engine in options.engine:
        figures: list[Figure] = []
        for keys in KEYS:
            figures += measured(engine, keys, seconds=0.3 if options.quick else 4.0)
        reports.append(Report("limits on calls", engine, "keys", about, figures))
        reports[-1].print()
    if options.json:
        found = [replace(each, what=f"{one.engine}: {each.what}") for one in reports for each in one.figures]
        Report("limits on calls", ", ".join(options.engine), "keys", about, found).write(options.json)


def measured(engine: str, keys: int, seconds: float) -> list[Figure]:
    """All figures for so many limits, in an empty database."""
    figures: list[Figure] = []

    def note(what: str, value: float, unit: str = "a second", **more: float | None) -> None:
        figures.append(Figure(what, value, unit, keys, **more))

    with a_database(engine) as (folder, url):
        note("a block made durable on this disk, median", syncs(folder, 50).median * 1e3, "ms")
        say(f"{engine}, {keys:,} keys")
        database = Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head)
        clock = SystemClock()
        windows, rows = SqlRateWindows(database, clock.now_us), Rows(database, clock)

        async def count(limit: Limited) -> bool:
            return not (await windows.count(Asked((limit,), 1))).denying

        seconds_of, hours_of = _limits(A_SECOND, keys), _limits(AN_HOUR, keys)
        counted = asyncio.run(_rate(count, seconds_of, seconds))
        note("calls counted", counted)
        by_rows = asyncio.run(_rate(rows.count, seconds_of, seconds))
        note("  a row a call", by_rows, ratio=by_rows / counted)
        note("calls counted, windows of an hour that fill up", asyncio.run(_rate(count, hours_of, seconds)))
        denied = asyncio.run(_denials(windows, clock, keys, seconds))
        note("calls denied, known to be full", denied, ratio=denied / counted)
        database.close_now()
    return figures


class Rows:
    """The naive form: a row for each call."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.write_now(self._make)

    @staticmethod
    def _make(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE bench_calls (key TEXT NOT NULL, at_us BIGINT NOT NULL)"))
        connection.execute(text("CREATE INDEX bench_calls_key ON bench_calls (key, at_us)"))

    async def count(self, limit: Limited) -> bool:
        """Counts the rows inside, and adds one if there is room."""

        def unit(connection: Connection) -> bool:
            now_us = self._clock.now_us()
            given = {"key": limit.key, "after_us": now_us - limit.limit.unit.length_us}
            inside = "SELECT count(*) FROM bench_calls WHERE key = :key AND at_us > :after_us"
            if connection.execute(text(inside), given).scalar_one() >= limit.limit.calls:
                return False
            added = {"key": limit.key, "at_us": now_us}
            connection.execute(text("INSERT INTO bench_calls VALUES (:key, :at_us)"), added)
            return True

        return await self._database.write(unit)


def _limits(limit: RateLimit, keys: int) -> list[Limited]:
    return [limited("bench", (("principal", f"caller-{n}"),), limit) for n in range(keys)]


async def _rate(count: Count, limits: Sequence[Limited], seconds: float) -> float:
    """Calls a second that were let through, each acknowledged before its asker asks again."""
    done, asked = 0, 0
    started = time.perf_counter()

    async def ask() -> None:
        nonlocal done, asked
        while time.perf_counter() - started < seconds:
            asked += 1
            # Not in one line with the sum, which would be read before others have added to it.
            is_counted = await count(limits[asked % len(limits)])
            done += is_counted

    await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))
    return done / (time.perf_counter() - started)


async def _denials(windows: SqlRateWindows, clock: Clock, keys: int, seconds: float) -> float:
    """Denials a second of callers who have nothing left."""
    limits = RateLimits("bench", Line(None, {("denied", None): Line(NONE_LEFT, {})}))
    limiter = Limiter(windows, lambda: limits, clock.now_us)
    callers = [[(("denied", f"caller-{n}"),)] for n in range(keys)]
    for caller in callers * 2:
        await limiter.ask("bench", caller, 1)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds / 4:
        await limiter.ask("bench", callers[done % keys], 1)
        done += 1
    return done / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
