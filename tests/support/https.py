"""A small HTTPS server of somebody else: it takes what is sent, and answers as a test says."""

import asyncio
import base64
import concurrent.futures
import contextlib
import datetime
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.waiting import PATIENCE_SECONDS

CERTIFICATE = "certificate.pem"
NAME = "hooks.example.com"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


class HttpsServer:
    """Answers each request with `answer`; what came is in `received`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: bytes | Answer = OK
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.received.append(Received(head[0], headers, body))
            await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        if isinstance(self.answer, bytes):
            writer.write(self.answer)
            await writer.drain()
        else:
            await self.answer(writer)


@contextlib.asynccontextmanager
async def an_https_server(folder: Path, *names: str) -> AsyncIterator[tuple[HttpsServer, ssl.SSLContext]]:
    """A server on 127.0.0.1 with a certificate for these names (NAME unless said), and what trusts it."""
    certificate, key = make_certificate(folder, *(names or (NAME,)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HttpsServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server, ssl.create_default_context(cafile=str(certificate))
    finally:
        listening.close()


def is_signed_with(headers: dict[str, str], body: bytes, secret: bytes) -> bool:
    """By the words of the scheme, with another library."""
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]))
    wanted = "v1," + base64.b64encode(mac.finalize()).decode()
    return wanted in headers["webhook-signature"].split(" ")


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """Files with a certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    places = [x509.DNSName(name) for name in names]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / CERTIFICATE, folder / "certificate.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files[1].write_bytes(private)
    return files


class Inbox:
    """An HTTPS server on localhost, on a thread of its own, for processes that send."""

    def __init__(self, certificate: Path, port: int, server: HttpsServer) -> None:
        self.certificate = certificate
        self.port = port
        self.statuses: list[int] = []
        """What is answered first; 204 after that."""
        self._server = server
        server.answer = self._answer

    def wait_for(self, count: int) -> list[Received]:
        """What came, once there is so much of it."""
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self._server.received) < count and time.monotonic() < until:
            time.sleep(0.05)
        return self._server.received[:count]

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        status = self.statuses.pop(0) if self.statuses else 204
        writer.write(f"HTTP/1.1 {status} Word\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()


@contextlib.contextmanager
def an_inbox(folder: Path) -> Iterator[Inbox]:
    """A server that is running; gone at the end."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    opened: concurrent.futures.Future[Inbox] = concurrent.futures.Future()

    async def serve() -> None:
        async with an_https_server(folder, "localhost") as (server, _):
            opened.set_result(Inbox(folder / CERTIFICATE, server.port, server))
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="inbox")
    thread.start()
    try:
        yield opened.result(PATIENCE_SECONDS)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def secret_of(text: str) -> bytes:
    """A secret as it is shown, read."""
    return base64.b64decode(text.strip().removeprefix("whsec_"))
