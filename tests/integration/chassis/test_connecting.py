"""A connection that is long in the making is waited for: a handshake takes its time where nodes are busy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.channels import CONNECTING_MS
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.grpc import DEADLINE_US, LocalServer, serving
from tests.support.relays import Proxy

HELD_BACK_SECONDS = CONNECTING_MS / 4 / 1_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving(tmp_path, Echo().bolt(), admissions=ADMISSIONS) as local:
        yield local


@pytest.fixture
async def relay(server: LocalServer) -> AsyncIterator[Proxy]:
    proxy = Proxy(int(server.address.rpartition(":")[2]), HELD_BACK_SECONDS)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.mark.parametrize("scheme", ["", "ipv4:"], ids=["lone", "of several"])
async def test_a_peer_that_is_slow_to_be_connected_to_is_asked(
    server: LocalServer, relay: Proxy, scheme: str
) -> None:
    def token() -> str:
        return server.token(PrincipalKind.PIPELINE)

    target = f"{scheme}127.0.0.1:{relay.port}"
    peer = Peer(target, token, name="a slow one", default_deadline_us=DEADLINE_US)

    answer: bytes = await peer.call(peer.channel.unary_unary(f"/{NAME}/Say"), b"hello")

    await peer.close()
    assert answer == b"hello"
