"""Migrates a database of PostgreSQL beside those that use it: one process at a time, a step a transaction.

A step that gets no lock on a table soon gives way, for whoever comes after it would wait as long; and what
was killed in the middle of a step is undone by the server.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from services.chassis.migration_commits import Commits
from services.chassis.migrations import (
    Plan,
    SchemaState,
    Tell,
    Told,
    lacks_floor,
    logged,
    note_floor,
    note_step,
    plan,
    run_body,
    run_step,
    state_of,
)
from services.chassis.postgresql_patience import Patience
from services.chassis.presence import (
    LOCK_SPACE,
    MIGRATION,
    check_none_is_earlier,
    keep_others_out,
    watch_for_earlier,
)
from services.chassis.refusals import unavailable
from services.chassis.revisions import Schema, Step

TABLE_LOCK_MS = 2_000
"""As long does a step wait for a table, and all who come after it for the step."""
PAUSE_SECONDS = 3.0
"""Between two tries of a step, for those who waited behind it."""
TRIES = 200
"""About a quarter of an hour: a transaction that keeps a table for longer is looked for by people."""
LOOK_EVERY_SECONDS = 0.1
START_PATIENCE_SECONDS = 120.0
"""How long a service that starts waits for another process that migrates."""

_GIVES_WAY = frozenset({"55P03", "40P01"})  # no lock in time, deadlock
_NOTICES_DEATH = 140_000
"""From this version on the server looks whether the client is still there while a statement runs."""


def migrate(
    connection: Connection,
    schema: Schema,
    *,
    contract: bool,
    tell: Tell,
    patience: Patience,
    patience_seconds: float | None,
) -> Plan:
    """Runs what is to be run, on a connection of its own that is ended afterwards; says what was and is left.

    Waits for another process that migrates, for ever without a limit; not for one when all that is missing
    can be done without. `patience` is with the standby, `patience_seconds` with the other process.

    Raises Refusal: SCHEMA_UNKNOWN, EARLIER_RELEASE_CONNECTED, MIGRATION_BUSY, MIGRATION_UNCONFIRMED,
    TABLE_IN_USE; and driver errors.
    """
    _prepare(connection)
    until = None if patience_seconds is None else time.monotonic() + patience_seconds
    has_told = False
    while True:
        state, todo = _look(connection, schema, contract=contract)
        if not todo.steps and not lacks_floor(schema, state):
            return todo
        if _try_lock(connection):
            break
        if until is not None:
            if not todo.lacks:
                return Plan((), todo.steps + todo.left)
            if time.monotonic() > until:
                raise unavailable(
                    "MIGRATION_BUSY", "another process has been migrating the database for long"
                )
        if not has_told:
            tell(Told("waiting"))
            has_told = True
        time.sleep(LOOK_EVERY_SECONDS)
    # What the other process has done meanwhile is not done again.
    state, todo = _look(connection, schema, contract=contract)
    _Run(connection, schema, tell, patience).run(state, todo)
    return todo


def migrate_at_start(session: Connection, schema: Schema, patience: Patience) -> None:
    """Runs what a service runs that starts; raises Refusal as `migrate`."""
    migrate(
        session,
        schema,
        contract=False,
        tell=logged,
        patience=patience,
        patience_seconds=START_PATIENCE_SECONDS,
    )


@contextlib.contextmanager
def bounded(name: str, seconds: float) -> Iterator[Patience]:
    """Patience with the standby, for a session that ends with the first commit that none has confirmed."""
    patience = Patience(name, seconds, was_replaced=lambda _: False, look=lambda: None)
    try:
        yield patience
    finally:
        patience.close()


def _prepare(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with connection.begin():
        connection.exec_driver_sql("SET statement_timeout = 0")
        if driver.info.server_version >= _NOTICES_DEATH:
            connection.exec_driver_sql("SET client_connection_check_interval = 1000")


def _look(connection: Connection, schema: Schema, *, contract: bool) -> tuple[SchemaState, Plan]:
    with connection.begin():
        state = state_of(connection)
    return state, plan(schema, state, contract=contract)


def _try_lock(connection: Connection) -> bool:
    """Tries for the session: who waits in a statement would hold up an index that is built concurrently."""
    with connection.begin():
        query = "SELECT pg_try_advisory_lock(%s, %s)"
        return bool(connection.exec_driver_sql(query, (LOCK_SPACE, MIGRATION)).scalar_one())


class _Run:
    """One run through the steps, by whoever holds the lock on migrating."""

    def __init__(self, connection: Connection, schema: Schema, tell: Tell, patience: Patience) -> None:
        self._connection = connection
        self._schema = schema
        self._tell = tell
        self._commits = Commits(connection, patience, tell)
        self._has_watched = False

    def run(self, state: SchemaState, todo: Plan) -> None:
        """Runs the steps in order."""
        if lacks_floor(self._schema, state) and state.revision is not None:
            with self._commits.one():
                note_floor(self._connection, self._schema.floor_at(state.revision))
        if state.is_empty:
            # All or nothing: an installation that was interrupted has not begun.
            with self._commits.one():
                for step in todo.steps:
                    self._told(step, partial(run_step, self._connection, self._schema, step))
            return
        for step in todo.steps:
            self._told(step, partial(self._insist, step))

    def _told(self, step: Step, run: Callable[[], None]) -> None:
        self._tell(Told("begun", step))
        began = time.monotonic()
        run()
        self._tell(Told("done", step, time.monotonic() - began))

    def _insist(self, step: Step) -> None:
        """Runs a step, again and again while others keep its tables."""
        if step.waits and not self._has_watched:
            self._tell(Told("looking", step))
            watch_for_earlier(self._connection, step)
            self._has_watched = True
        for _ in range(TRIES):
            try:
                return self._in_transaction(step) if step.in_transaction else self._as_it_goes(step)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _GIVES_WAY:
                    raise
            self._tell(Told("blocked", step))
            time.sleep(PAUSE_SECONDS)
        raise unavailable(
            "TABLE_IN_USE",
            f"revision {step.revision} got no lock on a table in {TRIES} tries: look for a transaction that"
            " has been open for long (pg_stat_activity), then run this again",
        )

    def _in_transaction(self, step: Step) -> None:
        connection = self._connection
        with self._commits.one(step):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TABLE_LOCK_MS}")
            if step.waits:
                check_none_is_earlier(connection, step)
            run_step(connection, self._schema, step)
            if step.waits:
                # Once more, for those that came while it ran.
                keep_others_out(connection)
                check_none_is_earlier(connection, step)

    def _as_it_goes(self, step: Step) -> None:
        """Outside of a transaction; it is noted as done after all of it is, in one."""
        connection = self._connection
        connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with connection.begin():
                # It waits for transactions that are older, and nobody waits for it.
                connection.exec_driver_sql("SET lock_timeout = 0")
                # Nor does it wait for the standby: that has all of this when it has the note.
                connection.exec_driver_sql("SET synchronous_commit = local")
                run_body(connection, step)
                connection.exec_driver_sql("RESET synchronous_commit")
        finally:
            if not connection.invalidated:
                connection.execution_options(isolation_level="READ COMMITTED")
        with self._commits.one(step):
            note_step(connection, self._schema, step)
