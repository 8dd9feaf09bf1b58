"""What a database engine is to the queue before it: one writer, some readers, and what its errors mean."""

import enum
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection


class Trouble(enum.Enum):
    """What a driver error means for those who wait."""

    STATEMENT = "statement"  # the unit's own: a constraint, a wrong statement
    RACE = "race"  # another process came in between, nothing was written: the same again may do
    UNAVAILABLE = "unavailable"  # locked, full, out of reach: may pass
    FATAL = "fatal"  # the file system lost a write: what is in memory can no longer be trusted


class Engine(Protocol):
    """One service's database. The writer is for one thread at a time, `reading` for any."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the engine."""
        ...

    @property
    def has_rivals(self) -> bool:
        """Whether other processes may write too, so that rows need locks."""
        ...

    @property
    def driver_errors(self) -> tuple[type[Exception], ...]:
        """What a statement raises through SQLAlchemy, and what it raises past it."""
        ...

    @property
    def writer(self) -> Connection:
        """The connection whose transaction `begin` opens; another one after the session was lost."""
        ...

    def trouble_of(self, error: Any) -> Trouble:
        """Sorts one of `driver_errors`."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that cannot write, in a transaction that is one snapshot."""
        ...

    def reading_long(self) -> AbstractContextManager[Connection]:
        """As `reading`, for statements that may take any time; one at a time."""
        ...

    def interrupt(self, driver: Any) -> None:
        """Has the statement that runs on a connection of the driver's fail, if one does; any thread."""
        ...

    def check_place(self) -> None:
        """Raises Behind where what is opened is no longer what a process that starts now would open."""
        ...

    @property
    def may_fail_over(self) -> bool:
        """Whether another server may take over, with less than this one shows to whoever reads."""
        ...

    def confirm(self, connection: Connection, since: float) -> None:
        """Ends what was read on a connection, and returns when all of it is where a failover would find it.

        `since` (time.monotonic()) is when whoever waits for it began to: patience counts from then.
        Raises driver errors where that cannot be had.
        """
        ...

    def was_replaced(self) -> bool:
        """Whether the writer is with a server that another one has taken over from: it knows less by now."""
        ...

    def stay_present(self) -> None:
        """Where nothing is written for a while: has others go on seeing that the database is used.

        For engines that `has_rivals`; between transactions. Raises driver errors, and Refusal as `begin`.
        """
        ...

    def begin(self) -> None:
        """Opens the writer's transaction; raises driver errors.

        Raises Refusal (precondition, SCHEMA_UNKNOWN) where the schema has outgrown this release, for good.
        """
        ...

    def savepoint(self) -> None:
        """Marks a place in the transaction to go back to."""
        ...

    def rollback_to_savepoint(self) -> None:
        """Undoes what came after the mark."""
        ...

    def release_savepoint(self) -> None:
        """Drops the mark and keeps what came after it."""
        ...

    def commit(self) -> None:
        """Returns when the transaction is durable; raises driver errors."""
        ...

    def rollback(self) -> None:
        """Undoes whatever the writer has open, also where the engine has undone it by itself."""
        ...

    def close(self) -> None:
        """Closes readers and writer, and gives the database up."""
        ...
