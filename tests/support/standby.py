"""A primary, its synchronous standby and one more behind that: physical copies, in a chain that can be cut.

Services dial a proxy of the tests, which leads to the primary until it is told otherwise, as an address that
moves does; sessions that are open stay with the server that they were opened with.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator

from tests.support.postgres import PostgresServer
from tests.support.relays import Proxy

STANDBY = "standby"
"""What each server in the chain calls itself to the one before it, and whom that one waits for."""
_SETTINGS = {
    "synchronous_standby_names": STANDBY,
    "synchronous_commit": "on",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
}
PATIENCE_SECONDS = 60


class Pair:
    """A primary whose commits wait for its standby; a third server is the standby of that one."""

    def __init__(self) -> None:
        self.primary = PostgresServer(_SETTINGS)
        self.standby = PostgresServer.copied_from(self.primary)
        self._third = PostgresServer.copied_from(self.primary)
        self.replication = Proxy(self.primary.port)
        self.address = Proxy(self.primary.port)

    async def start(self) -> None:
        """Returns when the standby confirms what is written."""
        await self.replication.start()
        await self.address.start()
        self.standby.follow(self.replication.port, STANDBY)
        self._third.follow(self.standby.port, STANDBY)
        # Each after the one that it follows; none waits for those after it to start.
        for server in (self.primary, self.standby, self._third):
            await asyncio.to_thread(server.start)
        await asyncio.to_thread(_wait_for_standby, self.primary, "sync")
        # To whom the next one is not yet one that commits wait for, for it commits nothing itself.
        await asyncio.to_thread(_wait_for_standby, self.standby, "async")

    def url(self, database: str, through: Proxy | None = None) -> str:
        """Through the address that moves, unless another one is said."""
        return f"postgresql://postgres@127.0.0.1:{(through or self.address).port}/{database}"

    def url_of_both(self, database: str) -> str:
        """With both hosts named, where no address moves."""
        hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in (self.primary, self.standby))
        return f"postgresql://postgres@/{database}?{hosts}&target_session_attrs=read-write"

    async def new_database(self, name: str) -> None:
        """An empty one, on all of them."""
        await asyncio.to_thread(self.primary.execute, f"CREATE DATABASE {name} STRATEGY WAL_LOG")

    async def cut_off(self) -> None:
        """From now on nothing that the primary writes reaches the standby; it goes on serving."""
        await self.replication.cut()

    async def promote(self) -> None:
        """Has the standby take over; when this returns it can be written to, but no address leads to it."""
        await asyncio.to_thread(self.standby.execute, "SELECT pg_promote(true, 60)")

    def move_address(self) -> None:
        """Has the address lead to the standby; what is open stays where it is."""
        self.address.leads_to = self.standby.port

    def signal_primary(self, number: signal.Signals) -> None:
        """To the server and each of its sessions."""
        self.primary.signal_all(number)

    async def remove(self) -> None:
        """Forgets all of them."""
        await self.address.close()
        await self.replication.close()
        for server in (self._third, self.standby, self.primary):
            await asyncio.to_thread(server.remove)


def _wait_for_standby(server: PostgresServer, state: str) -> None:
    patience_ends = time.monotonic() + PATIENCE_SECONDS
    query = f"SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}'"
    while not server.execute(query):
        assert time.monotonic() < patience_ends, "nobody follows it"
        time.sleep(0.02)


@contextlib.asynccontextmanager
async def a_pair() -> AsyncIterator[Pair]:
    """A pair that runs until the context is left."""
    pair = Pair()
    try:
        await pair.start()
        yield pair
    finally:
        await pair.remove()
