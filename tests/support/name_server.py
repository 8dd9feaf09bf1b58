"""A name server of one name, whose addresses a test changes: a headless Service to those that call it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

HOST = "127.0.0.1"
HEADER = struct.Struct("!6H")
ANSWERED = 0x8580
"""An answer, with authority and without an error (RFC 1035, 4.1.1)."""
ADDRESS, INTERNET = 1, 1
OLD_SECONDS = 0


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP, whatever name it is asked for."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = list(addresses)
        """Of IPv4, as they are now."""
        self.asked = 0
        """Questions for addresses of IPv4."""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answers go out there."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One question (RFC 1035, 4.1): its answer points back to the name in it."""
        number, *_ = HEADER.unpack_from(data)
        end = data.index(0, HEADER.size) + 5
        kind, _ = struct.unpack_from("!2H", data, end - 4)
        told = self.addresses if kind == ADDRESS else []
        self.asked += kind == ADDRESS
        records = [
            struct.pack("!3HIH", 0xC000 | HEADER.size, ADDRESS, INTERNET, OLD_SECONDS, 4)
            + socket.inet_aton(each)
            for each in told
        ]
        head = HEADER.pack(number, ANSWERED, 1, len(told), 0, 0)
        self._transport.sendto(head + data[HEADER.size : end] + b"".join(records), addr)


@contextlib.asynccontextmanager
async def a_name_server(addresses: Sequence[str]) -> AsyncIterator[tuple[NameServer, str]]:
    """One that answers, and its host:port."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(addresses), (HOST, 0))
    try:
        yield server, f"{HOST}:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()
