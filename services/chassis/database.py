"""A service's own database: units of work in, committed rows out.

Units that arrive while a commit is on its way share the next one (group commit). What has been acknowledged
is on disk; what could not be done is refused, and the database serves again by itself when it can. The URL
says which engine it is: a SQLite file (`sqlite.py`) or a PostgreSQL server (`postgresql.py`).
"""

import asyncio
import concurrent.futures
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from services.chassis.confirmed_reads import Read
from services.chassis.database_spans import database_span
from services.chassis.engines import Engine, Trouble
from services.chassis.group_commit import GroupCommit, LockRows, Share, end_process
from services.chassis.heads import Witness
from services.chassis.long_reads import LongRead, Work
from services.chassis.refusals import Behind, Refusal, precondition, unavailable
from services.chassis.sqlite import SqliteFile
from services.chassis.urgency import is_urgent
from services.chassis.waiting import ORDINARY

GROUP_LIMIT = 64
"""Units in one commit; the fsync is shared well enough by then, and nobody waits long for others."""
BULK_LIMIT = 5_000
"""Rows that the bulky units of one commit write, all in all: nobody waits for more of an import."""
QUEUE_LIMIT = 4_096
"""Units that may wait; at a few thousand commits a second that is about as long as a caller waits."""
STANDBY_PATIENCE_SECONDS = 5.0
"""A commit waits no longer for the standby; whoever waits for it has given up by then, or is about to."""
READERS = 2
"""Threads for reads; one more is kept for those that are urgent, and one for those that read everything."""

_log = structlog.get_logger(__name__)

Item = TypeVar("Item")
T = TypeVar("T")


class Database:
    """One database of one service; made by `open`."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        lock: LockRows | None,
        options: Mapping[str, Any],
        group_limit: int,
        queue_limit: int,
        readers: int,
        standby_patience: float,
    ) -> None:
        self.dialect = engine.dialect
        self.name = name
        self.options = options
        """What units find on the connection that they write on."""
        self._loop: asyncio.AbstractEventLoop | None = None
        with contextlib.suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        self._given_up_for: Refusal | None = None
        self.given_up = asyncio.Event()
        """Set once, by `give_up`."""
        self._engine = engine
        self._standby_patience = standby_patience
        self._witness = Witness()
        self._commits = GroupCommit(
            engine,
            name,
            lock=lock,
            group_limit=group_limit,
            bulk_limit=BULK_LIMIT,
            queue_limit=queue_limit,
            witness=self._witness,
            outgrown=self._outgrown,
        )
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix=f"{name}-reader")
        self._urgent_reader = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-urgent-reader")
        self._long_reader = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-long-reader")

    @classmethod
    def open(
        cls,
        url: str,
        *,
        schema_dir: Path,
        name: str,
        lock: LockRows | None = None,
        options: Mapping[str, Any] | None = None,
        group_limit: int = GROUP_LIMIT,
        queue_limit: int = QUEUE_LIMIT,
        readers: int = READERS,
        alone: bool = False,
        migrate: bool = True,
        standby_patience: float = STANDBY_PATIENCE_SECONDS,
        standby_required: bool = False,
    ) -> Self:
        """Opens (or creates) and migrates the database; `schema_dir` holds Alembic's versions/.

        Without `migrate` somebody else has migrated it, and it is refused where too little was done for this
        release (`migrations.py`). What takes something away from earlier releases is not run here, unless the
        database is a file or empty.

        `lock` is called at the start of each group where other processes may write too. A SQLite file has one
        process; a second one is refused. `alone`: the same of any database.

        `standby_patience`: seconds that a commit waits for the standby of a server that has one; then it is
        not known whether it happened. `standby_required`: nothing is acknowledged where there is none, from
        the start; else from when there has been one.

        `options` are execution options (SQLAlchemy's) of the connection that units write on, whichever
        session it is: what a process remembers of its database, they find there.

        Raises Refusal: DATABASE_URL_INVALID, DATABASE_IN_USE (another process owns it), DATABASE_UNAVAILABLE,
        DURABILITY_OFF (the server may forget what it acknowledges, or lacks the standby), SCHEMA_UNKNOWN (a
        later release has taken away what this one uses), SCHEMA_BEHIND (it lacks what this release uses).
        """
        # A connection for each thread that reads, whichever kind it is: none waits for another's.
        options = options or {}
        engine = _engine(
            url,
            schema_dir=schema_dir,
            name=name,
            readers=readers + 2,
            options=options,
            alone=alone,
            migrate=migrate,
            standby_patience=standby_patience,
            standby_required=standby_required,
        )
        return cls(
            engine,
            name,
            lock=lock,
            options=options,
            group_limit=group_limit,
            queue_limit=queue_limit,
            readers=readers,
            standby_patience=standby_patience,
        )

    async def write(self, unit: Callable[[Connection], T], *, weight: int = ORDINARY) -> T:
        """Runs `unit` on the writer thread in a transaction it may share; its result once committed.

        The unit neither commits nor rolls back; when it raises, its own changes alone are undone. It may be
        run again, from the start, when other processes came in between. A caller
        who is cancelled does not stop the unit.

        `weight` is the number of rows that it writes, where these are many: a commit has no more than
        `BULK_LIMIT` of them, and before the next such commit all others have their turn. They may overtake
        it; units of weight keep their order among themselves, and so do the others. What is written
        `urgently` goes before those that wait, unless it has weight.

        Raises what the unit raises, and Refusal: EXHAUSTED (QUEUE_FULL), UNAVAILABLE (DATABASE_UNAVAILABLE,
        nothing was written; COMMIT_UNKNOWN, as CommitUnknown: it may have been; DATABASE_CLOSED). A unit that
        raises `Behind` has the database given up.
        """
        self._check_use()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._noticing_loss(), self._span("write", unit):
            self._commits.submit(unit, future, weight, urgent=is_urgent())
            # When the caller is cancelled the future is; the unit is not, it only finds nobody to tell.
            return await future

    async def write_together(
        self, run: Callable[[Connection, Sequence[Item]], Sequence[T | Refusal]], item: Item
    ) -> T:
        """`write` for what is done together with others of its kind: `run` gets the items of neighbours.

        It gives one result an item, in order, and a Refusal for an item that it changed nothing for. When it
        raises, it is run again for each item alone.
        """
        self._check_use()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._noticing_loss(), self._span("write", run):
            self._commits.submit(Share(run, item), future, urgent=is_urgent())
            return await future

    def write_now(self, unit: Callable[[Connection], T]) -> T:
        """`write` for start-up, threads and tests: blocks the caller until the commit."""
        self._check_use()
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._commits.submit(unit, future)
        return future.result()

    async def read(
        self,
        query: Callable[[Connection], T],
        *,
        confirmed: bool | Callable[[T], bool] = False,
        urgent: bool = False,
    ) -> T:
        """Runs `query` in a read transaction (one snapshot, nothing can be written) on a reader thread.

        `confirmed` has the result only if nothing in the snapshot can be lost by a failover, and the server
        was still the one that others write to: a standby is waited for, where there is one that commits wait
        for. Whether it is needed may depend on the result; where it may be, a Refusal is confirmed too. It
        waits for its turn and the standby no longer than `standby_patience`, in all. `urgent` has a thread of
        its own, for one read at a time that many wait for: long reads, however many, do not hold it up.

        Raises what the query raises, and Refusal UNAVAILABLE (DATABASE_UNAVAILABLE, DATABASE_CLOSED).
        """
        with self._noticing_loss(), self._span("read", query):
            return await asyncio.wrap_future(self._submit_read(Read(query, confirmed), urgent=urgent))

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """`read` for start-up, threads and tests: blocks the caller."""
        return self._submit_read(Read(query, False)).result()

    async def read_each(self, work: Work[T]) -> AsyncGenerator[T]:
        """Runs `work` in one read transaction and gives each result as soon as it is there.

        `work` gets the connection and a `long_reads.GoOn`, to call where it computes long between statements.
        For what reads everything, on a reader of its own: other reads and the writer go on meanwhile; a
        second one waits for the first. No statement is cut off for its length. The work waits when
        `RESULTS_AHEAD` results have not been taken. When it is closed (`contextlib.aclosing`) or its caller
        cancelled, what runs is stopped, and the connection is given back before that returns.

        Raises what `work` raises, and Refusal UNAVAILABLE (DATABASE_UNAVAILABLE, DATABASE_CLOSED).
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[T | _Ended] = asyncio.Queue()

        def tell(what: T | _Ended) -> None:
            loop.call_soon_threadsafe(told.put_nowait, what)

        reading = LongRead(self._engine, work, tell)
        running = self._submit(self._long_reader, lambda: self._read_long(reading))
        running.add_done_callback(lambda done: tell(_Ended(done)))
        running.add_done_callback(lambda _: reading.end())
        with self._span("read", work):
            try:
                while not isinstance(result := await told.get(), _Ended):
                    reading.taken()
                    yield result
                result.done.result()
            finally:
                if not running.cancel():
                    await asyncio.to_thread(reading.stop)

    def give_up(self, refusal: Refusal) -> None:
        """Has every later read and write refused, for as long as the process lives; on the event loop.

        For whoever finds that the database is not the one that it was: what is in memory does not fit it.
        """
        if self._given_up_for is None:
            self._given_up_for = refusal
            _log.critical(
                "the database is not used any more, start the process again",
                database=self.name,
                reason=refusal.reason,
                message=refusal.message,
            )
            self.given_up.set()

    async def check_place(self) -> None:
        """Raises Behind, for good, where what a process that starts now would open is another database."""
        with self._noticing_loss():
            await asyncio.to_thread(self._engine.check_place)

    async def close(self) -> None:
        """Finishes what is queued, then closes readers, writer and lock."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """`close` for threads and tests."""
        self._commits.close()
        self._readers.shutdown()
        self._urgent_reader.shutdown()
        self._long_reader.shutdown()
        self._engine.close()

    def _outgrown(self, refusal: Refusal) -> None:
        """`give_up` on the writer's thread."""
        if self._loop is None:
            self.give_up(refusal)
            return
        # A loop that is closed has nobody on it who uses the database.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.give_up, refusal)

    def _span(self, operation: str, work: object) -> AbstractContextManager[None]:
        return database_span(operation, self.dialect, self.name, work)

    @contextlib.contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        """Whoever finds that the database has lost what it had shown finds it for all (R5); on the loop."""
        try:
            yield
        except Behind as behind:
            self.give_up(behind)
            raise

    def _check_use(self) -> None:
        if self._given_up_for is not None:
            # One each: an exception gathers the traceback of whoever it is raised to.
            raise Refusal(self._given_up_for.kind, self._given_up_for.reason, self._given_up_for.message)

    def _submit_read(self, read: Read[T], *, urgent: bool = False) -> concurrent.futures.Future[T]:
        return self._submit(self._urgent_reader if urgent else self._readers, lambda: self._read(read))

    def _submit(self, readers: ThreadPoolExecutor, read: Callable[[], T]) -> concurrent.futures.Future[T]:
        self._check_use()
        try:
            return readers.submit(read)
        except RuntimeError as error:
            raise unavailable("DATABASE_CLOSED", "the service is shutting down") from error

    def _read(self, read: Read[T]) -> T:
        read.check_patience(self._engine, self._standby_patience)
        with self._troubles_told():
            return _in_a_living_session(lambda: read.run(self._engine, self._witness))

    def _read_long(self, reading: LongRead[T]) -> None:
        with self._troubles_told():
            # What has been told is of a snapshot that there is no second one of.
            _in_a_living_session(reading.run, may_repeat=lambda: not reading.has_told)

    @contextlib.contextmanager
    def _troubles_told(self) -> Iterator[None]:
        """Raises driver errors of a read as what they mean to whoever reads."""
        try:
            yield
        except self._engine.driver_errors as error:
            match self._engine.trouble_of(error):
                case Trouble.STATEMENT:
                    raise
                case Trouble.FATAL:
                    end_process(self.name, error)
                case _:
                    raise unavailable("DATABASE_UNAVAILABLE", "the database cannot be read now") from error


@dataclass(frozen=True, slots=True)
class _Ended:
    """Says that a long read is over, and how."""

    done: concurrent.futures.Future[None]


def _in_a_living_session(call: Callable[[], T], may_repeat: Callable[[], bool] = lambda: True) -> T:
    """Tries once more where the session was lost: it may be from before the server was restarted."""
    try:
        return call()
    except DBAPIError as error:
        if not error.connection_invalidated or not may_repeat():
            raise
    return call()


def _engine(
    url: str,
    *,
    schema_dir: Path,
    name: str,
    readers: int,
    options: Mapping[str, Any],
    alone: bool,
    migrate: bool,
    standby_patience: float,
    standby_required: bool,
) -> Engine:
    if url.startswith("postgresql"):
        # Only here, for whoever has a file needs no driver.
        from services.chassis.postgresql import PostgresqlServer  # noqa: PLC0415

        return PostgresqlServer(
            url,
            schema_dir=schema_dir,
            name=name,
            readers=readers,
            options=options,
            alone=alone,
            migrate=migrate,
            standby_patience=standby_patience,
            standby_required=standby_required,
        )
    if standby_required:
        raise precondition("DURABILITY_OFF", "a standby is required, and a file has none")
    return SqliteFile(
        url, schema_dir=schema_dir, name=name, readers=readers, options=options, migrate=migrate
    )
