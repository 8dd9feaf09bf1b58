"""Windows of limits on calls, in memory and in a database: the same rulings, and what is left of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.metering.domain.rates.limits import Unit
from services.metering.domain.windows import MINUTE_US, SECOND_US
from services.metering.limiter import Windows
from services.metering.storage.rate_windows import SqlRateWindows
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.metering import metering_database_at
from tests.support.rate_limits import EveryCall, MemoryRateWindows, a_call, a_limited


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def windows(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Windows]:
    if request.param == "memory":
        yield MemoryRateWindows(clock)
        return
    database = metering_database_at(url_on(request.param, request, tmp_path, metering_database_at))
    yield SqlRateWindows(database, clock.now_us)
    await database.close()


async def test_calls_that_come_together_are_let_through_up_to_the_limit(windows: Windows) -> None:
    limit = a_limited("a", 40, Unit.MINUTE)

    rulings = await asyncio.gather(*(windows.count(a_call(limit)) for _ in range(100)))

    assert sum(not each.denying for each in rulings) == 40


async def test_a_window_is_exact_to_the_microsecond(windows: Windows, clock: ManualClock) -> None:
    limit = a_limited("a", 1)
    await windows.count(a_call(limit))
    clock.advance(SECOND_US - 1)
    early = await windows.count(a_call(limit))
    clock.advance(1)
    late = await windows.count(a_call(limit))

    assert early.denying
    assert not late.denying


async def test_what_is_denied_counts_in_none_of_its_limits(windows: Windows) -> None:
    narrow, wide = a_limited("narrow", 1, Unit.HOUR), a_limited("wide", 10, Unit.HOUR)
    for _ in range(5):
        await windows.count(a_call(narrow, wide))

    ruling = await windows.count(a_call(wide))

    assert ruling.standings["wide"].left == 8


async def test_calls_of_several_kinds_agree_with_a_list_of_all_of_them(
    windows: Windows, clock: ManualClock
) -> None:
    limits = [a_limited("a", 3), a_limited("b", 5, Unit.MINUTE), a_limited("c", 7, Unit.HOUR)]
    truth = EveryCall()
    for turn in range(60):
        asked = a_call(
            *(each for place, each in enumerate(limits) if turn % (place + 2) != 1), calls=1 + turn % 2
        )
        ruling = await windows.count(asked)
        assert truth.count(asked, clock.now_us()) == (not ruling.denying)
        clock.advance(turn * 40_000)


async def test_a_limit_that_changes_its_number_keeps_what_it_has_counted(windows: Windows) -> None:
    for _ in range(2):
        await windows.count(a_call(a_limited("a", 2, Unit.DAY)))

    ruling = await windows.count(a_call(a_limited("a", 3, Unit.DAY)))

    assert ruling.standings["a"].left == 0


@pytest.mark.parametrize("engine", ENGINES)
async def test_windows_that_have_passed_are_dropped_and_no_others(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> None:
    database = metering_database_at(url_on(engine, request, tmp_path, metering_database_at))
    windows = SqlRateWindows(database, clock.now_us)
    await windows.count(a_call(a_limited("second", 2), a_limited("hour", 2, Unit.HOUR)))
    clock.advance(3 * MINUTE_US)

    more = await windows.drop_passed()
    left = await windows.count(a_call(a_limited("hour", 2, Unit.HOUR)))
    keys = await database.read(
        lambda connection: connection.exec_driver_sql("SELECT key FROM rate_windows").scalars().all()
    )

    assert not more
    assert keys == ["hour"]
    assert left.standings["hour"].left == 0
    await database.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_nothing_is_written_for_a_call_that_is_denied(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> None:
    database = metering_database_at(url_on(engine, request, tmp_path, metering_database_at))
    windows = SqlRateWindows(database, clock.now_us)
    closed, open_ = a_limited("closed", 0), a_limited("open", 5)

    ruling = await windows.count(a_call(closed, open_))
    rows = await database.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM rate_windows").scalar()
    )

    assert ruling.denying
    assert rows == 0
    await database.close()
