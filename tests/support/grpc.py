"""A real server inside the test, behind the same guard as in production, and peers that call it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from services.chassis.clock import Clock
from services.chassis.dialing import Peer
from services.chassis.identity import AdmissionTable, PrincipalKind
from services.chassis.limits import Limits
from services.chassis.recording import ActionLog
from services.chassis.serving import Bolt, Server
from tests.support.keys import a_minter, a_verifier, some_keys
from tests.support.waiting import PATIENCE_SECONDS

DEADLINE_US = 5_000_000
MANY = Limits(calls=64, streams=64, streams_each=64)
"""More than a test needs that is about something else."""


class LocalServer:
    """A server that is running, as `serving` gives it."""

    def __init__(
        self, server: Server, address: str, mint: Callable[[PrincipalKind, str, Sequence[str]], str]
    ) -> None:
        self.address = address
        self._server = server
        self._mint = mint
        self._peers: list[Peer] = []

    def peer(self, kind: PrincipalKind, party: str = "someone", roles: Sequence[str] = ()) -> Peer:
        """A connection that shows a token of such a principal; closed with the server."""
        return self.peer_showing(lambda: self.token(kind, party, roles))

    def token(self, kind: PrincipalKind, party: str = "someone", roles: Sequence[str] = ()) -> str:
        """A token of such a principal."""
        return self._mint(kind, party, roles)

    def peer_showing(self, token: Callable[[], str]) -> Peer:
        """A connection that shows whatever token it is given; closed with the server."""
        peer = Peer(self.address, token, name="the server under test", default_deadline_us=DEADLINE_US)
        self._peers.append(peer)
        return peer

    async def drain(self) -> None:
        """Returns when everything that runs has ended by itself; fails where patience ends before that."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._server.drain(grace_seconds=0, finish_seconds=2 * PATIENCE_SECONDS)

    async def close(self) -> None:
        """Closes every peer."""
        for peer in self._peers:
            await peer.close()


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    *bolts: Bolt,
    admissions: AdmissionTable,
    clock: Clock | None = None,
    limits: Limits = MANY,
    actions: ActionLog | None = None,
) -> AsyncIterator[LocalServer]:
    """Serves `bolts` on a free port of 127.0.0.1; keys are kept in `folder`, tokens are timed by `clock`.

    What operators do is put on record in `actions`, if there is such a log.
    """
    keys = some_keys(folder)
    server = Server(bolts, admissions, a_verifier(keys, clock), limits=limits, actions=actions)
    local = LocalServer(server, await server.start("127.0.0.1:0"), a_minter(keys, clock).mint)
    try:
        yield local
    finally:
        await local.close()
        await server.drain(grace_seconds=0, finish_seconds=0)
