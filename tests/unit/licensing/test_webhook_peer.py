"""Messages go to checked addresses alone, and no answer, however slow, long or wrong, holds anybody up."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis import public_hosts
from services.chassis.public_addresses import Target
from services.licensing.domain.webhooks.webhooks import Failure, Fault
from services.licensing.webhook_peer import WebhookPeer
from tests.support.https import NAME, HttpsServer, an_https_server

HEADERS = [("webhook-id", "r-1")]
BODY = b'{"a": 1}'
SHORT_SECONDS = 0.3


class Names:
    """A resolver whose answers a test says; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


LOCAL = Names(["127.0.0.1"])


@pytest_asyncio.fixture
async def https(tmp_path: Path) -> AsyncIterator[tuple[HttpsServer, ssl.SSLContext]]:
    async with an_https_server(tmp_path) as both:
        yield both


@pytest.fixture
def server(https: tuple[HttpsServer, ssl.SSLContext]) -> HttpsServer:
    return https[0]


@pytest.fixture
def peer(https: tuple[HttpsServer, ssl.SSLContext]) -> WebhookPeer:
    return a_peer(https[1])


def a_peer(
    context: ssl.SSLContext, names: Names = LOCAL, *, allow_private: bool = True, seconds: float = 5.0
) -> WebhookPeer:
    return WebhookPeer(
        allow_private=allow_private, context=context, resolve=names.resolve, deadline_seconds=seconds
    )


async def post(peer: WebhookPeer, server: HttpsServer, host: str = NAME) -> Failure | None:
    return await peer.post(Target(host, server.port, "/in?x=1"), HEADERS, BODY)


async def test_a_message_arrives_as_it_is(server: HttpsServer, peer: WebhookPeer) -> None:
    assert await post(peer, server) is None

    (received,) = server.received
    assert received.line == "POST /in?x=1 HTTP/1.1"
    assert received.body == BODY
    assert received.headers["host"] == f"{NAME}:{server.port}"
    assert received.headers["webhook-id"] == "r-1"
    assert received.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_a_good_status_is_enough_whatever_follows(
    server: HttpsServer, peer: WebhookPeer, status: int
) -> None:
    server.answer = f"HTTP/1.1 {status} Fine\r\ncontent-length: 900\r\n\r\nshort".encode()

    assert await post(peer, server) is None


@pytest.mark.parametrize("status", [300, 301, 304, 400, 404, 410, 429, 500, 503])
async def test_any_other_status_is_a_failure(server: HttpsServer, peer: WebhookPeer, status: int) -> None:
    server.answer = f"HTTP/1.1 {status} Word\r\ncontent-length: 0\r\n\r\n".encode()

    assert await post(peer, server) == Failure(Fault.STATUS, status)


async def test_a_redirect_is_not_followed_least_of_all_to_where_only_we_can_go(
    server: HttpsServer, peer: WebhookPeer
) -> None:
    server.answer = (
        f"HTTP/1.1 307 Elsewhere\r\nlocation: https://127.0.0.1:{server.port}/\r\ncontent-length: 0\r\n\r\n"
    ).encode()

    assert await post(peer, server) == Failure(Fault.STATUS, 307)
    assert server.connections == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
    ],
)
async def test_nothing_is_sent_where_any_address_of_the_name_is_not_public(
    server: HttpsServer, https: tuple[HttpsServer, ssl.SSLContext], addresses: list[str]
) -> None:
    peer = a_peer(https[1], Names(addresses), allow_private=False)

    assert await post(peer, server) == Failure(Fault.ADDRESS_NOT_PUBLIC)
    assert server.connections == 0


async def test_a_name_that_changes_its_mind_after_it_was_checked_changes_nothing(
    server: HttpsServer, https: tuple[HttpsServer, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first answer passes the check, and is this server here; the next ones would be somebody else.
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    monkeypatch.setattr(public_hosts, "is_public", lambda address: address == "127.0.0.1")

    assert await post(a_peer(https[1], names, allow_private=False), server) is None
    assert names.asked == [(NAME, server.port)]
    assert server.connections == 1


async def test_a_name_without_an_address_is_a_failure(
    server: HttpsServer, https: tuple[HttpsServer, ssl.SSLContext]
) -> None:
    assert await post(a_peer(https[1], Names([])), server) == Failure(Fault.NAME_UNRESOLVED)
    # By the system's resolver: this top-level domain is there to have nothing in it (RFC 6761).
    unknown = WebhookPeer(context=https[1])
    found = await post(unknown, server, "nothing.invalid")
    assert found in {Failure(Fault.NAME_UNRESOLVED), Failure(Fault.TIMED_OUT)}


async def test_the_certificate_must_be_good_for_the_name(
    server: HttpsServer, peer: WebhookPeer, https: tuple[HttpsServer, ssl.SSLContext]
) -> None:
    assert await post(peer, server, "other.example.com") == Failure(Fault.TLS)
    assert await post(a_peer(ssl.create_default_context()), server) == Failure(Fault.TLS)
    assert not server.received


async def test_the_next_address_is_tried_where_nobody_takes_the_connection(
    server: HttpsServer, https: tuple[HttpsServer, ssl.SSLContext]
) -> None:
    assert await post(a_peer(https[1], Names(["::1", "127.0.0.1"])), server) is None
    server.port = 1
    assert await post(a_peer(https[1]), server) == Failure(Fault.UNREACHABLE)


async def test_a_server_that_speaks_no_tls_is_a_failure(https: tuple[HttpsServer, ssl.SSLContext]) -> None:
    plain = HttpsServer()
    listening = await asyncio.start_server(plain.serve, "127.0.0.1", 0)
    plain.port = listening.sockets[0].getsockname()[1]

    found = await post(a_peer(https[1], seconds=SHORT_SECONDS), plain)

    listening.close()
    assert found in {Failure(Fault.TLS), Failure(Fault.TIMED_OUT)}


async def never(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drop_by_drop(writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("answer", [never, drop_by_drop])
async def test_a_slow_answer_is_given_up_after_the_deadline(
    server: HttpsServer, https: tuple[HttpsServer, ssl.SSLContext], answer: object
) -> None:
    server.answer = answer  # type: ignore[assignment]

    assert await post(a_peer(https[1], seconds=SHORT_SECONDS), server) == Failure(Fault.TIMED_OUT)


async def endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-more: and more\r\n" * 50)
        await writer.drain()


async def endless_promises(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)
        await writer.drain()


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"more" * 1000)
        await writer.drain()


@pytest.mark.parametrize("answer", [endless_head, endless_promises])
async def test_of_an_answer_without_end_4_kib_are_read(
    server: HttpsServer, peer: WebhookPeer, answer: object
) -> None:
    server.answer = answer  # type: ignore[assignment]

    assert await post(peer, server) == Failure(Fault.ANSWER_MALFORMED)


async def test_a_body_without_end_is_not_read(server: HttpsServer, peer: WebhookPeer) -> None:
    server.answer = endless_body

    assert await post(peer, server) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_a_failure(server: HttpsServer, peer: WebhookPeer, answer: bytes) -> None:
    server.answer = answer

    assert await post(peer, server) == Failure(Fault.ANSWER_MALFORMED)


async def test_a_proxy_in_the_environment_is_not_asked(
    server: HttpsServer, peer: WebhookPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert await post(peer, server) is None
