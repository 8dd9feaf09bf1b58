"""Sends one message to a server of somebody else, over HTTPS, and never to anything that only we can reach.

The connection is `public_hosts`'. No redirect is followed, and of the answer the head alone is read.
"""

import asyncio
import ssl
from collections.abc import Sequence

import h11

from services.chassis.public_addresses import Target
from services.chassis.public_hosts import AT_ONCE_BYTES, NoConnectionError, PublicHosts, Resolve
from services.licensing.domain.webhooks.webhooks import Failure, Fault

DEADLINE_SECONDS = 5.0
"""From the name to the status of the answer."""
LARGEST_HEAD_BYTES = 4 * 1024
GOOD = range(200, 300)


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
        self._hosts = PublicHosts(allow_private=allow_private, context=context, resolve=resolve)
        self._deadline_seconds = deadline_seconds

    async def post(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> Failure | None:
        """Sends JSON with these headers beside those of HTTP; None where it was taken (2xx), else why not."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                status = await self._exchange(target, headers, body)
        except NoConnectionError as error:
            return Failure(Fault[error.obstacle.name])
        except _InVainError as error:
            return error.failure
        except TimeoutError:
            return Failure(Fault.TIMED_OUT)
        return None if status in GOOD else Failure(Fault.STATUS, status)

    async def _exchange(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        async with self._hosts.connected(target) as (reader, writer):
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
