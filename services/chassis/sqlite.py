"""SQLite the safe way: one process owns the file, and one connection writes and checkpoints.

SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint at once. So there is one
writer, the readers never checkpoint, and the writer is opened first and closed last (whoever closes last
checkpoints).
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from services.chassis.engines import Trouble
from services.chassis.migrations import check_served, logged
from services.chassis.refusals import Behind, Refusal, invalid, precondition, unavailable
from services.chassis.revisions import Schema
from services.chassis.sqlite_migrations import migrate as run_missing

BUSY_TIMEOUT_MS = 5_000

_ALL_CONNECTIONS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",
)
_READERS = ("PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0")

# Primary result codes (https://www.sqlite.org/rescode.html) that say something about the machine, not the
# statement.
_TROUBLE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


DRIVER_ERRORS = (DBAPIError, sqlite3.Error)
"""What a statement raises through SQLAlchemy, and what it raises past it."""


def trouble_of(error: DBAPIError | sqlite3.Error) -> Trouble:
    """Sorts a driver error by its SQLite result code."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _TROUBLE_CODES:
        return Trouble.STATEMENT
    # Growing the shared-memory index on a full disk is an IOERR too, but nothing was lost by it.
    if code & 0xFF == sqlite3.SQLITE_IOERR and code != sqlite3.SQLITE_IOERR_SHMSIZE:
        return Trouble.FATAL
    return Trouble.UNAVAILABLE


class SqliteFile:
    """One SQLite file, owned by this process until it is closed."""

    dialect = "sqlite"
    has_rivals = False
    may_fail_over = False
    driver_errors = DRIVER_ERRORS

    def __init__(
        self,
        url: str,
        *,
        schema_dir: Path,
        name: str,
        readers: int,
        options: Mapping[str, Any],
        migrate: bool,
    ) -> None:
        """Takes the lock, opens the writer and migrates; `readers` connections are opened as they are needed.

        Without `migrate` it only looks whether it can serve on what is there.

        Raises Refusal: DATABASE_URL_INVALID, DATABASE_IN_USE, DATABASE_UNAVAILABLE, SCHEMA_UNKNOWN,
        SCHEMA_BEHIND.
        """
        self._path = path = path_of(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(path)
        try:
            self._writer_engine = _engine(
                path, "BEGIN IMMEDIATE", poolclass=StaticPool, execution_options=options
            )
            self._reader_engine = _engine(
                path, "BEGIN", poolclass=QueuePool, pool_size=readers, max_overflow=0
            )
            event.listen(self._reader_engine, "connect", _apply(_READERS))
            self._open_writer(Schema.in_folder(schema_dir), name, migrate=migrate)
        except BaseException:
            self._lock.close()
            raise

    def _open_writer(self, schema: Schema, name: str, *, migrate: bool) -> None:
        try:
            self.writer = self._writer_engine.connect()
            self._driver = _driver_of(self.writer)
            self._identity = _identity_of(self._path)
            _check_journal(self._driver)
            if migrate:
                # Whoever owns the file has no process of an earlier release beside them.
                run_missing(self.writer, self._driver, schema, contract=True, tell=logged)
            else:
                with self.writer.begin():
                    check_served(self.writer, schema, name)
        except DRIVER_ERRORS as error:
            raise _failed(error) from error

    def trouble_of(self, error: Any) -> Trouble:
        """As the function of this name."""
        return trouble_of(error)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, on a connection that cannot write."""
        with self._reader_engine.connect() as connection, connection.begin():
            yield connection

    def reading_long(self) -> contextlib.AbstractContextManager[Connection]:
        """As `reading`: no statement is cut off. What it keeps from being overwritten, the log grows by."""
        return self.reading()

    def interrupt(self, driver: Any) -> None:
        """Has the statement that runs on a connection of the driver's fail, if one does; any thread."""
        driver.interrupt()

    def stay_present(self) -> None:
        """The lock on the file is held for as long as the process lives."""

    def check_place(self) -> None:
        """Raises Behind where another file has taken the place of the one that was opened, or none is there.

        What is written goes into a file that nobody will find any more.
        """
        try:
            there = _identity_of(self._path)
        except FileNotFoundError as error:
            raise Behind from error
        except OSError as error:
            raise unavailable("DATABASE_UNAVAILABLE", "the folder of the database cannot be read") from error
        if there != self._identity:
            raise Behind

    def confirm(self, connection: Connection, since: float) -> None:
        """A file has no standby: what is committed is where it will be found."""

    def was_replaced(self) -> bool:
        """Nobody takes over from a file."""
        return False

    def begin(self) -> None:
        """Opens the writer's transaction and takes the write lock at once; raises DRIVER_ERRORS."""
        self.writer.begin()

    def savepoint(self) -> None:
        """Marks a place in the transaction to go back to."""
        # Past SQLAlchemy, whose own savepoints cost more than the statement that they protect.
        self._driver.execute("SAVEPOINT unit")

    def rollback_to_savepoint(self) -> None:
        """Undoes what came after the mark."""
        self._driver.execute("ROLLBACK TO unit")

    def release_savepoint(self) -> None:
        """Drops the mark and keeps what came after it."""
        self._driver.execute("RELEASE unit")

    def commit(self) -> None:
        """Returns when the transaction is on disk; raises DRIVER_ERRORS."""
        self.writer.commit()

    def rollback(self) -> None:
        """Undoes whatever the writer has open, also where SQLite has already undone it by itself."""
        self.writer.rollback()

    def close(self) -> None:
        """Closes the readers, then the writer, then gives up the file."""
        self._reader_engine.dispose()
        self.writer.close()
        self._writer_engine.dispose()
        self._lock.close()


def path_of(url: str) -> Path:
    """The file that the URL names; raises Refusal (invalid, DATABASE_URL_INVALID)."""
    refusal = invalid("DATABASE_URL_INVALID", "the database URL names no file: sqlite:///PATH is understood")
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise refusal from error
    if not parsed.drivername.startswith("sqlite") or not parsed.database or parsed.database == ":memory:":
        raise refusal
    return Path(parsed.database)


@contextlib.contextmanager
def migrating(path: Path) -> Iterator[tuple[Connection, sqlite3.Connection]]:
    """The one connection of whoever migrates and does not serve; raises Refusal as `SqliteFile`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _take_lock(path):
        engine = _engine(path, "BEGIN IMMEDIATE", poolclass=StaticPool)
        try:
            with engine.connect() as connection:
                driver = _driver_of(connection)
                _check_journal(driver)
                yield connection, driver
        except DRIVER_ERRORS as error:
            raise _failed(error) from error
        finally:
            engine.dispose()


def _identity_of(path: Path) -> tuple[int, int]:
    """Which file it is, whatever it holds; raises OSError."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def _take_lock(path: Path) -> TextIO:
    """Holds <path>.lock for as long as the file object lives; the kernel frees it even after a kill -9."""
    lock = path.with_name(path.name + ".lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise precondition("DATABASE_IN_USE", f"{path.name} is in use by process {owner}") from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _engine(path: Path, begin: str, **pool: Any) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        # The writer thread is not the one that opened the connection; access is still one thread at a time.
        connect_args={"check_same_thread": False},
        # Parameters are ids of people; error texts end up in logs.
        hide_parameters=True,
        **pool,
    )
    event.listen(engine, "connect", _apply(_ALL_CONNECTIONS))

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _apply(pragmas: tuple[str, ...]) -> Any:
    def on_connect(driver: sqlite3.Connection, _record: object) -> None:
        # Otherwise the driver begins transactions by itself, and not always where they are meant to begin.
        driver.isolation_level = None
        for pragma in pragmas:
            driver.execute(pragma)

    return on_connect


def _driver_of(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _failed(error: DBAPIError | sqlite3.Error) -> Refusal:
    """The file is not to be had, or a step of the schema does not go through."""
    if trouble_of(error) is Trouble.STATEMENT:
        return precondition("MIGRATION_FAILED", f"the schema cannot be brought up: {error}")
    return unavailable("DATABASE_UNAVAILABLE", "the database file cannot be opened")


def _check_journal(driver: sqlite3.Connection) -> None:
    (mode,) = driver.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise unavailable("DATABASE_UNAVAILABLE", "the file system of the database does not support WAL")
