"""Units of work on a table of words, and a way to have several of them share a transaction."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.long_reads import Work
from tests.support.postgres import PostgresServer
from tests.support.postgres_sessions import holds

WORDS_SCHEMA = Path(__file__).parents[1] / "unit" / "chassis" / "schema"


def words_database(url: str, **options: Any) -> Database:
    """The database at a URL, with its table of words."""
    return Database.open(url, schema_dir=WORDS_SCHEMA, name="words", **options)


def add(word: str) -> Callable[[Connection], str]:
    """Writes a word; there can be one of each."""

    def unit(connection: Connection) -> str:
        connection.execute(text("insert into words (word) values (:word)"), {"word": word})
        return word

    return unit


def words(connection: Connection) -> list[str]:
    """All of them, sorted."""
    return list(connection.execute(text("select word from words order by word")).scalars())


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


async def in_one_group(database: Database, *units: Callable[[Connection], object]) -> list[object]:
    """Has the units wait until they can only share a transaction; their results or exceptions."""
    return await sharing_a_commit(database, *(database.write(unit) for unit in units))


async def sharing_a_commit(database: Database, *writes: Coroutine[Any, Any, object]) -> list[object]:
    """The same for writes of any form."""
    blockade = Blockade()
    blocked = asyncio.create_task(database.write(blockade))
    await blockade.reached()
    waiting = [asyncio.create_task(write) for write in writes]
    await asyncio.sleep(0)
    blockade.open()
    await blocked
    return await asyncio.gather(*waiting, return_exceptions=True)


def each_of(*queries: Callable[[Connection], object]) -> Work[object]:
    """Work that gives the results of queries."""
    return lambda connection, go_on: (query(connection) for query in queries)


async def a_write_that_waits(database: Database, server: PostgresServer) -> "asyncio.Task[str]":
    """One whose commit waits for the standby: a session hears of a new setting when it gets to it."""
    for number in itertools.count():
        writing = asyncio.create_task(database.write(add(f"alpha-{number}")))
        while not writing.done():
            if await asyncio.to_thread(holds, server, "wait_event = 'SyncRep'"):
                return writing
        await writing
    raise AssertionError("it never waits")
