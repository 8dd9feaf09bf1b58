"""What a database promises, whichever engine it is: what is acknowledged is stored, what fails, alone."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from services.chassis.bulk import Question
from services.chassis.database import READERS, Database
from services.chassis.refusals import Kind, Refusal, invalid
from services.chassis.urgency import urgently
from tests.support.engines import ENGINES, url_on
from tests.support.words import Blockade, add, each_of, in_one_group, sharing_a_commit, words, words_database

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


async def test_what_is_urgent_is_committed_before_what_waits(database: Database) -> None:
    seen: dict[str, list[str]] = {}

    def noting(word: str) -> Callable[[Connection], None]:
        def unit(connection: Connection) -> None:
            seen[word] = words(connection)
            add(word)(connection)

        return unit

    async def in_a_hurry() -> None:
        with urgently():
            await database.write(noting("suspend"))
            await database.write(noting("suspended"))

    await sharing_a_commit(database, *(database.write(noting(word)) for word in "ab"), in_a_hurry())

    assert seen["suspend"] == []
    assert "suspend" in seen["a"]
    assert await database.read(words) == ["a", "b", "suspend", "suspended"]


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


async def test_what_is_asked_of_the_driver_alone_can_be_confirmed(database: Database) -> None:
    question = Question("SELECT w.word FROM {given} JOIN words w ON w.word = given.asked", asked="text")
    await database.write(add("alpha"))

    found = await database.read(lambda connection: question.ask(connection, [("alpha",)]), confirmed=True)

    assert [tuple(row) for row in found] == [("alpha",)]


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


def test_a_database_from_which_a_later_release_has_taken_something_away_is_refused(opening: Opening) -> None:
    database = opening()
    database.write_now(lambda c: c.execute(text("update alembic_version set version_num = '9999'")))
    database.write_now(lambda c: c.execute(text("update schema_floor set revision = '9999'")))
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
