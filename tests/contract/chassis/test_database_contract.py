"""What a database promises, whichever engine it is: what is acknowledged is stored, what fails, alone."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.chassis.database import READERS, Database
from services.chassis.long_reads import RESULTS_AHEAD, GoOn, Work
from services.chassis.refusals import Kind, Refusal, invalid
from tests.support.engines import ENGINES, url_on
from tests.support.words import Blockade, add, in_one_group, sharing_a_commit, words, words_database

PATIENCE_SECONDS = 10

Opening = Callable[..., Database]
Bulk = Callable[[Connection, Sequence[str]], list[str | Refusal]]


@pytest.fixture(params=ENGINES)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Opens one and the same database, the first time empty."""
    url = url_on(request.param, request, tmp_path, words_database)
    return lambda **options: words_database(url, **options)


@pytest.fixture
def database(opening: Opening) -> Iterator[Database]:
    opened = opening()
    yield opened
    opened.close_now()


async def test_what_was_written_is_read_back(database: Database) -> None:
    result = await database.write(add("alpha"))

    assert result == "alpha"
    assert await database.read(words) == ["alpha"]


async def test_units_that_arrive_during_a_commit_share_the_next_one(database: Database) -> None:
    transactions: set[int] = set()

    def note(connection: Connection) -> None:
        transactions.add(id(connection.get_transaction()))

    await in_one_group(database, *[note] * 20)

    assert len(transactions) == 1


async def test_a_failing_unit_does_not_harm_its_neighbours(database: Database) -> None:
    def half_done(connection: Connection) -> None:
        add("half")(connection)
        raise ValueError("changed its mind")

    results = await in_one_group(database, add("before"), half_done, add("before"), add("after"))

    assert results[0] == "before"
    assert isinstance(results[1], ValueError)
    assert isinstance(results[2], IntegrityError)
    assert results[3] == "after"
    assert await database.read(words) == ["after", "before"]


async def test_the_unit_of_a_cancelled_caller_still_commits(database: Database) -> None:
    blockade = Blockade()
    blocked = asyncio.create_task(database.write(blockade))
    await blockade.reached()
    caller = asyncio.create_task(database.write(add("alpha")))
    await asyncio.sleep(0)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    blockade.open()
    await blocked
    await database.write(add("beta"))

    assert await database.read(words) == ["alpha", "beta"]


async def test_a_full_queue_refuses_at_once_with_a_retry_time(opening: Opening) -> None:
    database = opening(queue_limit=2)
    blockade = Blockade()
    blocked = asyncio.create_task(database.write(blockade))
    await blockade.reached()
    waiting = [asyncio.create_task(database.write(add(word))) for word in ("one", "two")]
    await asyncio.sleep(0)

    with pytest.raises(Refusal) as refused:
        await database.write(add("three"))
    blockade.open()
    await asyncio.gather(blocked, *waiting)
    await database.close()

    assert refused.value.kind is Kind.EXHAUSTED
    assert refused.value.reason == "QUEUE_FULL"
    assert refused.value.retry_after_us == 100_000


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Refusal) as refused:
        await database.read(add("alpha"))

    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_a_read_is_one_snapshot(database: Database) -> None:
    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        first = words(connection)
        database.write_now(add("alpha"))
        return first, words(connection)

    assert await database.read(twice) == ([], [])


async def test_an_urgent_read_waits_for_no_other(database: Database) -> None:
    await database.write(add("alpha"))
    blockades = [Blockade() for _ in range(READERS + 1)]
    long = [asyncio.create_task(database.read(blockade)) for blockade in blockades]
    for blockade in blockades[:READERS]:
        await blockade.reached()

    async with asyncio.timeout(PATIENCE_SECONDS):
        urgent = await database.read(words, confirmed=True, urgent=True)
    for blockade in blockades:
        blockade.open()
    await asyncio.gather(*long)

    assert urgent == ["alpha"]


def each_of(*queries: Callable[[Connection], object]) -> Work[object]:
    """Work that gives the results of queries."""
    return lambda connection, go_on: (query(connection) for query in queries)


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


async def test_a_closed_database_refuses(opening: Opening) -> None:
    database = opening()
    await database.close()

    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await database.write(add("alpha"))
    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await database.read(words)
    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await anext(database.read_each(each_of(words)))


async def test_closing_finishes_what_is_queued(opening: Opening) -> None:
    database = opening()
    blockade = Blockade()
    blocked = asyncio.create_task(database.write(blockade))
    await blockade.reached()
    waiting = [asyncio.create_task(database.write(add(str(number)))) for number in range(200)]
    await asyncio.sleep(0)

    closing = asyncio.create_task(database.close())
    blockade.open()
    await asyncio.gather(blocked, closing, *waiting)
    reopened = opening()
    stored = await reopened.read(words)
    await reopened.close()

    assert stored == sorted(str(number) for number in range(200))


def test_migrations_run_once_and_in_order(opening: Opening) -> None:
    opening().close_now()
    database = opening()

    def version(connection: Connection) -> list[object]:
        return list(connection.execute(text("select version_num from alembic_version")).scalars())

    stored = database.read_now(version)
    columns = database.read_now(lambda c: c.execute(text("select word, length from words")).keys())
    database.close_now()

    assert stored == ["0002"]
    assert list(columns) == ["word", "length"]


def test_a_database_of_a_later_release_is_refused(opening: Opening) -> None:
    database = opening()
    database.write_now(lambda c: c.execute(text("update alembic_version set version_num = '9999'")))
    database.close_now()

    with pytest.raises(Refusal, match="SCHEMA_UNKNOWN"):
        opening()


def named(
    calls: list[list[str]], bad: str = ""
) -> Callable[[Connection, Sequence[str]], list[str | Refusal]]:
    """Adds words, and notes which of them came together."""

    def run(connection: Connection, items: Sequence[str]) -> list[str | Refusal]:
        calls.append(list(items))
        if bad in items and bad:
            raise ValueError(bad)
        return [invalid("EMPTY", "no word") if item == "" else add(item)(connection) for item in items]

    return run


async def together(database: Database, run: Bulk, *items: str) -> list[object]:
    """Has them wait for one and the same commit."""
    return await sharing_a_commit(database, *(database.write_together(run, item) for item in items))


async def test_what_is_done_together_is_one_call_with_one_answer_each(database: Database) -> None:
    calls: list[list[str]] = []

    answers = await together(database, named(calls), "alpha", "beta", "gamma")

    assert answers == ["alpha", "beta", "gamma"]
    assert calls == [["alpha", "beta", "gamma"]]
    assert await database.read(words) == ["alpha", "beta", "gamma"]


async def test_a_refusal_among_what_is_done_together_is_of_one_alone(database: Database) -> None:
    answers = await together(database, named([]), "alpha", "", "gamma")

    assert [answers[0], answers[2]] == ["alpha", "gamma"]
    assert isinstance(answers[1], Refusal)
    assert await database.read(words) == ["alpha", "gamma"]


async def test_what_fails_together_is_done_one_by_one(database: Database) -> None:
    calls: list[list[str]] = []

    answers = await together(database, named(calls, bad="beta"), "alpha", "beta", "gamma")

    assert [answers[0], answers[2]] == ["alpha", "gamma"]
    assert isinstance(answers[1], ValueError)
    assert calls[-3:] == [["alpha"], ["beta"], ["gamma"]]
    assert await database.read(words) == ["alpha", "gamma"]


async def test_a_word_that_is_there_already_spoils_only_its_own_change(database: Database) -> None:
    await database.write(add("beta"))

    answers = await together(database, named([]), "alpha", "beta", "gamma")

    assert isinstance(answers[1], IntegrityError)
    assert await database.read(words) == ["alpha", "beta", "gamma"]


async def test_what_is_done_together_keeps_its_place_among_others(database: Database) -> None:
    calls: list[list[str]] = []
    run = named(calls)

    await sharing_a_commit(
        database,
        database.write_together(run, "alpha"),
        database.write_together(run, "beta"),
        database.write(add("gamma")),
        database.write_together(run, "delta"),
    )

    assert calls == [["alpha", "beta"], ["delta"]]
    assert await database.read(words) == ["alpha", "beta", "delta", "gamma"]
