"""How far a database has come, and a process that notices when it has come less far than before (R5).

A head is read in transactions that run side by side, so that a lower one may be told after a higher one. What
may not be is a head below one that this process had seen before the transaction began.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from services.chassis.refusals import Behind

if TYPE_CHECKING:
    # Who only compares heads has no database, nor loads what speaks with one.
    from sqlalchemy import Connection

_WITNESSED = "witnessed"


class Head(NamedTuple):
    """The position of the latest change in a database; compared as a pair."""

    epoch: int
    """Counts the restores that were accepted, from 1."""
    number: int
    """In the order of commits; 0 before the first change."""


class Witness:
    """Remembers for one process the highest head that it has seen committed in one database; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._highest = Head(0, 0)
        self._is_behind = False

    @property
    def highest(self) -> Head:
        """So far."""
        return self._highest

    def compare(self, head: Head, since: Head) -> None:
        """Looks at a head that a transaction has read; `since` is `highest` from before it began.

        Raises Behind where it is lower, and from then on each time: what is in memory is of another history,
        also where the database has gone on meanwhile.
        """
        with self._lock:
            self._is_behind = self._is_behind or head < since
            if self._is_behind:
                raise Behind

    def rise(self, to: Head) -> None:
        """Takes note of a head that no failover can lose."""
        with self._lock:
            self._highest = max(self._highest, to)


class Attendance:
    """What one read transaction finds."""

    def __init__(self, witness: Witness) -> None:
        """Before the transaction begins."""
        self._witness = witness
        self._since = witness.highest
        self._found = self._since

    def on(self, connection: Connection) -> None:
        """Has `see_read` compare what the transaction reads that begins on this connection after this."""
        connection.info[_WITNESSED] = self

    def see(self, head: Head) -> None:
        """Raises Behind."""
        self._witness.compare(head, self._since)
        self._found = head

    def holds(self) -> None:
        """What was found is not lost by a failover."""
        self._witness.rise(self._found)


def see_read(connection: Connection, head: Head) -> None:
    """Tells the witness of a read, where there is one, which head it found; raises Behind.

    Not for a transaction that writes: what it sees may be its own, and not committed yet.
    """
    attendance: Attendance | None = connection.info.get(_WITNESSED)
    if attendance is not None:
        attendance.see(head)
