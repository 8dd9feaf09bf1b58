"""Certificates and CAs that are replaced while calls run: none of these fails, and what was begun ends."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from services.chassis.addresses import parse_address
from services.chassis.dialing import Peer
from services.chassis.identity import AdmissionTable, PrincipalKind
from services.chassis.refusals import Refusal
from services.console.authority import Authority
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.admissions import admit
from tests.support.certificates import an_authority, client_tls, right_now, server_tls
from tests.support.grpc import LocalServer, serving

pytestmark = pytest.mark.slow

CALLERS = 8
CALLS_BETWEEN = 300
ADMITTING: AdmissionTable = {
    method: admit(PrincipalKind.SERVICE, services=["licensing"]) for method in ADMISSIONS
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return an_authority(tmp_path)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, authority: Authority, echo: Echo) -> AsyncIterator[LocalServer]:
    tls = server_tls(authority, "consent")
    async with serving(tmp_path, echo.bolt(), admissions=ADMITTING, tls=tls) as local:
        yield local


@pytest.fixture
def peer(server: LocalServer, authority: Authority) -> Peer:
    return server.peer_showing(None, client_tls(authority, "licensing", "consent"))


class Calls:
    """Calls that go on and on, by several callers; a failure is kept and ends its caller."""

    def __init__(self, peer: Peer) -> None:
        self.done = 0
        self._peer = peer
        self._more = asyncio.Event()

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """For as long as the context is open; raises what one of them raised."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._call_on()) for _ in range(CALLERS)]
            yield
            for task in tasks:
                task.cancel()

    async def some_more(self) -> None:
        """Returns when so many more are done that all callers have made some."""
        until = self.done + CALLS_BETWEEN
        while self.done < until:
            await self._more.wait()

    async def _call_on(self) -> None:
        say: Any = self._peer.channel.unary_unary(f"/{NAME}/Say")
        while True:
            await self._peer.call(say, b"hello")
            self.done += 1
            self._more.set()
            self._more.clear()


async def test_no_call_fails_while_certificates_are_renewed(
    peer: Peer, authority: Authority, record_property: Callable[[str, object], None]
) -> None:
    calls = Calls(peer)

    async with calls.going_on():
        for _ in range(8):
            await calls.some_more()
            await asyncio.to_thread(authority.renew, None, right_now())
        await calls.some_more()

    record_property("figures", f"{calls.done:,} calls over TLS through 8 renewals, none failed")
    assert calls.done >= 9 * CALLS_BETWEEN


async def test_no_call_fails_while_one_ca_takes_the_place_of_another(
    peer: Peer, authority: Authority
) -> None:
    calls = Calls(peer)
    before = authority.files("licensing")
    kept = {path: path.read_bytes() for path in (before.certificate, before.key)}

    async with calls.going_on():
        for step in steps_of_a_rotation(authority):
            await calls.some_more()
            await asyncio.to_thread(step)
        await calls.some_more()

    assert calls.done >= 4 * CALLS_BETWEEN
    assert len(authority.believed()) == 1
    for path, content in kept.items():
        path.write_bytes(content)
    with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
        await peer.call(peer.channel.unary_unary(f"/{NAME}/Say"), b"hello")


def steps_of_a_rotation(authority: Authority) -> Iterator[Callable[[], None]]:
    yield lambda: authority.add_signer(right_now())
    yield lambda: authority.renew(None, right_now())
    yield authority.drop_signers


async def test_what_is_under_way_ends_on_the_connection_it_was_begun_on(
    peer: Peer, authority: Authority, echo: Echo
) -> None:
    linger: Any = peer.channel.unary_stream(f"/{NAME}/Linger")
    async with peer.open(linger, b"until it may leave") as stream:
        answers = aiter(stream)
        first = await anext(answers)
        wait: Any = peer.channel.unary_unary(f"/{NAME}/Wait")
        held = asyncio.create_task(peer.call(wait, b"held"))
        await echo.entered.acquire()

        authority.renew(None, right_now())
        meanwhile: bytes = await peer.call(peer.channel.unary_unary(f"/{NAME}/Say"), b"new")
        echo.leave.set()
        rest = [each async for each in answers]

    assert (first, rest, meanwhile, await held) == (b"here", [], b"new", b"held")


async def test_the_server_shows_its_new_certificate_from_the_next_connection_on(
    server: LocalServer, authority: Authority
) -> None:
    before = await shown_at(server.address)

    authority.renew(None, right_now())

    after = await shown_at(server.address)
    assert before != after == authority.held()["consent"].serial_number


async def shown_at(address: str) -> int:
    """The serial number of the certificate that whoever connects is shown, whether they get in or not."""
    shown = await asyncio.to_thread(ssl.get_server_certificate, parse_address(address))
    return x509.load_pem_x509_certificate(shown.encode()).serial_number
