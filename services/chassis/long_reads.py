"""A read that takes long, told piece by piece: one snapshot, and an end as soon as nobody listens."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from services.chassis.engines import Engine

INTERRUPT_EVERY_SECONDS = 0.05
"""An interrupt that comes between two statements stops neither; the next one will."""
RESULTS_AHEAD = 2
"""Results that wait to be taken: one is always there, and whoever takes slowly does not fill the memory."""

T = TypeVar("T")

GoOn = Callable[[], None]
"""Raises `Stopped` once nobody listens; for work that computes long between two statements."""
Work = Callable[[Connection, GoOn], Iterable[T]]


class Stopped(Exception):  # noqa: N818 - it is no error
    """Nobody listens any more."""


class LongRead(Generic[T]):
    """Work in one read transaction that gives one result after the other, on whichever thread calls `run`."""

    def __init__(self, engine: Engine, work: Work[T], tell: Callable[[T], object]) -> None:
        """`tell` is called with each result on the thread that runs, as soon as there is room for it."""
        self._engine = engine
        self._work = work
        self._tell = tell
        self._room = threading.Semaphore(RESULTS_AHEAD)
        self._gate = threading.Lock()
        self._driver: Any = None
        """The driver's connection while it is read from."""
        self._ended = threading.Event()
        self.is_stopped = False
        self.has_told = False

    def run(self) -> None:
        """Returns after the last result, or when it was stopped; raises what the work does, driver errors."""
        try:
            with self._engine.reading_long() as connection:
                self._read(connection)
        except Stopped:
            pass
        except self._engine.driver_errors:
            # The interrupt itself is such an error, and to whoever has gone away every other one is too.
            if not self.is_stopped:
                raise

    def taken(self) -> None:
        """One result that was told waits no more; any thread."""
        self._room.release()

    def end(self) -> None:
        """Nothing runs any more, and nothing will."""
        self._ended.set()

    def stop(self) -> None:
        """Stops the statement that runs, and returns when the connection is given back; any other thread."""
        self.is_stopped = True
        # Nothing is taken any more: whoever waits for room would wait for ever.
        self._room.release()
        while not self._ended.wait(INTERRUPT_EVERY_SECONDS):
            with self._gate:
                if self._driver is not None:
                    self._engine.interrupt(self._driver)

    def _read(self, connection: Connection) -> None:
        self._hold(connection.connection.driver_connection)
        try:
            for result in self._work(connection, self._go_on):
                self._room.acquire()
                if self.is_stopped:
                    return
                self.has_told = True
                self._tell(result)
        finally:
            self._hold(None)
            if self.is_stopped:
                # An interrupt that comes late must not meet whoever reads next.
                connection.invalidate()

    def _go_on(self) -> None:
        if self.is_stopped:
            raise Stopped

    def _hold(self, driver: Any) -> None:
        with self._gate:
            self._driver = driver
