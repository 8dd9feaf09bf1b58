"""Ends waits that PostgreSQL does not end: for a standby that confirms nothing, a server that stands still.

A commit that waits for its standby waits for ever, while the server that holds it is alive and well; what the
server itself times out with does not cut that wait short, and a server that was stopped times nothing out.
Who waits is always told that the outcome is not known: a wait that was ended says nothing about the commit.
Nobody's wait is lengthened by another's, nor by an address that does not answer.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from services.chassis.group_commit import end_process
from services.chassis.postgresql_sessions import Session, cut

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
    asked_at: float = 0.0
    is_cut: bool = False
    gate: threading.Lock = field(default_factory=threading.Lock)
    """Held while the wait is being ended, so that this meets nothing that comes after it."""
    is_over: bool = False

    def is_for_standby(self, since: float) -> None:
        """From now on it is a standby that is waited for, since then: this ends when patience does."""
        with self.gate:
            self.since, self.ends = since, True


class Patience:
    """Looks after the waits of one database, on threads of its own: the process ends if one of them fails."""

    def __init__(
        self, name: str, seconds: float, *, was_replaced: Callable[[Session], bool], look: Callable[[], None]
    ) -> None:
        """`was_replaced` tells whether a session's server is known to have a successor; `look` finds out
        whether there is one at the address by now, may take its time, and may raise the driver's errors."""
        self._name = name
        self._seconds = seconds
        self._was_replaced = was_replaced
        self._look = look
        self._lock = threading.Lock()
        self._waits: set[Wait] = set()
        self._closed = threading.Event()
        self._is_long = threading.Event()
        """Somebody waits for so long that there may be a successor."""
        self._found_wrong = ""
        self._threads = [self._start(self._end_waits, "patience"), self._start(self._dial, "dialing")]

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
        """Ends the threads; one that dials is waited for."""
        self._closed.set()
        self._is_long.set()
        for thread in self._threads:
            thread.join()

    def _start(self, run: Callable[[], None], what: str) -> threading.Thread:
        def vital() -> None:
            try:
                run()
            except BaseException as error:
                # Without it those who wait would do so for ever.
                end_process(self._name, error)

        thread = threading.Thread(target=vital, name=f"{self._name}-{what}", daemon=True)
        thread.start()
        return thread

    def _end_waits(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            with self._lock:
                waits = list(self._waits)
            for wait in waits:
                # Held by whoever is asking the server, or has come to its end: neither is waited for.
                if wait.gate.acquire(blocking=False):
                    try:
                        self._end_if_due(wait)
                    finally:
                        wait.gate.release()
            if any(time.monotonic() - wait.since > LONG_SECONDS for wait in waits):
                self._is_long.set()

    def _end_if_due(self, wait: Wait) -> None:
        now = time.monotonic()
        if wait.is_over or wait.is_cut:
            return
        if self._was_replaced(wait.session):
            _log.warning("a session with a server that has a successor is cut", database=self._name)
            wait.is_cut = True
            cut(wait.session)
        elif wait.is_asked_to_end and now - wait.asked_at > CANCEL_SECONDS:
            # A server that cannot be asked is not asked twice.
            wait.is_cut = True
            cut(wait.session)
        elif wait.ends and not wait.is_asked_to_end and now - wait.since > self._seconds:
            _log.warning("no standby confirms", database=self._name, seconds=self._seconds)
            wait.is_asked_to_end, wait.asked_at = True, now
            threading.Thread(target=_ask, args=[wait], name=f"{self._name}-asking", daemon=True).start()

    def _dial(self) -> None:
        while True:
            self._is_long.wait()
            if self._closed.is_set():
                return
            self._find_successor()
            self._closed.wait(LONG_SECONDS)
            if not self._closed.is_set():
                self._is_long.clear()

    def _find_successor(self) -> None:
        try:
            self._look()
            self._found_wrong = ""
        except (DBAPIError, psycopg.Error) as error:
            # Whoever waits goes on waiting; there is nobody else to turn to. Said once, not each second.
            if (wrong := str(error)) != self._found_wrong:
                _log.warning("no server is found at the address", database=self._name, error=repr(error))
            self._found_wrong = wrong


def _ask(wait: Wait) -> None:
    """Has the server end it, unless it is over meanwhile."""
    with wait.gate:
        if not wait.is_over:
            try:
                wait.session.cancel_safe(timeout=CANCEL_SECONDS)
            except psycopg.Error as error:
                _log.warning("a wait cannot be ended by asking, and is cut", error=repr(error))
