"""Metering measured: `python -m bench.metering`, with one UPDATE a reservation beside it in the same run.

What is compared counts too, durably and one by one, but holds nothing, remembers no id and knows no window.
Where Redis is installed with the packages `redis` and `limits`, their moving window is asked as well; that
keeps what it counts in memory.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from bench.engines import ENGINES, a_database
from bench.moving_window import MISSING, hits_a_second
from bench.peaks import peaks_measured
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine, syncs
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.metering.domain.allowances import Account, Allowance, Scope
from services.metering.domain.reservations import Access, ContentCount, Wanted
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US
from services.metering.meter import Meter
from services.metering.storage.books import SqlBooks
from services.metering.storage.head import lock_head

SCHEMA = Path(__file__).resolve().parents[1] / "services" / "metering" / "schema"
IN_FLIGHT = (1, 64)
PARTIES = (1, 1_000)
RATIO_AIM = 10.0
"""How many times the rate one by one, with `IN_FLIGHT[-1]` in flight."""
LIKELY_RATE = 3_000
"""Reservations a second of one asker, at most: so many are made ready."""
NO_LIMIT = 2**53
"""For what is measured is counting, not refusing."""


ENTRIES, QUICK_ENTRIES = (1_000_000, 5_000_000), (20_000,)
"""In which the fullest windows are looked for."""


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.metering", description="Measures metering.")
    parser.add_argument("--engine", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--quick", action="store_true", help="not for long")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about, reports = machine(), list[Report]()
    one = _wanted("party-0", "license-0")
    entries = QUICK_ENTRIES if options.quick else ENTRIES
    for engine in options.engine:
        figures: list[Figure] = []
        for parties in PARTIES:
            figures += measured(engine, parties, seconds=0.3 if options.quick else 4.0)
        reports.append(Report("metering", engine, "parties", about, figures))
        reports[-1].print()
        found = [figure for size in entries for figure in peaks_measured(engine, size, _open, one)]
        reports.append(Report("fullest windows", engine, "entries", about, found))
        reports[-1].print()
    if options.json:
        Report("metering", ", ".join(options.engine), "parties", about, _all(reports)).write(options.json)


def measured(engine: str, parties: int, seconds: float) -> list[Figure]:
    """All figures for so many parties, each with a license, in an empty database."""
    figures: list[Figure] = []

    def note(what: str, value: float, unit: str = "a second", **more: float | None) -> None:
        figures.append(Figure(what, value, unit, parties, **more))

    with a_database(engine) as (folder, url):
        note("a block made durable on this disk, median", syncs(folder, 200).median * 1e3, "ms")
        with _opened(url) as database:
            say(f"{engine}, {parties:,} parties: one UPDATE a reservation")
            one_by_one = _updates(database, parties, seconds)
            note("one UPDATE a reservation, one by one", one_by_one)
            rates: dict[int, float] = {}
            for in_flight in IN_FLIGHT:
                say(f"{engine}, {parties:,} parties: {in_flight} in flight")
                rates[in_flight] = asyncio.run(_reservations(database, parties, in_flight, seconds))
                ratio = rates[in_flight] / one_by_one
                note(f"reservations, {in_flight} in flight", rates[in_flight], ratio=ratio)
            many, one = rates[IN_FLIGHT[-1]], rates[IN_FLIGHT[0]]
            note("64 in flight to one by one, reservations", many / one, "times", least=RATIO_AIM)
            note("64 in flight to one by one, bare UPDATEs", many / one_by_one, "times", least=RATIO_AIM)
    say("moving window of limits over Redis")
    with contextlib.suppress(LookupError):
        rate = hits_a_second(parties, seconds)
        note("moving window of `limits` over Redis, one by one, in memory", rate, ratio=rate / many)
        return figures
    say(MISSING)
    return figures


def _open(url: str) -> Database:
    return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head)


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = _open(url)
    try:
        yield database
    finally:
        database.close_now()


def _updates(database: Database, parties: int, seconds: float) -> float:
    """Transactions a second, past SQLAlchemy and without a thread: the best that one by one can be."""
    table = "CREATE TABLE bench_counters (party INTEGER PRIMARY KEY, posts BIGINT NOT NULL)"
    rows = [{"party": party} for party in range(parties)]

    def make(connection: Connection) -> None:
        connection.execute(text(table))
        connection.execute(text("INSERT INTO bench_counters VALUES (:party, 0)"), rows)

    database.write_now(make)
    engine = database._engine
    driver: Any = engine.writer.connection.driver_connection
    mark = "?" if database.dialect == "sqlite" else "%s"
    statement = f"UPDATE bench_counters SET posts = posts + 1 WHERE party = {mark}"
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        driver.execute(statement, (done % parties,))
        # SQLite commits by itself where nobody has begun a transaction; PostgreSQL's driver begins one.
        if database.dialect != "sqlite":
            driver.commit()
        done += 1
    return done / (time.perf_counter() - started)


async def _reservations(database: Database, parties: int, in_flight: int, seconds: float) -> float:
    """Reservations a second, each acknowledged before its asker asks again."""
    clock = SystemClock()
    meter = Meter(SqlBooks(database, clock.now_us))
    likes = [_wanted(f"party-{party}", f"license-{party}") for party in range(parties)]
    # Made before, as their askers would make them.
    count = int(seconds * LIKELY_RATE * in_flight)
    waiting = iter([replace(likes[n % parties], reservation_id=uuid7(clock.now_us())) for n in range(count)])
    done, end = 0, time.perf_counter() + seconds

    async def ask() -> None:
        nonlocal done
        for wanted in waiting:
            await meter.reserve(wanted)
            done += 1
            if time.perf_counter() > end:
                return

    started = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(in_flight)))
    return done / (time.perf_counter() - started)


def _wanted(party_id: str, license_id: str) -> Wanted:
    """Ten posts under a day's limit of the license and a minute's of the party."""
    return Wanted(
        reservation_id="",
        request_key="bench",
        party_id=party_id,
        license_id=license_id,
        access=Access.ACCESS,
        counts=(ContentCount(1, 0, 10),),
        allowances=(
            Allowance(Account(Scope.LICENSE, license_id), ROLLING_DAY_US, NO_LIMIT),
            Allowance(Account(Scope.LICENSEE, party_id), MINUTE_US, NO_LIMIT),
        ),
    )


def _all(reports: list[Report]) -> list[Figure]:
    return [
        replace(figure, what=f"{report.engine}: {figure.what}")
        for report in reports
        for figure in report.figures
    ]


if __name__ == "__main__":
    main()
