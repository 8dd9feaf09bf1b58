"""Two replicas that stop and start again in turn, under calls: none of them fails, and nobody tries again."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.channels import client_options
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.chassis.serving import Server
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.grpc import MANY
from tests.support.keys import a_minter, a_verifier, some_keys
from tests.support.waiting import until

pytestmark = pytest.mark.slow

LANES = 8
GRACE_SECONDS = 0.3
"""Time for callers to hear NOT_SERVING; a test waits for all calls to go to the other replica besides."""
ENOUGH = 50
"""Calls between two steps."""


class Replicas:
    """Two servers at addresses that stay, and how many calls each has answered since it was started."""

    def __init__(self, folder: Path, connection_age_seconds: float = 0) -> None:
        self._keys = some_keys(folder)
        self._age = connection_age_seconds
        self._servers: list[Server] = []
        self.addresses: list[str] = []
        self.echoes: list[Echo] = []

    @property
    def target(self) -> str:
        """Both."""
        return "ipv4:" + ",".join(self.addresses)

    def token(self) -> str:
        """Of somebody who may call."""
        return a_minter(self._keys).mint(PrincipalKind.PIPELINE, "someone")

    async def __aenter__(self) -> "Replicas":
        for _ in range(2):
            echo, server = self._made()
            self.addresses.append(await server.start("127.0.0.1:0"))
            self.echoes.append(echo)
            self._servers.append(server)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            await server.drain(grace_seconds=0, finish_seconds=0)

    async def stop(self, number: int) -> None:
        """As SIGTERM does."""
        await self._servers[number].drain(grace_seconds=GRACE_SECONDS, finish_seconds=10)

    async def start(self, number: int) -> None:
        """Another one at the same address; returns when it gets calls."""
        self.echoes[number], self._servers[number] = self._made()
        await self._servers[number].start(self.addresses[number])
        await self.called(number)

    async def called(self, number: int) -> None:
        """Returns when that one has answered some more calls."""
        echo = self.echoes[number]
        before = echo.asked
        await until(lambda: echo.asked >= before + ENOUGH, "the replica gets calls")

    def _made(self) -> tuple[Echo, Server]:
        echo = Echo()
        verifier = a_verifier(self._keys)
        return echo, Server(
            [echo.bolt()], ADMISSIONS, verifier, limits=MANY, connection_age_seconds=self._age
        )


class Calls:
    """Calls without a pause over one channel, and how they ended at first sight."""

    def __init__(self, replicas: Replicas) -> None:
        self.ended: Counter[str] = Counter()
        self._over = False
        self._channel = grpc.aio.insecure_channel(replicas.target, options=client_options(replicas.target))
        self._say: Any = self._channel.unary_unary(f"/{NAME}/Say")
        self._shown = [("authorization", f"Bearer {replicas.token()}")]

    async def __aenter__(self) -> "Calls":
        self._lanes = [asyncio.create_task(self._call_on()) for _ in range(LANES)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        await asyncio.gather(*self._lanes)
        await self._channel.close()

    async def _call_on(self) -> None:
        while not self._over:
            try:
                answer = await self._say(b"hello", metadata=self._shown, timeout=10)
                self.ended["answered" if answer == b"hello" else "wrong"] += 1
            except grpc.aio.AioRpcError as error:
                self.ended[error.code().name] += 1


async def test_no_call_fails_at_first_sight_while_replicas_are_replaced_in_turn(tmp_path: Path) -> None:
    async with Replicas(tmp_path) as replicas, Calls(replicas) as calls:
        for number in (0, 1, 0, 1):
            await replicas.called(number)
            await replicas.stop(number)
            await replicas.called(1 - number)
            await replicas.start(number)

    assert calls.ended.keys() == {"answered"}
    assert calls.ended["answered"] >= 8 * ENOUGH


async def test_no_call_fails_at_first_sight_where_connections_end_by_their_age(tmp_path: Path) -> None:
    async with Replicas(tmp_path, connection_age_seconds=0.05) as replicas, Calls(replicas) as calls:
        for number in (0, 1) * 5:
            await replicas.called(number)

    assert calls.ended.keys() == {"answered"}


async def test_a_stream_that_ends_with_its_replica_is_opened_at_the_other_one_at_once(tmp_path: Path) -> None:
    opened: Counter[str] = Counter()

    async def follow_on(peer: Peer) -> None:
        follow: Any = peer.channel.unary_stream(f"/{NAME}/Follow")
        while True:
            async with peer.open(follow, b"") as stream:
                opened[(await stream.receive()).decode()] += 1
                with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
                    await stream.receive()

    async with Replicas(tmp_path) as replicas, Calls(replicas):
        peer = Peer(replicas.target, replicas.token, name="echo")
        following = asyncio.create_task(follow_on(peer))
        await until(lambda: opened["here"] == 1, "there is a stream")
        for number in (0, 1):
            await replicas.stop(number)
            await replicas.start(number)
        await until(lambda: opened["here"] > 1 or following.done(), "it was opened again")

        assert not following.done(), "no opening was refused"
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await peer.close()
