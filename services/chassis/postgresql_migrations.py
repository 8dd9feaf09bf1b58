"""Migrates a database of PostgreSQL beside those that use it: one process at a time, a step a transaction.

A step that gets no lock on a table soon gives way, for whoever comes after it would wait as long; and what
was killed in the middle of a step is undone by the server.
"""

import time
from collections.abc import Callable
from functools import partial

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from services.chassis.migrations import (
    Plan,
    SchemaState,
    Tell,
    Told,
    lacks_floor,
    logged,
    note_floor,
    plan,
    run_step,
    state_of,
)
from services.chassis.presence import LOCK_SPACE, MIGRATION, check_none_is_earlier, keep_others_out
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
    connection: Connection, schema: Schema, *, contract: bool, tell: Tell, patience_seconds: float | None
) -> Plan:
    """Runs what is to be run, on a connection of its own that is ended afterwards; says what was and is left.

    Waits for another process that migrates, for ever without a limit; not for one when all that is missing
    can be done without.

    Raises Refusal: SCHEMA_UNKNOWN, EARLIER_RELEASE_CONNECTED, MIGRATION_BUSY, TABLE_IN_USE; and driver
    errors.
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
    _run(connection, schema, state, todo, tell)
    return todo


def migrate_at_start(session: Connection, schema: Schema) -> None:
    """Runs what a service runs that starts; raises Refusal as `migrate`."""
    migrate(session, schema, contract=False, tell=logged, patience_seconds=START_PATIENCE_SECONDS)


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


def _run(connection: Connection, schema: Schema, state: SchemaState, todo: Plan, tell: Tell) -> None:
    if lacks_floor(schema, state) and state.revision is not None:
        with connection.begin():
            note_floor(connection, schema.floor_at(state.revision))
    if state.is_empty:
        # All or nothing: an installation that was interrupted has not begun.
        with connection.begin():
            for step in todo.steps:
                _told(tell, step, partial(run_step, connection, schema, step))
        return
    for step in todo.steps:
        _told(tell, step, partial(_insist, connection, schema, step, tell))


def _told(tell: Tell, step: Step, run: Callable[[], None]) -> None:
    tell(Told("begun", step))
    began = time.monotonic()
    run()
    tell(Told("done", step, time.monotonic() - began))


def _insist(connection: Connection, schema: Schema, step: Step, tell: Tell) -> None:
    """Runs a step, again and again while others keep its tables."""
    for _ in range(TRIES):
        try:
            if step.in_transaction:
                return _in_transaction(connection, schema, step)
            return _as_it_goes(connection, schema, step)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _GIVES_WAY:
                raise
        tell(Told("blocked", step))
        time.sleep(PAUSE_SECONDS)
    raise unavailable(
        "TABLE_IN_USE",
        f"revision {step.revision} got no lock on a table in {TRIES} tries: look for a transaction that has"
        " been open for long (pg_stat_activity), then run this again",
    )


def _in_transaction(connection: Connection, schema: Schema, step: Step) -> None:
    with connection.begin():
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TABLE_LOCK_MS}")
        if step.waits:
            check_none_is_earlier(connection, step)
        run_step(connection, schema, step)
        if step.waits:
            # Once more, for those that came while it ran.
            keep_others_out(connection)
            check_none_is_earlier(connection, step)


def _as_it_goes(connection: Connection, schema: Schema, step: Step) -> None:
    """Outside of a transaction; it is noted as done after all of it is."""
    connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with connection.begin():
            # It waits for transactions that are older, and nobody waits for it.
            connection.exec_driver_sql("SET lock_timeout = 0")
            run_step(connection, schema, step)
    finally:
        if not connection.invalidated:
            connection.execution_options(isolation_level="READ COMMITTED")
