"""A real server inside the test, behind the same guard as in production, and peers that call it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from services.chassis.clock import Clock
from services.chassis.dialing import Peer, TheirEnd
from services.chassis.identity import AdmissionTable, PrincipalKind
from services.chassis.limits import Limits
from services.chassis.minting import TokenMinter
from services.chassis.recording import ActionLog
from services.chassis.serving import Bolt, Server
from services.chassis.tls import ClientTls, ServerTls
from tests.support.keys import a_minter, a_verifier, some_keys
from tests.support.waiting import PATIENCE_SECONDS

DEADLINE_US = 5_000_000
SOMEBODY = (1,)
"""Whom an agent acts for, where a test does not care."""
MANY = Limits(calls=64, streams=64, streams_each=64)
"""More than a test needs that is about something else."""


class LocalServer:
    """A server that is running, as `serving` gives it."""

    def __init__(self, server: Server, address: str, minter: TokenMinter) -> None:
        self.address = address
        self._server = server
        self._minter = minter
        self._peers: list[Peer] = []

    def peer(
        self,
        kind: PrincipalKind,
        party: str = "",
        roles: Sequence[str] = (),
        subjects: Sequence[int] = SOMEBODY,
    ) -> Peer:
        """A connection that shows a token of such a principal; closed with the server."""
        return self.peer_showing(lambda: self.token(kind, party, roles, subjects))

    def token(
        self,
        kind: PrincipalKind,
        party: str = "",
        roles: Sequence[str] = (),
        subjects: Sequence[int] = SOMEBODY,
    ) -> str:
        """An agent's is for `subjects`; where no party is named, it is of licensing or of someone."""
        usual = "licensing" if kind is PrincipalKind.SERVICE else "someone"
        acts_for = subjects if kind is PrincipalKind.AGENT else ()
        return self._minter.mint(kind, party or usual, roles, subjects=acts_for)

    def peer_showing(self, token: Callable[[], str] | None, tls: ClientTls | None = None) -> Peer:
        """A connection that shows whatever token it is given; closed with the server."""
        name = "the server under test"
        peer = Peer(self.address, token, name=name, default_deadline_us=DEADLINE_US, tls=tls)
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


async def answers_to(call: Any, *messages: Any) -> list[Any]:
    """What is answered to a stream of messages, and to its end.

    Raises AioRpcError as the other side ended the call, also where the next write came too late to it.
    """
    end = TheirEnd(call)
    try:
        for message in messages:
            await call.write(message)
        await call.done_writing()
        return [await call] if isinstance(call, grpc.aio.StreamUnaryCall) else [each async for each in call]
    except (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError) as error:
        await call.code()
        raise end.error or error from error


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    *bolts: Bolt,
    admissions: AdmissionTable,
    clock: Clock | None = None,
    limits: Limits = MANY,
    tls: ServerTls | None = None,
    actions: ActionLog | None = None,
) -> AsyncIterator[LocalServer]:
    """Serves `bolts` on a free port of 127.0.0.1; keys are kept in `folder`, tokens are timed by `clock`.

    What operators do is put on record in `actions`, if there is such a log.
    """
    keys = some_keys(folder)
    server = Server(bolts, admissions, a_verifier(keys, clock), limits=limits, tls=tls, actions=actions)
    local = LocalServer(server, await server.start("127.0.0.1:0"), a_minter(keys, clock))
    try:
        yield local
    finally:
        await local.close()
        await server.drain(grace_seconds=0, finish_seconds=0)
