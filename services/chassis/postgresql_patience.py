"""Ends waits that PostgreSQL does not end: for a standby that confirms nothing, a server that stands still.

A commit that waits for its standby waits for ever, while the server that holds it is alive and well; what the
server itself times out with does not cut that wait short, and a server that was stopped times nothing out.
Who waits is always told that the outcome is not known: a wait that was ended says nothing about the commit.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from services.chassis.postgresql_sessions import Session

LOOK_SECONDS = 0.25
"""Between looks at the waits; none ends more exactly than that."""
LONG_SECONDS = 1.0
"""A use of a session that takes longer may be waiting for a server that nobody hears of any more: from then
on, and so often, it is looked at where the address leads."""
CANCEL_SECONDS = 2.0
"""For the server to end a wait that it was asked to end, before the connection is cut."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Wait:
    """One use of a session, from when it began."""

    session: Session
    since: float
    ends: bool = False
    """Whether it is ended when patience is, whatever the server is at."""
    is_asked_to_end: bool = False
    """The server may get to hear it late, and then ends whatever the session is at."""
    gate: threading.Lock = field(default_factory=threading.Lock)
    """Held while the wait is being ended, so that this meets nothing that comes after it."""
    is_over: bool = False

    def is_for_standby(self) -> None:
        """From now on it is a standby that is waited for: this ends when patience does."""
        with self.gate:
            self.since, self.ends = time.monotonic(), True


class Patience:
    """Looks after the waits of one database, on a thread of its own."""

    def __init__(
        self, name: str, seconds: float, *, was_replaced: Callable[[Session], bool], look: Callable[[], None]
    ) -> None:
        """`was_replaced` tells whether a session's server is known to have a successor; `look` finds out
        whether there is one at the address by now, and may raise the driver's errors."""
        self._name = name
        self._seconds = seconds
        self._was_replaced = was_replaced
        self._look = look
        self._lock = threading.Lock()
        self._waits: set[Wait] = set()
        self._looked = time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-patience", daemon=True)
        self._thread.start()

    def begin(self, session: Session) -> Wait:
        """A use of a session, to be ended by `end`: cut where its server has a successor."""
        wait = Wait(session, time.monotonic())
        with self._lock:
            self._waits.add(wait)
        return wait

    def end(self, wait: Wait) -> None:
        """Nothing ends the session on its account any more; may be told twice."""
        with self._lock:
            self._waits.discard(wait)
        with wait.gate:
            wait.is_over = True

    @contextlib.contextmanager
    def over(self, session: Session) -> Iterator[Wait]:
        """While a session is used."""
        wait = self.begin(session)
        try:
            yield wait
        finally:
            self.end(wait)

    def close(self) -> None:
        """Ends the thread."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            with self._lock:
                waits = list(self._waits)
            for wait in waits:
                if wait.ends and self._age(wait) > self._seconds:
                    self._end(wait)
            if any(self._age(wait) > LONG_SECONDS for wait in waits):
                self._find_successor()

    def _age(self, wait: Wait) -> float:
        return time.monotonic() - wait.since

    def _end(self, wait: Wait) -> None:
        with wait.gate:
            if wait.is_over:
                return
            if not wait.is_asked_to_end:
                wait.is_asked_to_end = True
                _log.warning("no standby confirms", database=self._name, seconds=self._seconds)
                with contextlib.suppress(psycopg.Error):
                    # A server that cannot be asked is not asked twice: the connection is cut.
                    wait.session.cancel_safe(timeout=CANCEL_SECONDS)
            elif self._age(wait) > self._seconds + CANCEL_SECONDS:
                _cut(wait.session)

    def _find_successor(self) -> None:
        if time.monotonic() - self._looked > LONG_SECONDS:
            with contextlib.suppress(DBAPIError, psycopg.Error):
                # Whoever waits goes on waiting; there is nobody else to turn to.
                self._look()
            self._looked = time.monotonic()
        with self._lock:
            waits = list(self._waits)
        for wait in waits:
            with wait.gate:
                if not wait.is_over and self._was_replaced(wait.session):
                    _log.warning("a session with a server that has a successor is cut", database=self._name)
                    _cut(wait.session)


def _cut(session: Session) -> None:
    """Has the thread that waits for the server find that the connection is lost."""
    # Closed by itself meanwhile, it needs none of this.
    with (
        contextlib.suppress(psycopg.Error, OSError),
        socket.socket(fileno=os.dup(session.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)
