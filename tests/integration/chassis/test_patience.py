"""Waits that PostgreSQL does not end are ended: one by one, and by nobody who could be held up himself."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from services.chassis import postgresql_patience, postgresql_sessions
from services.chassis.postgresql_patience import Patience
from services.chassis.postgresql_sessions import Session
from tests.support.postgres import BINARIES, MISSING, PostgresServer, a_server
from tests.support.postgres_sessions import PATIENCE_SECONDS, wait_until
from tests.support.relays import Proxy

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

FOR_EVER = "SELECT pg_sleep(3600)"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own."""
    with a_server() as server:
        yield server


class Silent:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self.at_once = 0
        """The most that were open side by side."""
        self._open = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """At the port."""
        listener = await asyncio.start_server(self._listen, "127.0.0.1", 0)
        yield listener.sockets[0].getsockname()[1]
        listener.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.at_once = max(self.at_once, self._open)
        with contextlib.closing(writer):
            while await reader.read(1024):
                pass
        self._open -= 1


def a_session(port: int) -> Session:
    return Session.begin({"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres"})


async def test_an_address_that_says_nothing_lengthens_nobodys_wait(server: PostgresServer) -> None:
    silent, proxy, stays_silent = Silent(), Proxy(server.port), threading.Event()
    await proxy.start()
    sessions = [await asyncio.to_thread(a_session, proxy.port) for _ in range(2)]

    def dial() -> None:
        stays_silent.wait(PATIENCE_SECONDS)

    async with silent.listening() as port:
        patience = Patience("words", 0.1, was_replaced=lambda _session: False, look=dial)
        waits = [patience.begin(session) for session in sessions]
        waiting = [asyncio.create_task(asyncio.to_thread(each.execute, FOR_EVER)) for each in sessions]
        await asyncio.to_thread(
            wait_until, server, "wait_event = 'PgSleep' AND (SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event = 'PgSleep') = 2",
        )  # fmt: skip
        # What asks the server to end a statement goes the same way, and gets nowhere.
        proxy.leads_to = port
        for wait in waits:
            wait.is_for_standby(time.monotonic())
        async with asyncio.timeout(PATIENCE_SECONDS / 2):
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        for wait in waits:
            patience.end(wait)
        still_dialing = not stays_silent.is_set()
        stays_silent.set()
        await asyncio.to_thread(patience.close)
        await proxy.close()

    assert [type(outcome) for outcome in outcomes] == [psycopg.OperationalError] * 2
    assert still_dialing
    assert silent.at_once == 2


@pytest.mark.parametrize("thread", ["patience", "dialing"])
async def test_a_process_whose_waits_nobody_would_end_any_more_ends(
    server: PostgresServer, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, told = threading.Event(), list[tuple[str, str]]()

    def end(database: str, error: BaseException) -> None:
        told.append((database, str(error)))
        ended.set()

    def was_replaced(_session: Session) -> bool:
        return fails("patience")

    def look() -> None:
        fails("dialing")

    def fails(what: str) -> bool:
        if what == thread:
            raise ValueError("nobody thought of this")
        return False

    monkeypatch.setattr(postgresql_patience, "end_process", end)
    monkeypatch.setattr(postgresql_patience, "LONG_SECONDS", 0.0)
    patience = Patience("words", PATIENCE_SECONDS, was_replaced=was_replaced, look=look)
    with contextlib.closing(await asyncio.to_thread(a_session, server.port)) as session:
        with patience.over(session):
            was_ended = await asyncio.to_thread(ended.wait, PATIENCE_SECONDS)
        await asyncio.to_thread(patience.close)

    assert was_ended
    assert told == [("words", "nobody thought of this")]


def test_a_server_that_does_not_say_which_one_it_is_is_not_waited_for(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_sessions, "_HISTORY", FOR_EVER)
    monkeypatch.setattr(postgresql_sessions, "_ANSWER_SECONDS", 0.1)

    with pytest.raises(psycopg.OperationalError):
        a_session(server.port)
