"""The database: what is acknowledged is stored, what fails harms nobody else, one process owns the file."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

from services.chassis.database import Database
from services.chassis.group_commit import CommitUnknown
from services.chassis.refusals import Kind, Refusal
from services.chassis.sqlite import Trouble, trouble_of

SCHEMA = Path(__file__).parent / "schema"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_at(tmp_path)
    yield opened
    opened.close_now()


def open_at(folder: Path, **limits: int) -> Database:
    return Database.open(f"sqlite:///{folder}/words.db", schema_dir=SCHEMA, name="words", **limits)


def add(word: str) -> Callable[[Connection], str]:
    def unit(connection: Connection) -> str:
        connection.execute(text("insert into words (word) values (:word)"), {"word": word})
        return word

    return unit


def words(connection: Connection) -> list[str]:
    return list(connection.execute(text("select word from words order by rowid")).scalars())


class Blockade:
    """A unit that holds the writer thread up until it is opened: what comes meanwhile forms one group."""

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._open = threading.Event()

    def __call__(self, _connection: Connection) -> None:
        self._entered.set()
        assert self._open.wait(10)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._entered.wait, 10)

    def open(self) -> None:
        self._open.set()


async def in_one_group(
    database: Database, *units: Callable[[Connection], object], then: Callable[[object], None] | None = None
) -> list[object]:
    blockade = Blockade()
    blocked = asyncio.create_task(database.write(blockade))
    await blockade.reached()
    waiting = [asyncio.create_task(database.write(unit, then)) for unit in units]
    await asyncio.sleep(0)
    blockade.open()
    await blocked
    return await asyncio.gather(*waiting, return_exceptions=True)


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
    assert await database.read(words) == ["before", "after"]


async def test_then_runs_in_commit_order_and_only_for_what_was_committed(database: Database) -> None:
    seen: list[object] = []

    results = await in_one_group(database, add("one"), add("two"), add("one"), add("three"), then=seen.append)

    assert seen == ["one", "two", "three"]
    assert isinstance(results[2], IntegrityError)


async def test_then_sees_the_row_committed_before_the_caller_hears_of_it(database: Database) -> None:
    seen: list[list[str]] = []

    await database.write(add("alpha"), lambda _: seen.append(database.read_now(words)))

    assert seen == [["alpha"]]


async def test_a_failure_in_then_reaches_its_caller_alone(database: Database) -> None:
    def refuse_two(word: object) -> None:
        if word == "two":
            raise LookupError(word)

    results = await in_one_group(database, add("one"), add("two"), add("three"), then=refuse_two)

    assert results[0] == "one"
    assert isinstance(results[1], LookupError)
    assert results[2] == "three"


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


async def test_a_full_queue_refuses_at_once_with_a_retry_time(tmp_path: Path) -> None:
    database = open_at(tmp_path, queue_limit=2)
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


async def test_a_full_disk_is_unavailable_and_it_serves_again_by_itself(database: Database) -> None:
    def shrink(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1")

    def grow(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")

    await database.write(shrink)
    with pytest.raises(Refusal) as refused:
        await database.write(add("x" * 100_000))
    await database.write(grow)
    await database.write(add("alpha"))

    assert refused.value.kind is Kind.UNAVAILABLE
    assert refused.value.reason == "DATABASE_UNAVAILABLE"
    assert await database.read(words) == ["alpha"]


async def test_a_locked_file_is_unavailable_and_it_serves_again_by_itself(
    database: Database, tmp_path: Path
) -> None:
    await database.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout=0"))
    other = sqlite3.connect(tmp_path / "words.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await database.write(add("alpha"))
    other.execute("ROLLBACK")
    other.close()
    await database.write(add("beta"))

    assert await database.read(words) == ["beta"]


async def test_a_full_disk_undoes_the_whole_group(database: Database) -> None:
    def out_of_space(_connection: Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    results = await in_one_group(database, add("one"), out_of_space, add("three"))

    assert [getattr(result, "reason", None) for result in results] == ["DATABASE_UNAVAILABLE"] * 3
    assert await database.read(words) == []


async def test_a_commit_that_fails_leaves_every_unit_unknown(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(database._file, "commit", commit)
        results = await asyncio.gather(
            *(database.write(add(word)) for word in ("one", "two")), return_exceptions=True
        )
    await database.write(add("three"))

    assert all(isinstance(result, CommitUnknown) for result in results)
    assert await database.read(words) == ["three"]


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Refusal) as refused:
        await database.read(add("alpha"))

    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_a_reader_never_checkpoints(database: Database) -> None:
    def autocheckpoint(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()

    assert await database.read(autocheckpoint) == 0


async def test_a_read_is_one_snapshot(database: Database) -> None:
    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        first = words(connection)
        database.write_now(add("alpha"))
        return first, words(connection)

    assert await database.read(twice) == ([], [])


async def test_writes_are_durable_and_keep_foreign_keys(database: Database) -> None:
    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    synchronous_full = 2

    assert await database.write(pragmas) == ["wal", synchronous_full, 1]


async def test_a_closed_database_refuses(tmp_path: Path) -> None:
    database = open_at(tmp_path)
    await database.close()

    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await database.write(add("alpha"))
    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await database.read(words)


async def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    database = open_at(tmp_path)
    blockade = Blockade()
    blocked = asyncio.create_task(database.write(blockade))
    await blockade.reached()
    waiting = [asyncio.create_task(database.write(add(str(number)))) for number in range(200)]
    await asyncio.sleep(0)

    closing = asyncio.create_task(database.close())
    blockade.open()
    await asyncio.gather(blocked, closing, *waiting)
    reopened = open_at(tmp_path)
    stored = await reopened.read(words)
    await reopened.close()

    assert stored == [str(number) for number in range(200)]


def test_a_database_is_opened_twice_by_nobody(tmp_path: Path) -> None:
    database = open_at(tmp_path)

    with pytest.raises(Refusal, match="DATABASE_IN_USE"):
        open_at(tmp_path)
    database.close_now()
    open_at(tmp_path).close_now()


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    open_at(tmp_path).close_now()
    database = open_at(tmp_path)

    def version(connection: Connection) -> list[object]:
        return list(connection.execute(text("select version_num from alembic_version")).scalars())

    stored = database.read_now(version)
    columns = database.read_now(lambda c: c.execute(text("select word, length from words")).keys())
    database.close_now()

    assert stored == ["0002"]
    assert list(columns) == ["word", "length"]


def test_a_database_of_a_later_release_is_refused(tmp_path: Path) -> None:
    database = open_at(tmp_path)
    database.write_now(lambda c: c.execute(text("update alembic_version set version_num = '9999'")))
    database.close_now()

    with pytest.raises(Refusal, match="SCHEMA_UNKNOWN"):
        open_at(tmp_path)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://there/x", "nonsense"])
def test_only_files_are_databases(url: str) -> None:
    with pytest.raises(Refusal, match="DATABASE_URL_INVALID"):
        Database.open(url, schema_dir=SCHEMA, name="words")


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_ERROR, Trouble.STATEMENT),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, Trouble.STATEMENT),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Trouble.UNAVAILABLE),
        (sqlite3.SQLITE_FULL, Trouble.UNAVAILABLE),
        (sqlite3.SQLITE_IOERR_SHMSIZE, Trouble.UNAVAILABLE),
        (sqlite3.SQLITE_IOERR_FSYNC, Trouble.FATAL),
        (sqlite3.SQLITE_IOERR_WRITE, Trouble.FATAL),
    ],
)
def test_errors_of_the_disk_are_told_from_errors_of_the_statement(code: int, trouble: Trouble) -> None:
    error = sqlite3.OperationalError("whatever")
    error.sqlite_errorcode = code

    assert trouble_of(error) is trouble
    assert trouble_of(OperationalError("select 1", None, error)) is trouble
