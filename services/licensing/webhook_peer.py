"""Sends one message to a server of somebody else, over HTTPS, and never to anything that only we can reach.

The name is resolved here, once; every address of it must be public, and the connection goes to one that was
checked, so that a name which changes its mind meanwhile changes nothing. The certificate is checked for the
name. No proxy is asked, no redirect is followed, and of the answer the head alone is read.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

import h11

from services.licensing.domain.webhooks.addresses import Target, is_public
from services.licensing.domain.webhooks.webhooks import Failure, Fault
from services.licensing.names import SystemNames

DEADLINE_SECONDS = 5.0
"""From the name to the status of the answer."""
LARGEST_HEAD_BYTES = 4 * 1024
AT_ONCE_BYTES = 1024
GOOD = range(200, 300)

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, for a port; raises OSError where there is none, TimeoutError where none comes."""


class WebhookPeer:
    """Sends messages. Each try has its own connection."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """`allow_private`: to any address. `context`: whose certificates are good; else the machine's.

        `resolve` is never waited for longer than the deadline, and must not be in anybody's way by then.
        """
        self._allow_private = allow_private
        self._context = context or ssl.create_default_context()
        self._resolve = resolve or SystemNames().resolve
        self._deadline_seconds = deadline_seconds

    async def post(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> Failure | None:
        """Sends JSON with these headers beside those of HTTP; None where it was taken (2xx), else why not."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                status = await self._exchange(target, headers, body)
        except _InVainError as error:
            return error.failure
        except TimeoutError:
            return Failure(Fault.TIMED_OUT)
        return None if status in GOOD else Failure(Fault.STATUS, status)

    async def _exchange(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        addresses = await self._addresses_of(target)
        async with self._connected(addresses, target) as (reader, writer):
            talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD_BYTES)
            request = h11.Request(method="POST", target=target.path, headers=_head(target, headers, body))
            try:
                for part in (request, h11.Data(data=body), h11.EndOfMessage()):
                    writer.write(talk.send(part) or b"")
                await writer.drain()
                return await _status(talk, reader)
            except ssl.SSLError as error:
                raise _InVainError(Fault.TLS) from error
            except OSError as error:
                raise _InVainError(Fault.UNREACHABLE) from error
            except h11.RemoteProtocolError as error:
                raise _InVainError(Fault.ANSWER_MALFORMED) from error

    async def _addresses_of(self, target: Target) -> Sequence[str]:
        try:
            addresses = await self._resolve(target.host, target.port)
        except TimeoutError:
            # An OSError as well, and another fault.
            raise
        except (OSError, UnicodeError) as error:
            raise _InVainError(Fault.NAME_UNRESOLVED) from error
        if not addresses:
            raise _InVainError(Fault.NAME_UNRESOLVED)
        # Every one: a name that is half ours is not somebody else's.
        if not (self._allow_private or all(map(is_public, addresses))):
            raise _InVainError(Fault.ADDRESS_NOT_PUBLIC)
        return addresses

    @contextlib.asynccontextmanager
    async def _connected(
        self, addresses: Sequence[str], target: Target
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await self._connect(addresses, target)
        try:
            yield reader, writer
        finally:
            # Not closed by and by: what the other side still says is not waited for.
            writer.transport.abort()

    async def _connect(
        self, addresses: Sequence[str], target: Target
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the first address that takes the connection."""
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    address, target.port, ssl=self._context, server_hostname=target.host, limit=AT_ONCE_BYTES
                )
            except ssl.SSLError as error:
                raise _InVainError(Fault.TLS) from error
            except OSError:
                continue
        raise _InVainError(Fault.UNREACHABLE)


class _InVainError(Exception):
    """The try is over."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.failure = Failure(fault)


def _head(target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> list[tuple[str, str]]:
    return [
        ("host", target.authority),
        ("user-agent", "Sluice-Webhooks"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("connection", "close"),
        *headers,
    ]


async def _status(talk: h11.Connection, reader: asyncio.StreamReader) -> int:
    """The status of the answer; raises what reading does, and h11.RemoteProtocolError."""
    read_bytes = 0
    while True:
        event = talk.next_event()
        if isinstance(event, h11.Response):
            return int(event.status_code)
        if event is h11.NEED_DATA:
            received = await reader.read(AT_ONCE_BYTES)
            read_bytes += len(received)
            # Of all heads together: there may be any number of provisional answers.
            if read_bytes > LARGEST_HEAD_BYTES:
                raise h11.RemoteProtocolError("the head is too long")
            talk.receive_data(received)
        elif not isinstance(event, h11.InformationalResponse):
            raise h11.RemoteProtocolError("no answer came")
