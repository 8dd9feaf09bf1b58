"""Fetches one small document of somebody else by GET, over HTTPS, as an answer that says plainly: here it is.

The connection is `public_hosts`'. No redirect is followed: where a document lies is for the operator to say,
and not for whoever answers. How much is read, and how long that may take, is bounded whatever comes.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from services.chassis.public_addresses import Target, target_of
from services.chassis.public_hosts import AT_ONCE_BYTES, Connection, NoConnectionError, PublicHosts

DEADLINE_SECONDS = 5.0
"""From the name to the last byte."""
LARGEST_BYTES = 64 * 1024
"""Of the whole answer: a hundred keys with their certificates."""
LOOPBACK = "127.0.0.1"
OK = 200
_MAX_AGE = re.compile(r'(?:^|[,\s])max-age\s*=\s*"?([0-9]{1,10})(?![0-9])', re.IGNORECASE)


class FetchError(Exception):
    """The document did not come; the text says why, for the log."""


@dataclass(frozen=True)
class Source:
    """Where a document lies."""

    target: Target
    is_local: bool = False
    """On this machine, over plain HTTP: for trying things out."""


@dataclass(frozen=True)
class Fetched:
    """A document, and for how long its owner says that it is good."""

    content: bytes
    max_age_seconds: int | None
    """None where the answer does not say (RFC 9111, 5.2.2.1)."""


def source_of(url: str) -> Source:
    """Where a URL leads: https:// to a full name, or http:// to 127.0.0.1; raises ValueError for others."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("a URL is written in visible letters of ASCII")
    parts = urlsplit(url)
    if parts.scheme != "http":
        return Source(target_of(url))
    if parts.hostname != LOOPBACK or "@" in parts.netloc or "#" in url or not parts.port:
        raise ValueError(f"http:// only to {LOOPBACK} and with a port")
    path = parts.path or "/"
    return Source(Target(LOOPBACK, parts.port, f"{path}?{parts.query}" if parts.query else path), True)


class Fetcher:
    """Fetches from one place. Each try has its own connection."""

    def __init__(
        self, source: Source, hosts: PublicHosts | None = None, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._source = source
        self._hosts = hosts or PublicHosts()
        self._deadline_seconds = deadline_seconds

    async def fetch(self) -> Fetched:
        """The document as it is now; raises FetchError."""
        try:
            async with asyncio.timeout(self._deadline_seconds), self._connected() as connection:
                return await _exchanged(self._source.target, connection)
        except TimeoutError as error:
            raise FetchError("the answer took too long") from error
        except (NoConnectionError, ssl.SSLError, OSError) as error:
            raise FetchError(f"no connection: {error}") from error
        except h11.RemoteProtocolError as error:
            raise FetchError("what came is no answer of HTTP") from error

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        if not self._source.is_local:
            async with self._hosts.connected(self._source.target) as connection:
                yield connection
            return
        reader, writer = await asyncio.open_connection(LOOPBACK, self._source.target.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


async def _exchanged(target: Target, connection: Connection) -> Fetched:
    """Asks and reads; raises FetchError, OSError and h11.RemoteProtocolError."""
    reader, writer = connection
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_BYTES)
    head = [("host", target.authority), ("user-agent", "Sluice"), ("accept", "application/json")]
    request = h11.Request(method="GET", target=target.path, headers=[*head, ("connection", "close")])
    for part in (request, h11.EndOfMessage()):
        writer.write(talk.send(part) or b"")
    await writer.drain()
    return await _answer(talk, reader)


async def _answer(talk: h11.Connection, reader: asyncio.StreamReader) -> Fetched:
    content, received_bytes, max_age_seconds = b"", 0, None
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            received = await reader.read(AT_ONCE_BYTES)
            received_bytes += len(received)
            if received_bytes > LARGEST_BYTES:
                raise FetchError(f"the answer is larger than {LARGEST_BYTES} bytes")
            talk.receive_data(received)
        elif isinstance(event, h11.Response):
            if event.status_code != OK:
                raise FetchError(f"the answer has the status {event.status_code}")
            max_age_seconds = max_age_of({name: value.decode("latin-1") for name, value in event.headers})
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage):
            return Fetched(content, max_age_seconds)
        elif not isinstance(event, h11.InformationalResponse):
            raise FetchError("no answer came")


def max_age_of(headers: Mapping[bytes, str]) -> int | None:
    """Seconds that Cache-Control gives an answer (RFC 9111, 5.2.2.1); 0 where it is not to be kept.

    None where nothing is said, or nothing that is understood.
    """
    said = headers.get(b"cache-control", "")
    if re.search(r"\bno-(store|cache)\b", said, re.IGNORECASE):
        return 0
    found = _MAX_AGE.search(said)
    return int(found[1]) if found else None
