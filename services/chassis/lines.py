"""The connection to one target, made anew when our certificate or the CAs have changed.

What was begun on an older connection ends on it: that is closed once nothing uses it any more.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from services.chassis.channels import Option
from services.chassis.tls import CallerTls


@dataclass(eq=False)
class _Connection:
    channel: grpc.aio.Channel
    material: object
    users: int = 0


class Line:
    """A channel that is always the one to use now. For one event loop."""

    def __init__(self, target: str, options: list[Option], tls: CallerTls | None) -> None:
        """`target` is as in `targets`. Without `tls` nothing is encrypted. Nothing is sent before a call."""
        self._target = target
        self._options = options
        self._tls = tls
        self._closing: set[asyncio.Task[None]] = set()
        self._old: set[_Connection] = set()
        self._latest = self._connect()

    @contextlib.contextmanager
    def held(self) -> Iterator[grpc.aio.Channel]:
        """The channel to use now, which is not closed before the context is."""
        connection = self._renewed()
        connection.users += 1
        try:
            yield connection.channel
        finally:
            connection.users -= 1
            self._leave(connection)

    async def close(self) -> None:
        """Closes every connection; calls that are under way are cancelled."""
        for connection in (self._latest, *self._old):
            await connection.channel.close()
        await asyncio.gather(*self._closing)

    def _connect(self) -> _Connection:
        if self._tls is None:
            return _Connection(grpc.aio.insecure_channel(self._target, options=self._options), None)
        material = self._tls.current()
        return _Connection(self._tls.channel(self._target, material, self._options), material)

    def _renewed(self) -> _Connection:
        before = self._latest
        if self._tls is not None and self._tls.current() is not before.material:
            self._latest = self._connect()
            self._old.add(before)
            self._leave(before)
        return self._latest

    def _leave(self, connection: _Connection) -> None:
        if connection.users or connection not in self._old:
            return
        self._old.discard(connection)
        closing = asyncio.create_task(connection.channel.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
