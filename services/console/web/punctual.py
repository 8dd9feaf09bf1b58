"""Connections that have an end: whoever holds one without asking or without reading holds it from others.

uvicorn's own protocol waits for ever for a first request, for the rest of one that has begun, and for an
answer to be read. Here each of them has its time, and where there are too many connections the one that has
waited longest for a request makes room, so that health is answered however many are idle.
"""

import asyncio
from typing import Any

import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

HEADER_SECONDS = 10.0
"""From a connection, or from the first byte of a later request, to the end of the header."""
READ_SECONDS = 60.0
"""In which so much of an answer has to be read as follows, or all that is left of it."""
LEAST_READ = 32 * 1024
"""Bytes; a telephone at the edge of its network reads several times as many."""

_log = structlog.get_logger(__name__)


class Punctual(H11Protocol):
    """uvicorn's protocol with ends; what it is given as `limit_concurrency` bounds connections alone."""

    header_seconds = HEADER_SECONDS
    read_seconds = READ_SECONDS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn would answer 503 to whatever is asked, health included, for connections that ask nothing.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._header_due: asyncio.TimerHandle | None = None
        self._reading_due: asyncio.TimerHandle | None = None
        self.waiting_since: float | None = None
        """Of the loop's clock; None while a request is answered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for a header, if there is room."""
        super().connection_made(transport)
        # Any byte that the other end has no room for is told to us, and not only the first 64 KiB of them.
        transport.set_write_buffer_limits(high=0)
        self.waiting_since = self.loop.time()
        self._expect_header()
        if self._most is not None and len(self.connections) > self._most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Some bytes, with which a request may begin."""
        super().data_received(data)
        if self._is_answering():
            self.waiting_since = None
            self._forget_header()
        elif not self.transport.is_closing():
            self._expect_header()

    def on_response_complete(self) -> None:
        """Waits for the next request, unless that has come already."""
        self.waiting_since = self.loop.time()
        super().on_response_complete()
        if self._is_answering():
            self.waiting_since = None

    def pause_writing(self) -> None:
        """There is something that the other end has not taken."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """It has taken all."""
        super().resume_writing()
        self._forget_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._forget_header()
        self._forget_reading()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_header(self) -> None:
        if self._header_due is None:
            self._header_due = self.loop.call_later(self.header_seconds, self._too_late)

    def _forget_header(self) -> None:
        if self._header_due is not None:
            self._header_due.cancel()
            self._header_due = None

    def _expect_reading(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._reading_due = self.loop.call_later(self.read_seconds, self._check_read, left)

    def _forget_reading(self) -> None:
        if self._reading_due is not None:
            self._reading_due.cancel()
            self._reading_due = None

    def _check_read(self, left: int) -> None:
        if self.transport.get_write_buffer_size() > left - LEAST_READ:
            self._end("an answer was not read")
        else:
            self._expect_reading()

    def _too_late(self) -> None:
        self._header_due = None
        self._end("a request did not come to the end of its header")

    def _make_room(self) -> None:
        """Ends the connection that has waited longest; this one, where all others are being answered."""
        waiting = [each for each in self.connections if isinstance(each, Punctual) and each is not self]
        idle = [(each.waiting_since, each) for each in waiting if each.waiting_since is not None]
        longest = min(idle, key=lambda pair: pair[0], default=(0.0, self))[1]
        longest._end("there are too many connections")

    def _end(self, why: str) -> None:
        # Not closed in an orderly way: that would wait for what is not read.
        _log.debug("a connection was ended", why=why)
        self.transport.abort()
        self.connections.discard(self)
