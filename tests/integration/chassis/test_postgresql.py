"""PostgreSQL when things break: lost sessions, killed servers, rivals, and a server that may forget."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

from services.chassis.database import Database
from services.chassis.engines import Trouble
from services.chassis.group_commit import CommitUnknown
from services.chassis.postgresql import trouble_of
from services.chassis.refusals import Kind, Refusal
from tests.support.postgres import BINARIES, MISSING, PostgresServer, a_server
from tests.support.postgres_sessions import NAMES, PATIENCE_SECONDS, cut_off, reload
from tests.support.words import a_write_that_waits, add, in_one_group, words, words_database

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

WRITERS = 8


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = words_database(url)
    yield opened
    opened.close_now()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own."""
    with a_server() as server:
        yield server


def session(connection: Connection) -> int:
    """The server's process for this connection."""
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def end_writer(database: Database, server: PostgresServer) -> None:
    """Ends the session of the writer, and returns when the server has done so."""
    pid = database.write_now(session)
    server.execute(f"SELECT pg_terminate_backend({pid}, 10000)")


class Load:
    """Writes words until the database refuses one, and remembers what was acknowledged."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.told: list[str] = []
        self.refusals: list[Refusal] = []
        self.enough = asyncio.Event()

    async def write(self, writer: int) -> None:
        for number in range(1_000_000):
            try:
                self.told.append(await self._database.write(add(f"{writer}-{number}")))
            except Refusal as refusal:
                self.refusals.append(refusal)
                return
            if len(self.told) >= 300:
                self.enough.set()


async def test_what_was_acknowledged_before_the_server_was_killed_is_there_afterwards(
    server: PostgresServer,
) -> None:
    database = words_database(server.new_database())
    load = Load(database)
    writers = [asyncio.create_task(load.write(writer)) for writer in range(WRITERS)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await load.enough.wait()
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*writers)
    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await database.read(words)

    await asyncio.to_thread(server.start)
    stored = await database.read(words)
    await database.write(add("again"))
    again = await database.read(words)
    await database.close()

    assert {refusal.kind for refusal in load.refusals} == {Kind.UNAVAILABLE}
    assert {refusal.reason for refusal in load.refusals} <= {"DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN"}
    assert len(load.refusals) == WRITERS
    assert set(load.told) <= set(stored)
    assert "again" in again


async def test_a_session_that_was_lost_while_idle_is_replaced_unnoticed(
    database: Database, postgres: PostgresServer
) -> None:
    await asyncio.to_thread(end_writer, database, postgres)

    assert await database.write(add("alpha")) == "alpha"


async def test_a_session_that_is_lost_before_the_commit_leaves_nothing_written(
    database: Database, postgres: PostgresServer
) -> None:
    def lose(connection: Connection) -> None:
        postgres.execute(f"SELECT pg_terminate_backend({session(connection)}, 10000)")

    results = await in_one_group(database, add("one"), lose, add("three"))
    await database.write(add("four"))

    assert [getattr(result, "reason", None) for result in results] == ["DATABASE_UNAVAILABLE"] * 3
    assert await database.read(words) == ["four"]


async def test_a_session_that_is_lost_during_the_commit_leaves_it_unknown(
    database: Database, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = database._engine.commit

    def lose_then_commit() -> None:
        pid = session(database._engine.writer)
        postgres.execute(f"SELECT pg_terminate_backend({pid}, 10000)")
        commit()

    with monkeypatch.context() as patch:
        patch.setattr(database._engine, "commit", lose_then_commit)
        with pytest.raises(CommitUnknown):
            await database.write(add("one"))
    await database.write(add("two"))

    assert await database.read(words) == ["two"]


async def test_a_wait_for_the_standby_that_is_cut_short_leaves_the_commit_unknown(
    server: PostgresServer,
) -> None:
    database = words_database(server.new_database())
    await asyncio.to_thread(cut_off, server)

    async with asyncio.timeout(PATIENCE_SECONDS):
        writing = await a_write_that_waits(database, server)
    server.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    with pytest.raises(CommitUnknown):
        await writing
    await database.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"fsync": "off"},
        {"full_page_writes": "off"},
        {"synchronous_commit": "off"},
        {"synchronous_commit": "local", "synchronous_standby_names": "elsewhere"},
    ],
)
def test_a_server_that_may_forget_is_refused(settings: dict[str, str]) -> None:
    with a_server(**settings) as server, pytest.raises(Refusal) as refused:
        words_database(server.url())

    name, value = next(iter(settings.items()))
    assert refused.value.reason == "DURABILITY_OFF"
    assert f"{name}={value}" in refused.value.message


def test_without_a_standby_a_local_commit_is_all_there_is() -> None:
    with a_server(synchronous_commit="local") as server:
        words_database(server.url()).close_now()


async def test_a_server_that_comes_back_forgetful_is_not_written_to(server: PostgresServer) -> None:
    database = words_database(server.url())
    server.execute("ALTER SYSTEM SET fsync = off")
    server.stop()
    server.start()

    with pytest.raises(Refusal) as refused:
        await database.write(add("alpha"))
    await database.close()

    assert refused.value.reason == "DATABASE_UNAVAILABLE"


@pytest.mark.parametrize(
    ("name", "forgetful", "safe"),
    [("fsync", "off", "on"), ("full_page_writes", "off", "on"), ("synchronous_commit", "off", "on")],
)
async def test_c9_a_server_that_is_told_to_forget_while_it_runs_is_used_no_more_until_it_is_told_otherwise(
    server: PostgresServer, name: str, forgetful: str, safe: str
) -> None:
    database = words_database(server.new_database())
    await database.write(add("before"))

    await asyncio.to_thread(reload, server, f"SET {name} = {forgetful}", name, forgetful)
    with pytest.raises(Refusal) as written:
        await database.write(add("meanwhile"))
    with pytest.raises(Refusal) as read:
        await database.read(words, confirmed=True)
    await asyncio.to_thread(reload, server, f"RESET {name}", name, safe)
    await database.write(add("after"))
    stored = await database.read(words, confirmed=True)
    await database.close()

    assert written.value.reason == read.value.reason == "DATABASE_UNAVAILABLE"
    assert stored == ["after", "before"]


async def test_c9_where_a_standby_was_waited_for_none_at_all_is_not_enough(server: PostgresServer) -> None:
    url = server.new_database()
    database = words_database(url, standby_patience=0.1)
    await asyncio.to_thread(cut_off, server)
    with pytest.raises(Refusal):
        await database.read(words, confirmed=True)

    await asyncio.to_thread(reload, server, f"RESET {NAMES}", NAMES, "")
    with pytest.raises(Refusal) as written:
        await database.write(add("alpha"))
    with pytest.raises(Refusal) as read:
        await database.read(words, confirmed=True)
    await database.close()
    # Whoever starts without a standby does without one.
    database = words_database(url)
    await database.write(add("beta"))
    stored = await database.read(words, confirmed=True)
    await database.close()

    assert written.value.reason == read.value.reason == "DATABASE_UNAVAILABLE"
    assert stored == ["beta"]


def test_services_that_start_at_once_migrate_once(url: str) -> None:
    start = threading.Barrier(4)

    def open_together(_n: int) -> Database:
        start.wait(PATIENCE_SECONDS)
        return words_database(url)

    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(open_together, range(4)))
    version = opened[0].read_now(lambda c: c.execute(text("select version_num from alembic_version")).all())
    for database in opened:
        database.close_now()

    assert [tuple(row) for row in version] == [("0002",)]


async def test_what_no_standby_confirms_is_not_read_as_confirmed(server: PostgresServer) -> None:
    database = words_database(server.new_database(), standby_patience=0.1)
    await database.write(add("alpha"))
    before = await database.read(words, confirmed=True)

    # As a primary that is cut off from its standby: it goes on, and no commit is confirmed any more.
    await asyncio.to_thread(cut_off, server)
    with pytest.raises(Refusal) as refused:
        await database.read(words, confirmed=True)
    unconfirmed = await database.read(words)
    await database.close()

    assert before == unconfirmed == ["alpha"]
    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_processes_that_wait_for_each_other_in_a_circle_both_get_through(
    url: str, postgres: PostgresServer
) -> None:
    postgres.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET deadlock_timeout = '20ms'")
    one, two = words_database(url), words_database(url)
    await one.write(add("a"))
    await one.write(add("b"))
    meeting = threading.Barrier(2)
    times = {"a": 0, "b": 0}

    def touch(first: str, second: str) -> Callable[[Connection], None]:
        def unit(connection: Connection) -> None:
            times[first] += 1
            update = text("update words set length = coalesce(length, 0) + 1 where word = :word")
            connection.execute(update, {"word": first})
            if times[first] == 1:
                meeting.wait(PATIENCE_SECONDS)
            connection.execute(update, {"word": second})

        return unit

    await asyncio.gather(one.write(touch("a", "b")), two.write(touch("b", "a")))
    lengths = await one.read(lambda c: c.execute(text("select length from words")).scalars().all())
    await asyncio.gather(one.close(), two.close())

    assert list(lengths) == [2, 2]
    # Who is sent back may be sent back again, by whoever came before it.
    assert min(times.values()) >= 1
    assert max(times.values()) >= 2


async def test_an_error_that_a_unit_keeps_to_itself_is_not_acknowledged(database: Database) -> None:
    def keep_quiet(connection: Connection) -> None:
        add("alpha")(connection)
        with contextlib.suppress(IntegrityError):
            add("alpha")(connection)

    with pytest.raises(Refusal) as refused:
        await database.write(keep_quiet)

    assert refused.value.kind is Kind.UNAVAILABLE
    assert await database.read(words) == []


async def test_the_text_of_an_error_names_no_value_of_a_row(database: Database) -> None:
    await database.write(add("confidential"))

    with pytest.raises(IntegrityError) as failed:
        await database.write(add("confidential"))

    assert "confidential" not in str(failed.value)
    assert "confidential" not in str(failed.value.orig)


@pytest.mark.parametrize("url", ["postgresql://", "postgresql+asyncpg://there/x", "postgresql://there:x/y"])
def test_only_a_named_database_of_a_server_is_one(url: str) -> None:
    with pytest.raises(Refusal, match="DATABASE_URL_INVALID"):
        words_database(url)


def test_a_server_that_is_not_there_is_unavailable(server: PostgresServer) -> None:
    server.stop()

    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        words_database(server.url())


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (psycopg.errors.UniqueViolation(), Trouble.STATEMENT),
        (psycopg.errors.UndefinedTable(), Trouble.STATEMENT),
        (psycopg.errors.SerializationFailure(), Trouble.RACE),
        (psycopg.errors.DeadlockDetected(), Trouble.RACE),
        (psycopg.errors.LockNotAvailable(), Trouble.UNAVAILABLE),
        (psycopg.errors.QueryCanceled(), Trouble.UNAVAILABLE),
        (psycopg.errors.DiskFull(), Trouble.UNAVAILABLE),
        (psycopg.errors.AdminShutdown(), Trouble.UNAVAILABLE),
        (psycopg.errors.ReadOnlySqlTransaction(), Trouble.UNAVAILABLE),
        (psycopg.OperationalError("the connection is closed"), Trouble.UNAVAILABLE),
        (psycopg.ProgrammingError("two parameters were expected"), Trouble.STATEMENT),
    ],
)
def test_errors_of_the_server_are_told_from_errors_of_the_statement(
    error: psycopg.Error, trouble: Trouble
) -> None:
    assert trouble_of(error) is trouble
    assert trouble_of(OperationalError("select 1", None, error)) is trouble
