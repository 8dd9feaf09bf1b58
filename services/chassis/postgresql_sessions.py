"""Sessions with a PostgreSQL server, and which one that is: a promoted standby writes a timeline of its own.

Once a process has seen a later timeline, it has nothing more to do with servers of an earlier one: a primary
that was cut off goes on answering those who still reach it, and what it answers is of the past.
"""

import concurrent.futures
import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import psycopg
import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

_SESSION = {
    # In milliseconds. A statement is slow when a whole index is read; a lock is held for one group. A process
    # that stops in the middle of one holds up all others: not for longer than they wait for a lock.
    "statement_timeout": 60_000,
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": 8_000,
    # What is looked up for a call is in memory or on a disk that does not seek: an index beats reading all,
    # long before the default thinks so.
    "random_page_cost": 1.1,
    # In seconds: the server notices within half a minute that the process is gone, and frees its locks.
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
_CONNECTING = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # In milliseconds: sent and not acknowledged for so long is lost.
    "tcp_user_timeout": 15_000,
    "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
}
_ANSWER_SECONDS = 5.0
"""For a server that has taken a connection to say which one it is; one that stands still never does."""
_OTHERS_SECONDS = 1.0
"""How long, after one of several hosts has answered, the others are waited for: one may be its successor."""

# The name of the file that is written now begins with the timeline, in hexadecimal; a standby writes none.
_HISTORY = """
SELECT (SELECT system_identifier::text FROM pg_control_system()),
    CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END
"""

_log = structlog.get_logger(__name__)


class History(NamedTuple):
    """Whose history a server writes."""

    system: str
    """PostgreSQL's mark of a primary and of all its physical copies."""
    timeline: int
    """Raised by each promotion, and by each recovery to an earlier time."""


class Session(psycopg.Connection[Any]):
    """A session with a server that could be written to when it began."""

    history: History

    @classmethod
    def begin(cls, parameters: Mapping[str, Any]) -> Self:
        """Raises psycopg.Error, also where the server is a standby."""
        session = cls.connect(**parameters)
        try:
            session.history = _history_of(session)
        except BaseException:
            session.close()
            raise
        return session


def _history_of(session: Session) -> History:
    # The driver waits for ever for what a session is asked.
    late = threading.Timer(_ANSWER_SECONDS, cut, [session])
    late.daemon = True
    late.start()
    try:
        [(system, timeline)] = session.execute(_HISTORY).fetchall()
        session.rollback()
    finally:
        late.cancel()
        late.join()
    if not timeline:
        raise psycopg.OperationalError("the server is a standby")
    return History(system, int(timeline, 16))


def cut(session: Session) -> None:
    """Has the thread that waits for the server find that the connection is lost; any thread."""
    # Closed by itself meanwhile, it needs none of this.
    with (
        contextlib.suppress(psycopg.Error, OSError),
        socket.socket(fileno=os.dup(session.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


class Timelines:
    """The latest timeline of each system that this process has seen; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, int] = {}

    def see(self, history: History) -> None:
        """Takes note of a server that can be written to."""
        with self._lock:
            before = self._latest.get(history.system, 0)
            self._latest[history.system] = max(before, history.timeline)
        if 0 < before < history.timeline:
            _log.warning("another server has taken over", before=before, timeline=history.timeline)

    def have_passed(self, session: Session) -> bool:
        """Whether the session's server has a successor, as far as is known."""
        return session.history.timeline < self._latest.get(session.history.system, 0)

    def begin(self, parameters: Mapping[str, Any]) -> Session:
        """A session with the latest of the servers that `parameters` name.

        Raises psycopg.Error, also where that is an earlier one than was seen before.
        """
        session = _begin_with_latest(_each_host(parameters))
        self.see(session.history)
        if self.have_passed(session):
            session.close()
            raise psycopg.OperationalError("the server has a successor")
        return session


def engine(url: URL, name: str, isolation_level: Any, timelines: Timelines, **pool: Any) -> Engine:
    """One whose connections are `Session`s, none of them with a server that has a successor."""
    made = create_engine(
        url,
        isolation_level=isolation_level,
        connect_args={**_CONNECTING, "application_name": f"sluice-{name}"},
        # Parameters are ids of people; error texts end up in logs.
        hide_parameters=True,
        use_native_hstore=False,
        **pool,
    )
    event.listen(made, "handle_error", _without_values)
    event.listen(made, "do_connect", lambda _dialect, _record, _positional, named: timelines.begin(named))
    return made


@contextlib.contextmanager
def warned(session: Session) -> Iterator[list[str]]:
    """What the server warns of meanwhile: a wait for the standby that is cut short is a success with that."""
    warnings: list[str] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            warnings.append(diagnostic.message_primary or "")

    session.add_notice_handler(note)
    try:
        yield warnings
    finally:
        session.remove_notice_handler(note)


def session_of(connection: Connection) -> Session:
    """What a connection of such an engine is."""
    session = connection.connection.driver_connection
    assert isinstance(session, Session)
    return session


def _each_host(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same for each host of a list of them, as libpq writes it: names, and ports, between commas."""
    hosts, ports = (str(parameters.get(name, "")).split(",") for name in ("host", "port"))
    if len(hosts) == 1:
        return [dict(parameters)]
    ports = ports * len(hosts) if len(ports) == 1 else ports
    common = {name: value for name, value in parameters.items() if name not in {"host", "port"}}
    return [
        {**common, "host": host, **({"port": port} if port else {})}
        for host, port in zip(hosts, ports, strict=True)
    ]


def _begin_with_latest(each: Sequence[Mapping[str, Any]]) -> Session:
    """Asks all of them, for a primary that was cut off can be written to as well, and takes the latest.

    libpq would take the first that answers. One that stands still is not waited for once another answered.
    """
    if len(each) == 1:
        return Session.begin(each[0])
    threads = concurrent.futures.ThreadPoolExecutor(len(each), thread_name_prefix="dialing")
    tries = [threads.submit(Session.begin, parameters) for parameters in each]
    threads.shutdown(wait=False)
    found, errors = list[Session](), list[BaseException]()
    waiting, patience = set(tries), None
    while waiting:
        done, waiting = concurrent.futures.wait(waiting, patience, concurrent.futures.FIRST_COMPLETED)
        for ended in done:
            if error := ended.exception():
                errors.append(error)
            else:
                found.append(ended.result())
        patience = _OTHERS_SECONDS if found else None
        if not done:
            break
    for late in waiting:
        late.add_done_callback(_close)
    if not found:
        raise errors[0]
    latest = max(found, key=lambda session: session.history.timeline)
    for session in found:
        if session is not latest:
            session.close()
    return latest


def _close(ended: "concurrent.futures.Future[Session]") -> None:
    if ended.exception() is None:
        with contextlib.suppress(psycopg.Error):
            ended.result().close()


def _without_values(context: ExceptionContext) -> None:
    """Keeps of an error the sentence without its detail, which names the values of the row."""
    cause, error = context.original_exception, context.sqlalchemy_exception
    if isinstance(cause, psycopg.Error) and error is not None and cause.diag.message_primary:
        cause.args = (cause.diag.message_primary,)
        error.args = (f"{cause.sqlstate} {cause.diag.message_primary}",)
