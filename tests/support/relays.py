"""Relays of bytes between a client and a server, which may be led elsewhere, be slow, or be cut."""

import asyncio
import contextlib

AT_ONCE_BYTES = 65_536


class Proxy:
    """Passes bytes on, to wherever it leads at the time of a connection."""

    def __init__(self, port: int, held_back_seconds: float = 0) -> None:
        """Leads to `port` of this machine; a connection lets nothing through until it is so old."""
        self._held_back_seconds = held_back_seconds
        self.leads_to = port
        self._open: set[asyncio.Task[None]] = set()
        self._is_cut = False

    async def start(self) -> None:
        """Takes connections at `port`."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Lets nothing through any more, for good."""
        self._is_cut = True
        await self._end_all()

    async def close(self) -> None:
        """Ends what is open."""
        self._server.close()
        await self._end_all()

    async def _end_all(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError), contextlib.closing(writer):
            if not self._is_cut:
                await asyncio.sleep(self._held_back_seconds)
                await _joined(reader, writer, self.leads_to)


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    theirs, ours = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(ours):
        directions = {asyncio.create_task(_copy(reader, ours)), asyncio.create_task(_copy(theirs, writer))}
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(AT_ONCE_BYTES):
        writer.write(some)
        await writer.drain()
