"""A SQLite file: full disks and locks pass, a lost write ends the process, and one process owns the file."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from services.chassis.database import Database
from services.chassis.engines import Trouble
from services.chassis.group_commit import CommitUnknown
from services.chassis.refusals import Kind, Refusal, unavailable
from services.chassis.sqlite import trouble_of
from tests.support.words import WORDS_SCHEMA, add, in_one_group, words, words_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_at(tmp_path)
    yield opened
    opened.close_now()


def open_at(folder: Path) -> Database:
    return words_database(f"sqlite:///{folder}/words.db")


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
        patch.setattr(database._engine, "commit", commit)
        results = await asyncio.gather(
            *(database.write(add(word)) for word in ("one", "two")), return_exceptions=True
        )
    await database.write(add("three"))

    assert all(isinstance(result, CommitUnknown) for result in results)
    assert await database.read(words) == ["three"]


async def test_r5_a_database_that_was_given_up_is_neither_read_nor_written(database: Database) -> None:
    async def refused(call: Awaitable[object]) -> str:
        with pytest.raises(Refusal) as refusal:
            await call
        return refusal.value.reason

    for reason in ("LOST", "LOST_AGAIN"):
        database.give_up(unavailable(reason, "it is another one"))

    assert await refused(database.read(words)) == "LOST"
    assert await refused(database.read(words, urgent=True)) == "LOST"
    assert await refused(database.write(add("alpha"))) == "LOST"
    assert await refused(database.write_together(lambda _c, items: items, "alpha")) == "LOST"
    assert database.given_up.is_set()


async def test_a_reader_never_checkpoints(database: Database) -> None:
    def autocheckpoint(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()

    assert await database.read(autocheckpoint) == 0


async def test_writes_are_durable_and_keep_foreign_keys(database: Database) -> None:
    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    synchronous_full = 2

    assert await database.write(pragmas) == ["wal", synchronous_full, 1]


def test_a_database_is_opened_twice_by_nobody(tmp_path: Path) -> None:
    database = open_at(tmp_path)

    with pytest.raises(Refusal, match="DATABASE_IN_USE"):
        open_at(tmp_path)
    database.close_now()
    open_at(tmp_path).close_now()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://there/x", "nonsense"])
def test_only_files_are_databases(url: str) -> None:
    with pytest.raises(Refusal, match="DATABASE_URL_INVALID"):
        Database.open(url, schema_dir=WORDS_SCHEMA, name="words")


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
