"""What a long read promises, whichever engine it is: one snapshot, told no faster than it is taken."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from services.chassis.database import READERS, Database
from services.chassis.long_reads import RESULTS_AHEAD, GoOn
from services.chassis.refusals import Refusal
from tests.support.engines import ENGINES, url_on
from tests.support.words import Blockade, add, each_of, words, words_database

PATIENCE_SECONDS = 10


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    opened = words_database(url_on(request.param, request, tmp_path, words_database))
    yield opened
    opened.close_now()


ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000)"
    " SELECT SUM(i) FROM n"
)


def endless(connection: Connection) -> object:
    """Goes on until it is stopped."""
    return connection.execute(ENDLESS).scalar_one()


async def test_a_long_read_that_computes_is_stopped_where_it_asks(database: Database) -> None:
    asked = threading.Event()

    def computing(connection: Connection, go_on: GoOn) -> Iterator[object]:
        yield words(connection)
        while True:
            go_on()
            asked.set()

    reading = database.read_each(computing)
    await anext(reading)
    await asyncio.to_thread(asked.wait, PATIENCE_SECONDS)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await reading.aclose()

        assert [result async for result in database.read_each(each_of(words))] == [[]]


async def test_a_long_read_is_one_snapshot_told_piece_by_piece(database: Database) -> None:
    await database.write(add("alpha"))
    blockade = Blockade()
    told = []

    def last(connection: Connection) -> object:
        blockade(connection)
        return words(connection)

    async with contextlib.aclosing(database.read_each(each_of(words, last))) as results:
        async for result in results:
            told.append(result)
            await database.write(add("beta" if len(told) == 1 else "gamma"))
            blockade.open()

    assert told == [["alpha"], ["alpha"]]
    assert await database.read(words) == ["alpha", "beta", "gamma"]


async def test_a_long_read_waits_for_whoever_takes_slowly(database: Database) -> None:
    taken: list[int] = []
    ahead: list[int] = []

    def work(_: Connection, go_on: GoOn) -> Iterator[int]:
        for number in range(100):
            ahead.append(number - len(taken))
            yield number

    async for number in database.read_each(work):
        await database.write(add(str(number)))
        taken.append(number)

    assert taken == list(range(100))
    # One is with whoever takes, one is just made, and the others wait.
    assert max(ahead) <= RESULTS_AHEAD + 2


async def test_a_long_read_that_waits_to_be_taken_from_can_be_stopped(database: Database) -> None:
    full = threading.Event()

    def work(_: Connection, go_on: GoOn) -> Iterator[int]:
        for number in range(1_000):
            if number == RESULTS_AHEAD + 1:
                full.set()
            yield number
        raise AssertionError("nobody took so many")

    reading = database.read_each(work)
    await anext(reading)
    await asyncio.to_thread(full.wait)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await reading.aclose()
        assert [result async for result in database.read_each(each_of(words))] == [[]]


async def test_a_long_read_holds_up_neither_other_reads_nor_the_writer(database: Database) -> None:
    reading = database.read_each(each_of(words, endless))
    await anext(reading)

    async with asyncio.timeout(PATIENCE_SECONDS):
        for number in range(READERS + 1):
            await database.write(add(str(number)))
            await database.read(words)
        await reading.aclose()


async def test_a_long_read_that_nobody_listens_to_any_more_is_stopped_and_leaves_its_reader(
    database: Database,
) -> None:
    # More often than there are connections.
    for _ in range(READERS + 3):
        reading = database.read_each(each_of(words, endless))
        await anext(reading)
        waiting = asyncio.ensure_future(anext(reading))
        await asyncio.sleep(0)
        waiting.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([waiting])
            await reading.aclose()

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [result async for result in database.read_each(each_of(words, words))] == [[], []]


async def test_a_long_read_that_waits_for_another_may_be_given_up(database: Database) -> None:
    first, second = database.read_each(each_of(words, endless)), database.read_each(each_of(words))
    await anext(first)
    waiting = asyncio.ensure_future(anext(second))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait([waiting])
    await second.aclose()
    await first.aclose()

    assert [result async for result in database.read_each(each_of(words))] == [[]]


async def test_a_long_read_raises_what_a_query_raises_after_what_was_read_before(database: Database) -> None:
    def broken(connection: Connection) -> object:
        raise ValueError("changed its mind")

    reading = database.read_each(each_of(words, broken, words))

    assert await anext(reading) == []
    with pytest.raises(ValueError, match="changed its mind"):
        await anext(reading)


async def test_a_long_read_writes_nothing(database: Database) -> None:
    with pytest.raises((DBAPIError, Refusal)):
        await anext(database.read_each(each_of(add("alpha"))))

    assert await database.read(words) == []
