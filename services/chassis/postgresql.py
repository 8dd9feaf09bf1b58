"""PostgreSQL: a server of its own that several processes may write to, durable or not served at all.

Writers are READ COMMITTED and lock what they check; each reader is one read-only snapshot. A session that was
lost is opened anew before the next transaction.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import structlog
from sqlalchemy import URL, Connection, NullPool, QueuePool
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from services.chassis.engines import Trouble
from services.chassis.migrations import SCHEMA_UNKNOWN, check_known, check_served
from services.chassis.postgresql_durability import SETTINGS, Durability, check_settings, commit_a_mark
from services.chassis.postgresql_migrations import migrate_at_start
from services.chassis.postgresql_patience import CANCEL_SECONDS, Patience, Wait
from services.chassis.postgresql_sessions import Timelines, engine, session_of
from services.chassis.presence import be_present
from services.chassis.refusals import Refusal, invalid, precondition, unavailable
from services.chassis.revisions import Schema

# Classes of SQLSTATE (PostgreSQL, appendix A) that say something about the server, not the statement: no
# connection, no resources, operator's intervention, system error, damaged data.
_TROUBLE_CLASSES = frozenset({"08", "28", "3D", "53", "57", "58", "F0", "XX"})
_TROUBLE_STATES = frozenset(
    {
        "25006",  # read-only transaction: a standby, or a reader that would write
        "25P03",  # idle in a transaction for too long
        "25P04",  # transaction timeout
        "55P03",  # a lock was not to be had in time
    }
)
_RACE_STATES = frozenset({"40001", "40P01"})  # serialization failure, deadlock

_KNOWN = "schema_is_known"
"""Noted with the sessions of readers that have looked at the floor."""
DRIVER_ERRORS = (DBAPIError, psycopg.Error)

_log = structlog.get_logger(__name__)


def trouble_of(error: DBAPIError | psycopg.Error) -> Trouble:
    """Sorts a driver error by its SQLSTATE; one without is of the connection."""
    cause = getattr(error, "orig", error)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        lost = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return Trouble.UNAVAILABLE if lost else Trouble.STATEMENT
    if state in _RACE_STATES:
        return Trouble.RACE
    if state[:2] in _TROUBLE_CLASSES or state in _TROUBLE_STATES:
        return Trouble.UNAVAILABLE
    return Trouble.STATEMENT


class PostgresqlServer:
    """One database of a PostgreSQL server, with a session that writes and a pool of those that read."""

    dialect = "postgresql"
    has_rivals = True
    driver_errors = DRIVER_ERRORS

    def __init__(
        self,
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
    ) -> None:
        """Connects, checks that commits are durable, and migrates, but for what takes something away.

        `alone`: while no other process does, and as long as this one does. Without `migrate` it only looks
        whether it can serve on what is there. `standby_patience`: seconds that a commit, or what confirms a
        read, waits for the standby. `standby_required`: a server that waits for none may forget.

        Raises Refusal: DATABASE_URL_INVALID, DURABILITY_OFF, DATABASE_UNAVAILABLE, SCHEMA_UNKNOWN,
        SCHEMA_BEHIND, MIGRATION_FAILED, DATABASE_IN_USE.
        """
        parsed = _parsed(url)
        self._schema = Schema.in_folder(schema_dir)
        self._alone = alone
        self._at_work: Wait | None = None
        self._warnings: list[str] = []
        self._durability = Durability(standby_required=standby_required)
        self._timelines = timelines = Timelines()
        self._writer_engine = engine(
            parsed, name, "READ COMMITTED", timelines, poolclass=NullPool, execution_options=options
        )
        self._reader_engine = engine(
            parsed, name, "REPEATABLE READ", timelines, poolclass=QueuePool, pool_size=readers, max_overflow=0
        ).execution_options(postgresql_readonly=True)
        self._patience = Patience(
            name, standby_patience, was_replaced=timelines.have_passed, look=self._look_for_successor
        )
        try:
            self._start(name, migrate=migrate)
        except BaseException:
            self._patience.close()
            raise

    def trouble_of(self, error: Any) -> Trouble:
        """As the function of this name."""
        return trouble_of(error)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, on a connection that cannot write."""
        with self._reader() as connection, self._patience.over(session_of(connection)):
            self._look_at_floor(connection)
            yield connection

    @contextlib.contextmanager
    def reading_long(self) -> Iterator[Connection]:
        """As `reading`, with no statement cut off."""
        with self.reading() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection

    def interrupt(self, driver: Any) -> None:
        """Has the server cancel the statement that runs in a session, if one does; any thread."""
        # One that does not hear of it is looked after by `Patience`.
        with contextlib.suppress(psycopg.Error):
            driver.cancel_safe(timeout=CANCEL_SECONDS)

    def check_place(self) -> None:
        """A session that goes on is one with the database that it began with."""

    @property
    def may_fail_over(self) -> bool:
        """Whether commits wait for a standby, as far as is known."""
        return self._durability.has_standby

    def confirm(self, connection: Connection, since: float) -> None:
        """Ends what a connection reads, and waits, as a commit does, for the standby that commits wait for.

        On the same session, for the address may lead to another server by now: what that one confirms is not
        what was read here. Raises DRIVER_ERRORS.
        """
        session = session_of(connection)
        connection.rollback()
        try:
            # What was asked past SQLAlchemy alone has begun a transaction that it does not know of.
            session.rollback()
            session.autocommit = True
            looked = self._durability.look(session)
            if self.may_fail_over:
                with self._patience.over(session) as wait:
                    wait.is_for_standby(since)
                    commit_a_mark(session)
                    self._durability.look_again(session, looked)
            session.autocommit = False
        except BaseException:
            connection.invalidate()
            self._forget_readers()
            raise

    def was_replaced(self) -> bool:
        """Whether the writer's session is with a server that is known to have a successor."""
        return not self._is_lost() and self._timelines.have_passed(self._session)

    def stay_present(self) -> None:
        """Has the writer be in a session, a new one where the old one was lost; raises as `begin`."""
        try:
            self.begin()
        except BaseException:
            # As long as nobody sees that they read, they are to look at the floor, too.
            self._forget_readers()
            raise
        finally:
            self.rollback()

    def begin(self) -> None:
        """Opens the writer's transaction, in a new session where the old one was lost."""
        if self.was_replaced():
            self._drop()
        if not self._is_lost():
            try:
                return self._begin()
            except DRIVER_ERRORS as error:
                if trouble_of(error) is not Trouble.UNAVAILABLE:
                    raise
                self._drop()
        self._reconnect()
        return self._begin()

    def savepoint(self) -> None:
        """Marks a place in the transaction to go back to."""
        # Past SQLAlchemy, whose own savepoints cost more.
        self._session.execute("SAVEPOINT unit")

    def rollback_to_savepoint(self) -> None:
        """Undoes what came after the mark."""
        self._session.execute("ROLLBACK TO unit")

    def release_savepoint(self) -> None:
        """Drops the mark and keeps what came after it."""
        self._session.execute("RELEASE unit")

    def commit(self) -> None:
        """Returns when the transaction is durable, and with the standby where there is one.

        Raises DRIVER_ERRORS.
        """
        if self._session.info.transaction_status is psycopg.pq.TransactionStatus.INERROR:
            # To COMMIT after an error that a unit kept to itself, the server answers with a rollback.
            raise psycopg.errors.InFailedSqlTransaction("a statement failed and nobody was told")
        self._warnings.clear()
        assert self._at_work is not None, "a transaction is open"
        self._at_work.is_for_standby(time.monotonic())
        try:
            self.writer.commit()
            self._look_again()
        finally:
            self._patience.end(self._at_work)
            if self._at_work.is_asked_to_end or self._warnings:
                # The server may have been cut off: the next group goes to where the address leads by then.
                self._drop()
                self._forget_readers()
        if self._warnings:
            # A wait for the standby that was cut short is a success with a warning.
            raise psycopg.OperationalError(f"committed with a warning: {self._warnings[0]}")

    def rollback(self) -> None:
        """Undoes whatever the writer has open, if need be by giving the session up."""
        try:
            self.writer.rollback()
        except DRIVER_ERRORS:
            self._drop()
        self._rest()

    def close(self) -> None:
        """Closes readers and writer."""
        self._reader_engine.dispose()
        self._patience.close()
        self._drop()

    def _begin(self) -> None:
        self._rest()
        self._at_work = self._patience.begin(self._session)
        self.writer.begin()
        # The driver says BEGIN with the first statement: a lost session shows before any unit runs, and so
        # does a server that was told to forget while it runs.
        self._looked = self._durability.look(self._session)

    def _look_again(self) -> None:
        """Raises psycopg.Error, with the session given up, where the commit may not have waited."""
        if not self.may_fail_over:
            return
        try:
            # Outside of any transaction: one trip to the server.
            self._session.autocommit = True
            self._durability.look_again(self._session, self._looked)
            self._session.autocommit = False
        except psycopg.Error:
            self._drop()
            raise

    def _is_lost(self) -> bool:
        return self.writer.closed or self.writer.invalidated or self._session.closed

    def _rest(self) -> None:
        if self._at_work is not None:
            self._patience.end(self._at_work)

    def _forget_readers(self) -> None:
        """Has whoever reads next go to where the address leads by then; the server may have been cut off."""
        self._reader_engine.dispose()

    def _drop(self) -> None:
        """Ends the session, whatever state it is in; the server undoes what it had open."""
        if not self.writer.closed:
            self.writer.invalidate()
            self.writer.close()

    def _reconnect(self) -> None:
        try:
            self._connect()
        except Refusal as refusal:
            if refusal.reason == SCHEMA_UNKNOWN:
                raise
            # To those who wait it is one more way of being out of reach; the log has the reason.
            raise psycopg.OperationalError(str(refusal)) from refusal

    def _start(self, name: str, *, migrate: bool) -> None:
        try:
            self._connect()
        except DRIVER_ERRORS as error:
            raise _unusable() from error
        try:
            with self._writer_engine.connect() as session:
                if migrate:
                    migrate_at_start(session, self._schema, self._patience)
                check_served(session, self._schema, name)
        except DRIVER_ERRORS as error:
            self._drop()
            raise _failed(error) from error
        except BaseException:
            self._drop()
            raise

    def _connect(self) -> None:
        writer = self._writer_engine.connect()
        session = session_of(writer)
        try:
            with writer.begin():
                self._durability.check(session)
                be_present(session, self._schema.position, alone=self._alone)
                # While the session was lost, a later release may have taken away what this one uses.
                check_known(writer, self._schema)
        except BaseException:
            # Ends the session too, and with it whatever it has locked.
            writer.invalidate()
            writer.close()
            raise
        session.add_notice_handler(self._note)
        self.writer, self._session = writer, session

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warnings.append(diagnostic.message_primary or "")

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Connection]:
        """A connection that reads, with no server that is known to have a successor."""
        while True:
            with self._reader_engine.connect() as connection:
                if not self._timelines.have_passed(session_of(connection)):
                    yield connection
                    return
                connection.invalidate()

    def _look_at_floor(self, connection: Connection) -> None:
        """Once in each session: while there was none, a later release may have taken something away."""
        if connection.info.get(_KNOWN):
            return
        try:
            check_known(connection, self._schema)
        except Refusal as refusal:
            connection.invalidate()
            # The writer finds the same, and has the database given up.
            raise psycopg.OperationalError(str(refusal)) from refusal
        connection.info[_KNOWN] = True

    def _look_for_successor(self) -> None:
        """Learns which server the address leads to now; raises DRIVER_ERRORS."""
        self._writer_engine.connect().close()


@contextlib.contextmanager
def migrating(url: str, name: str) -> Iterator[Connection]:
    """A session of whoever migrates and does not serve; raises Refusal as `PostgresqlServer`."""
    made = engine(_parsed(url), f"migrate-{name}", "READ COMMITTED", Timelines(), poolclass=NullPool)
    try:
        with made.connect() as session:
            check_settings(session.exec_driver_sql(SETTINGS).mappings().one(), had_standby=False)
            session.rollback()
            yield session
    except DRIVER_ERRORS as error:
        raise _failed(error) from error


def _failed(error: DBAPIError | psycopg.Error) -> Refusal:
    """The server is not to be had, or a step of the schema does not go through."""
    if trouble_of(error) is not Trouble.STATEMENT:
        return _unusable()
    return precondition("MIGRATION_FAILED", f"the schema cannot be brought up: {error}")


def _unusable() -> Refusal:
    return unavailable("DATABASE_UNAVAILABLE", "the database server cannot be used")


def _parsed(url: str) -> URL:
    refusal = invalid("DATABASE_URL_INVALID", "postgresql://USER@HOST:PORT/DATABASE is understood")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise refusal from error
    if parsed.drivername not in {"postgresql", "postgresql+psycopg"} or not parsed.database:
        raise refusal
    return parsed.set(drivername="postgresql+psycopg")
