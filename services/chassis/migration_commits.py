"""Commits of whoever migrates a database of PostgreSQL: confirmed by the standby, where there is one.

None of them waits for it without end and without a word, and what it has not confirmed is not told as done.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

import psycopg
from sqlalchemy import Connection, RootTransaction
from sqlalchemy.exc import DBAPIError

from services.chassis.migrations import Tell, Told
from services.chassis.postgresql_durability import MARK
from services.chassis.postgresql_patience import Patience
from services.chassis.postgresql_sessions import session_of, warned
from services.chassis.refusals import Refusal, unavailable
from services.chassis.revisions import Step

SLOW_SECONDS = 1.0
"""After so long it is told that the standby is waited for."""


class Commits:
    """The transactions of one session."""

    def __init__(self, connection: Connection, patience: Patience, tell: Tell) -> None:
        self._connection = connection
        self._patience = patience
        self._tell = tell

    @contextlib.contextmanager
    def one(self, step: Step | None = None) -> Iterator[None]:
        """A transaction, of a step or not, that is committed at the end; nothing is left of one that fails.

        Raises Refusal (unavailable, MIGRATION_UNCONFIRMED) where it is not known whether it would survive a
        failover.
        """
        with self._connection.begin() as transaction:
            yield
            self._commit(transaction, step)

    def confirm(self) -> None:
        """Returns when all that was committed before, by whomever, is where a failover would find it."""
        with self.one():
            self._connection.exec_driver_sql(MARK)

    def _commit(self, transaction: RootTransaction, step: Step | None) -> None:
        session = session_of(self._connection)
        slow = threading.Timer(SLOW_SECONDS, self._tell, [Told("confirming", step)])
        slow.start()
        with self._patience.over(session) as wait, warned(session) as warnings:
            wait.is_for_standby(time.monotonic())
            try:
                transaction.commit()
            except (DBAPIError, psycopg.Error) as error:
                if wait.is_asked_to_end:
                    raise _unconfirmed(step) from error
                raise
            finally:
                slow.cancel()
        if warnings or wait.is_asked_to_end:
            # A wait that is cut short, by us or by an operator, is a success with a warning.
            raise _unconfirmed(step)


def _unconfirmed(step: Step | None) -> Refusal:
    what = "the database as it is" if step is None else f"revision {step.revision}"
    return unavailable(
        "MIGRATION_UNCONFIRMED",
        f"no standby has confirmed {what}, and a failover may undo it: when the standby is there, run this"
        " again",
    )
