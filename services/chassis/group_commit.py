"""Group commit: one thread writes, and units of work that arrive while it commits share its next transaction.

Each unit fails alone: it has a savepoint, or the group is done again with savepoints. Nothing is acknowledged
before the commit is durable, and a unit whose caller has gone away still runs: what was asked for does not
depend on how long somebody waited.
"""

import asyncio
import concurrent.futures
import enum
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog
from sqlalchemy import Connection

from services.chassis.engines import Engine, Trouble
from services.chassis.heads import Head, Witness
from services.chassis.metrics import GROUP_UNITS, QUEUE_DEPTH, show
from services.chassis.migrations import SCHEMA_UNKNOWN
from services.chassis.refusals import Behind, Kind, Refusal, exhausted, unavailable
from services.chassis.waiting import ORDINARY, WaitingLine

RETRY_AFTER_FULL_US = 100_000
EXIT_IO_ERROR = 74  # EX_IOERR of BSD's sysexits.h
IDLE_SECONDS = 0.5
"""So long without a unit, and it is looked whether others still see that the database is used."""
TRIES = 5
"""How often a group is done before others that come in between have had their way for too long."""

LockRows = Callable[[Connection], Head | None]
"""Locks, at the start of a group, what its units are not to share with other processes.

Tells the head that it has locked, if that is to be compared with what was seen before."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Share:
    """A unit of work that is done together with others of its kind: many cost little more than one."""

    run: Callable[[Connection, Sequence[Any]], Sequence[Any]]
    """Gives one result an item, in order; a result that is a Refusal is raised to the caller of that item."""
    item: Any


Unit = Callable[[Connection], Any] | Share


class CommitUnknown(Refusal):
    """The commit failed in a way that leaves open whether it happened: repeat with the same request id."""

    def __init__(self) -> None:
        super().__init__(Kind.UNAVAILABLE, "COMMIT_UNKNOWN", "it is not known whether the change was stored")


class _Outcome(enum.Enum):
    COMMITTED = enum.auto()
    RACED = enum.auto()  # nothing was written, and the same again may do
    NOT_WRITTEN = enum.auto()
    BEHIND = enum.auto()  # nothing was written, and nothing more is to be
    UNKNOWN = enum.auto()


@dataclass(slots=True)
class _Work:
    """One unit that waits, and whom to tell."""

    unit: Unit
    future: asyncio.Future[Any] | concurrent.futures.Future[Any]
    result: Any = None
    error: Exception | None = None


class GroupCommit:
    """The queue before the one writer of a database, and the thread that empties it."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        lock: LockRows | None,
        group_limit: int,
        bulk_limit: int,
        queue_limit: int,
        witness: Witness,
        outgrown: Callable[[Refusal], None],
    ) -> None:
        """Up to `queue_limit` units wait; the other limits are those of `WaitingLine`.

        `outgrown` is called, on the writer's thread, with why the schema is not this release's any more.
        """
        self._engine = engine
        self._outgrown = outgrown
        self._idle_seconds = IDLE_SECONDS if engine.has_rivals else None
        self._is_seen = True
        # Where nobody else writes there is nobody to lock rows against.
        self._lock = lock if engine.has_rivals else None
        self._name = name
        self._witness = witness
        self._locked = witness.highest
        self._queue_limit = queue_limit
        self._line: WaitingLine[_Work] = WaitingLine(group_limit, bulk_limit)
        self._gate = threading.Lock()
        self._closed = False
        self._group_units = GROUP_UNITS.labels(name)
        show(QUEUE_DEPTH.labels(name), self._line.__len__)
        self._thread = threading.Thread(target=self._run, name=f"{name}-writer", daemon=True)
        self._thread.start()

    def submit(
        self,
        unit: Unit,
        future: asyncio.Future[Any] | concurrent.futures.Future[Any],
        weight: int = ORDINARY,
        *,
        urgent: bool = False,
    ) -> None:
        """Queues a unit; `future` gets its result, or its exception, after the commit.

        With more than the ordinary weight it is bulky, and others have their turn before the next such unit.
        Else, where it is `urgent`, it goes before those that wait.

        Raises Refusal: QUEUE_FULL (exhausted), DATABASE_CLOSED (unavailable).
        """
        with self._gate:
            if self._closed:
                raise unavailable("DATABASE_CLOSED", "the service is shutting down")
            if len(self._line) >= self._queue_limit:
                raise exhausted("QUEUE_FULL", "too many changes wait", retry_after_us=RETRY_AFTER_FULL_US)
            self._line.add(_Work(unit, future), weight, urgent=urgent)

    def close(self) -> None:
        """Takes no more units, finishes those that wait, and returns when the thread has ended."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._line.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._line.is_over:
                if group := self._line.next_group(self._idle_seconds):
                    self._group_units.observe(len(group))
                    self._commit(group)
                    _settle(group)
                elif not self._line.is_over:
                    self._stay_present()
        except BaseException as error:
            end_process(self._name, error)

    def _stay_present(self) -> None:
        was_seen, self._is_seen = self._is_seen, False
        try:
            self._engine.stay_present()
            self._is_seen = True
        except self._engine.driver_errors as error:
            if was_seen:
                _log.warning("the database is out of reach", database=self._name, error=repr(error))
        except Refusal as refusal:
            self._check_outgrown(refusal)

    def _check_outgrown(self, refusal: Refusal) -> None:
        if refusal.reason == SCHEMA_UNKNOWN:
            # Nobody is to see this process any more.
            self._idle_seconds = None
            self._outgrown(refusal)

    def _commit(self, group: Sequence[_Work]) -> None:
        outcome = self._attempt(group)
        for _ in range(TRIES - 1):
            if outcome is not _Outcome.RACED:
                break
            outcome = self._attempt(group)
        if outcome is _Outcome.UNKNOWN:
            _fail(group, CommitUnknown)
        elif outcome is _Outcome.BEHIND:
            _fail(group, Behind)
        elif outcome is not _Outcome.COMMITTED:
            _fail(group, _not_written)

    def _attempt(self, group: Sequence[_Work]) -> _Outcome:
        try:
            # A savepoint is two trips to a server, so there the group tries without, for most units succeed.
            if not (self._engine.has_rivals and self._run_boldly(group)):
                self._run_units(group)
        except self._engine.driver_errors as error:
            trouble = self._undo(error)
            return _Outcome.RACED if trouble is Trouble.RACE else _Outcome.NOT_WRITTEN
        except Behind:
            # Raised at the beginning alone, like the next: what units raise is theirs.
            self._engine.rollback()
            # What others of this process have seen of the server that took over meanwhile.
            return _Outcome.NOT_WRITTEN if self._engine.was_replaced() else _Outcome.BEHIND
        except Refusal as refusal:
            _log.error("a group of writes could not begin", database=self._name, error=repr(refusal))
            self._engine.rollback()
            self._check_outgrown(refusal)
            return _Outcome.NOT_WRITTEN
        try:
            self._engine.commit()
        except self._engine.driver_errors as error:
            trouble = self._undo(error)
            # The engine itself says that it undid everything; any other failure leaves it open.
            return _Outcome.RACED if trouble is Trouble.RACE else _Outcome.UNKNOWN
        # What was there when it was locked comes before this commit, which no failover loses.
        self._witness.rise(self._locked)
        return _Outcome.COMMITTED

    def _begin(self, group: Sequence[_Work]) -> None:
        since = self._witness.highest
        self._engine.begin()
        # What goes into a file that has been replaced is acknowledged and never found again (R5).
        self._engine.check_place()
        if self._lock is not None and (head := self._lock(self._engine.writer)) is not None:
            # Nobody can have committed since it was locked, so it is at least what any read has found.
            self._witness.compare(head, since)
            self._locked = head

    def _run_boldly(self, group: Sequence[_Work]) -> bool:
        """Whether all units succeeded; if not, nothing has been done, and they are to run one by one."""
        self._begin(group)
        for stretch in _stretches(group):
            try:
                self._run_stretch(stretch)
            except Exception as error:
                if self._concerns_all(error):
                    raise
                self._engine.rollback()
                return False
        return True

    def _run_units(self, group: Sequence[_Work]) -> None:
        self._begin(group)
        for stretch in _stretches(group):
            # If they fail together, each one is to fail or succeed alone.
            if not self._run_in_savepoint(stretch) and len(stretch) > 1:
                for work in stretch:
                    self._run_in_savepoint([work])

    def _run_in_savepoint(self, stretch: Sequence[_Work]) -> bool:
        self._engine.savepoint()
        done = True
        try:
            self._run_stretch(stretch)
        except Exception as error:
            if self._concerns_all(error):
                raise
            stretch[0].error = error
            self._engine.rollback_to_savepoint()
            done = False
        self._engine.release_savepoint()
        return done

    def _run_stretch(self, stretch: Sequence[_Work]) -> None:
        unit = stretch[0].unit
        if not isinstance(unit, Share):
            (work,) = stretch
            work.result, work.error = unit(self._engine.writer), None
            return
        results = unit.run(self._engine.writer, [work.unit.item for work in stretch])  # type: ignore[union-attr]
        for work, result in zip(stretch, results, strict=True):
            work.result, work.error = (None, result) if isinstance(result, Refusal) else (result, None)

    def _concerns_all(self, error: Exception) -> bool:
        if not isinstance(error, self._engine.driver_errors):
            return False
        return self._engine.trouble_of(error) is not Trouble.STATEMENT

    def _undo(self, error: Exception) -> Trouble:
        trouble = self._engine.trouble_of(error)
        if trouble is Trouble.FATAL:
            end_process(self._name, error)
        _log.error("a group of writes failed", database=self._name, error=repr(error))
        self._engine.rollback()
        return trouble


def _stretches(group: Sequence[_Work]) -> list[list[_Work]]:
    """Neighbours that are done together; all others alone."""
    stretches: list[list[_Work]] = []
    for work in group:
        before = stretches[-1][-1].unit if stretches else None
        if isinstance(work.unit, Share) and isinstance(before, Share) and work.unit.run == before.run:
            stretches[-1].append(work)
        else:
            stretches.append([work])
    return stretches


def end_process(database: str, error: BaseException) -> NoReturn:
    """Ends the process at once, for what memory says of the disk can no longer be trusted.

    After a failed fsync the kernel may have dropped what was written (and says so only once); the next
    start reads what is really there.
    """
    _log.critical(
        "the database cannot be trusted any more, the process ends", database=database, error=repr(error)
    )
    os._exit(EXIT_IO_ERROR)


def _fail(group: Sequence[_Work], refusal: Callable[[], Refusal]) -> None:
    for work in group:
        # One each: an exception gathers the traceback of whoever it is raised to.
        work.error = refusal()


def _not_written() -> Refusal:
    return unavailable("DATABASE_UNAVAILABLE", "the database cannot be written now")


def _settle(group: Sequence[_Work]) -> None:
    """Tells everyone; each event loop is woken once a group, for waking it costs more than an insert."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Work]] = defaultdict(list)
    for work in group:
        if isinstance(work.future, asyncio.Future):
            by_loop[work.future.get_loop()].append(work)
        else:
            _resolve(work)
    for loop, works in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, works)
        except RuntimeError:
            # The loop is closed: its callers are gone, and what they asked for is done.
            _log.warning("nobody is left to hear of a commit", units=len(works))


def _resolve_all(works: Sequence[_Work]) -> None:
    for work in works:
        _resolve(work)


def _resolve(work: _Work) -> None:
    if work.future.done():
        return
    if work.error is not None:
        work.future.set_exception(work.error)
    else:
        work.future.set_result(work.result)
