"""A target that is a name: replicas that come get calls, and those that have gone cost nobody theirs."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.serving import Server
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.grpc import MANY
from tests.support.keys import a_minter, a_verifier, some_keys
from tests.support.name_server import a_name_server
from tests.support.ports import a_free_port
from tests.support.waiting import until

FIRST, SECOND, THIRD = "127.0.0.1", "127.0.0.2", "127.0.0.3"
GRACE_SECONDS = 0.3
ENOUGH = 20


async def test_a_replica_at_a_new_address_of_the_name_gets_calls_and_no_call_fails(tmp_path: Path) -> None:
    keys, port = some_keys(tmp_path), a_free_port()
    echoes = {host: Echo() for host in (FIRST, SECOND, THIRD)}
    over, answers = asyncio.Event(), list[bytes]()

    async def start(host: str) -> Server:
        server = Server([echoes[host].bolt()], ADMISSIONS, a_verifier(keys), limits=MANY)
        await server.start(f"{host}:{port}")
        stack.push_async_callback(server.drain, grace_seconds=0, finish_seconds=0)
        return server

    async def call_on(peer: Peer) -> None:
        say: Any = peer.channel.unary_unary(f"/{NAME}/Say")
        while not over.is_set():
            answers.append(await peer.call(say, b"hello"))

    async with contextlib.AsyncExitStack() as stack:
        names, server = await stack.enter_async_context(a_name_server([FIRST, SECOND]))
        first, _ = await start(FIRST), await start(SECOND)
        token = a_minter(keys).mint(PrincipalKind.PIPELINE, "someone")
        peer = Peer(f"dns://{server}/replicas.test.example:{port}", lambda: token, name="echo")
        stack.push_async_callback(peer.close)
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(call_on(peer))
            await until(lambda: min(echoes[FIRST].asked, echoes[SECOND].asked) >= ENOUGH, "both get calls")
            asked = names.asked

            await start(THIRD)
            names.addresses = [SECOND, THIRD]
            await first.drain(grace_seconds=GRACE_SECONDS, finish_seconds=10)
            await until(lambda: echoes[THIRD].asked >= ENOUGH, "the new one gets calls")
            over.set()

    assert set(answers) == {b"hello"}
    assert names.asked > asked
    assert len(answers) == sum(echo.asked for echo in echoes.values()), "nothing was tried again"
