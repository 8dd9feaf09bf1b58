"""Migrates a database of SQLite, by the one process that owns the file: a step a transaction."""

import sqlite3
import time
from collections.abc import Sequence

from sqlalchemy import Connection

from services.chassis.migrations import Plan, Tell, Told, lacks_floor, note_floor, plan, run_step, state_of
from services.chassis.refusals import precondition
from services.chassis.revisions import Schema, Step


def migrate(
    writer: Connection, driver: sqlite3.Connection, schema: Schema, *, contract: bool, tell: Tell
) -> Plan:
    """Runs what is to be run; says what was and is left.

    Raises Refusal: SCHEMA_UNKNOWN, SCHEMA_BROKEN; and driver errors.
    """
    with writer.begin():
        state = state_of(writer)
        todo = plan(schema, state, contract=contract)
        if lacks_floor(schema, state) and state.revision is not None:
            note_floor(writer, schema.floor_at(state.revision))
    # Rebuilding a table, which is how SQLite alters one, would cascade into the rows that refer to it.
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        # All or nothing from nothing: an installation that was interrupted has not begun.
        for together in [todo.steps] if state.is_empty else [(step,) for step in todo.steps]:
            _run(writer, schema, together, tell)
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
    return todo


def _run(writer: Connection, schema: Schema, steps: Sequence[Step], tell: Tell) -> None:
    with writer.begin():
        for step in steps:
            tell(Told("begun", step))
            began = time.monotonic()
            run_step(writer, schema, step)
            tell(Told("done", step, time.monotonic() - began))
        if writer.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise precondition("SCHEMA_BROKEN", "a migration left rows that refer to nothing")
