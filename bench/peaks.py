"""The fullest window of many entries, found by sums, with a read of every moment beside it in the same run.

Meanwhile somebody reserves, one after the other: how long that takes says whether a look for peaks holds up
others.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection, text

from bench.accesses import ENTRIES, KIND, add_up, make_account, take_any_time
from bench.engines import a_database
from bench.report import Figure
from bench.stand import say
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.fullest import reach_us
from services.metering.domain.peaks import Ints, Peak, peaks
from services.metering.domain.reservations import Access, Wanted
from services.metering.domain.windows import HOUR_US, ROLLING_DAY_US
from services.metering.meter import Meter
from services.metering.storage.books import SqlBooks
from services.metering.storage.usage import SqlUsage

STRETCHES = {"a day": ROLLING_DAY_US, "90 days": 90 * ROLLING_DAY_US}
BEGIN_US = 1_760_000_400_000_000
"""The beginning of an hour."""
ROWS_AT_ONCE = 100_000
PARTY = "crawler"
ACCOUNT_ID = 1_000_000

_MOMENTS = text(
    "SELECT counted_at_us, SUM(used + held) FROM entries WHERE account_id = :account"
    " AND counted_at_us > :since AND counted_at_us <= :until AND access IN (2, 3) GROUP BY counted_at_us"
)


def peaks_measured(
    engine: str, entries: int, opened: Callable[[str], Database], wanted: Wanted
) -> list[Figure]:
    """The fullest hour of so many entries in a day and in 90 days, and `wanted` being reserved meanwhile."""
    figures: list[Figure] = []
    for stretch, length_us in STRETCHES.items():
        with a_database(engine) as (_, url):
            database = opened(url)
            say(f"{engine}, {entries:,} entries in {stretch}")
            _fill(database, entries, length_us)
            bounds = np.array([BEGIN_US - 1, BEGIN_US - 1 + length_us])
            compared = asyncio.run(_compared(database, bounds, wanted))
            database.close_now()
        figures += [
            Figure(what.format(stretch), value * 1e3, "ms", entries, ratio) for what, value, ratio in compared
        ]
    return figures


async def _compared(
    database: Database, bounds: Ints, wanted: Wanted
) -> list[tuple[str, float, float | None]]:
    """What was measured, how many seconds it took, and how many times what it is compared with."""
    whose, accesses = Account(Scope.LICENSEE, PARTY), (int(Access.VIEW), int(Access.ACCESS))
    records = SqlUsage(database)

    async def by_sums() -> list[Peak]:
        return (await records.fullest(whose, accesses, HOUR_US, bounds))[0]

    async def by_moments() -> list[Peak]:
        moments = await database.read(lambda connection: _every_moment(connection, bounds))
        return await asyncio.to_thread(peaks, *moments, HOUR_US, bounds)

    found, seconds, reserves = await _meanwhile(database, by_sums, wanted)
    expected, slow_seconds, slow_reserves = await _meanwhile(database, by_moments, wanted)
    assert found == expected, "the sums lead to another window than the moments"
    return [
        ("fullest hour of {}", seconds, None),
        ("  by every moment of {}", slow_seconds, slow_seconds / seconds),
        ("a reservation meanwhile, {}, median", reserves, None),
        ("  by every moment meanwhile, {}, median", slow_reserves, slow_reserves / reserves),
    ]


async def _meanwhile(
    database: Database, look: Callable[[], Awaitable[list[Peak]]], wanted: Wanted
) -> tuple[list[Peak], float, float]:
    """What is found, in how many seconds, and the median of those that a reservation takes until then."""
    clock = SystemClock()
    meter = Meter(SqlBooks(database, clock.now_us))

    async def timed_look() -> tuple[list[Peak], float]:
        started = time.perf_counter()
        return await look(), time.perf_counter() - started

    looking = asyncio.ensure_future(timed_look())
    taken: list[float] = []
    while not looking.done() or not taken:
        begun = time.perf_counter()
        await meter.reserve(replace(wanted, reservation_id=uuid7(clock.now_us())))
        taken.append(time.perf_counter() - begun)
    found, seconds = await looking
    return found, seconds, float(np.median(taken))


def _every_moment(connection: Connection, bounds: Ints) -> tuple[Ints, Ints]:
    take_any_time(connection)
    since_us, until_us = reach_us(HOUR_US, bounds)
    given = {"account": ACCOUNT_ID, "since": since_us, "until": until_us}
    streamed = {"stream_results": True, "max_row_buffer": ROWS_AT_ONCE}
    result = connection.execute(_MOMENTS, given, execution_options=streamed)
    columns = np.concatenate([np.array(rows, np.int64) for rows in result.partitions(ROWS_AT_ONCE)])
    columns = columns[np.argsort(columns[:, 0])]
    return columns[:, 0], columns[:, 1]


def _fill(database: Database, entries: int, length_us: int) -> None:
    """So many accesses of one party, seen elsewhere at random times, and their sums."""
    chance = np.random.default_rng(1)
    times = np.sort(chance.integers(BEGIN_US, BEGIN_US + length_us, entries)).tolist()
    posts = chance.integers(1, 20, entries).tolist()
    rows = [
        (ACCOUNT_ID, at_us, number, count, 0, int(Access.ACCESS), f"[[{KIND},0,{count}]]")
        for number, (at_us, count) in enumerate(zip(times, posts, strict=True), 1)
    ]

    def unit(connection: Connection) -> None:
        take_any_time(connection)
        make_account(connection, ACCOUNT_ID, PARTY)
        for begin in range(0, entries, ROWS_AT_ONCE):
            ENTRIES.run(connection, rows[begin : begin + ROWS_AT_ONCE])
        add_up(connection, entries)

    database.write_now(unit)
