"""Who uses a database of PostgreSQL, and of which release they are: advisory locks that sessions hold.

A process is present for as long as the session is that it writes in, and has a new one within seconds of
losing it, whether it writes or not; its readers look at the floor in each new session. No step that takes
something away is committed while one that does not know it is present, and none becomes present after it
without having looked at the floor.
"""

import time
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from services.chassis.refusals import Refusal, precondition
from services.chassis.revisions import Step

# Advisory locks of two numbers: ours, and which. Those of one number are the services'.
LOCK_SPACE = 0x511CE
MIGRATION = 1
"""Held by the one process that migrates."""
_PRESENCE = 2
"""Shared by the processes that serve the database; whoever is alone with it holds it for themselves."""
_ARRIVAL = 3
"""Shared while a process becomes present; whoever holds it for themselves sees all who are."""
_RELEASE_SPACE = 0x511CF
"""Of the locks that say of which release a process is, by the position of its newest step."""
ABSENCE_SECONDS = 10.0
"""For so long nobody may have been seen before nobody is there: a process that has lost its session notices
within a second or two, and gives a host that does not answer up after five."""
_LOOK_SECONDS = 0.1
_PRESENCE_SECONDS = 1.0
"""A session that has ended is there until the server has noticed."""

# Read in one go: who has the one lock has had the other since before.
_PRESENT = text(
    "SELECT pid, max(CASE WHEN classid = :releases THEN objid::bigint END) AS position FROM pg_locks"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid = :releases OR (classid = :space AND objid = :presence))"
    " GROUP BY pid HAVING bool_or(classid = :space) ORDER BY pid"
)


def be_present(driver: "psycopg.Connection[Any]", position: int, *, alone: bool) -> None:
    """Has the server know, until the session ends, that the database is used, and by which release.

    In a transaction; until its end nothing is committed that the process would have to know. `position` is
    that of its newest step. A process whose session was lost cannot write again before it has said so again.

    Raises Refusal (precondition, DATABASE_IN_USE).
    """
    driver.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", (LOCK_SPACE, _ARRIVAL))
    driver.execute("SELECT pg_advisory_lock_shared(%s, %s)", (_RELEASE_SPACE, position))
    lock = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
    patience_ends = time.monotonic() + _PRESENCE_SECONDS
    while not driver.execute(f"SELECT {lock}(%s, %s)", (LOCK_SPACE, _PRESENCE)).fetchall()[0][0]:
        if time.monotonic() > patience_ends:
            message = "another process serves it" if alone else "a restore of it is being accepted"
            raise precondition("DATABASE_IN_USE", f"the database is in use: {message}")
        time.sleep(_PRESENCE_SECONDS / 20)


def keep_others_out(connection: Connection) -> None:
    """Until the transaction ends no process becomes present; waits for those that are about to."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, _ARRIVAL))


def watch_for_earlier(connection: Connection, step: Step) -> None:
    """Looks for `ABSENCE_SECONDS` who is or becomes present; raises as `check_none_is_earlier`.

    After a failover, or a restart of the server, nobody is until they have noticed.
    """
    until = time.monotonic() + ABSENCE_SECONDS
    while True:
        with connection.begin():
            check_none_is_earlier(connection, step)
        if time.monotonic() > until:
            return
        time.sleep(_LOOK_SECONDS)


def check_none_is_earlier(connection: Connection, step: Step) -> None:
    """Raises Refusal (precondition, EARLIER_RELEASE_CONNECTED) while a process is present without the step.

    One that does not say of which release it is, is of one before this was said.
    """
    numbers = {"releases": _RELEASE_SPACE, "space": LOCK_SPACE, "presence": _PRESENCE}
    present = connection.execute(_PRESENT, numbers).all()
    earlier = [row.pid for row in present if row.position is None or row.position < step.position]
    if earlier:
        raise _refusal(step, earlier)


def _refusal(step: Step, sessions: list[int]) -> Refusal:
    count = "a process" if len(sessions) == 1 else f"{len(sessions)} processes"
    which = ", ".join(map(str, sessions))
    return precondition(
        "EARLIER_RELEASE_CONNECTED",
        f"{count} of a release that does not know revision {step.revision} still use the database (sessions"
        f" {which} of the server, see pg_stat_activity): end them, then run this again",
    )
