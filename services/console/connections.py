"""The three services as one caller reaches them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from services.chassis.certificates import Certificates
from services.chassis.clock import SystemClock
from services.chassis.dialing import Peer
from services.chassis.ids import uuid7
from services.chassis.tls import ClientTls
from services.console.credentials import Local, TokenSource, token_source
from services.console.installation import HOST, PORT_BASE, PROGRAMS, StateFolder
from services.console.secure_channels import certificates_for

T = TypeVar("T")


class Connections:
    """Connections to services, made when they are first needed; an async context manager that closes them."""

    def __init__(
        self, addresses: Mapping[str, str], token: TokenSource, certificates: Certificates | None = None
    ) -> None:
        """`addresses` are host:port by service name; with `certificates` TLS is spoken to all of them."""
        self._addresses = addresses
        self._token = token
        self._certificates = certificates
        self._peers: dict[str, Peer] = {}
        self._clock = SystemClock()

    @classmethod
    def open(
        cls, state: Path, token_file: Path | None, local: Local, given: Mapping[str, str | None]
    ) -> Self:
        """As the options of a command say: `given` are addresses by service name, None where none was given.

        Raises Refusal: STATE_MISSING, KEY_UNREADABLE and those of `certificates_for`.
        """
        folder = StateFolder(state)
        certificates = certificates_for(folder)
        return cls(addresses(folder, given), token_source(folder, token_file, local), certificates)

    def run(self, work: Callable[[Self], Awaitable[T]]) -> T:
        """Does `work` in an event loop of its own, then closes every connection."""

        async def inside() -> T:
            async with self:
                return await work(self)

        return asyncio.run(inside())

    def peer(self, service: str) -> Peer:
        """The connection to a service."""
        if service not in self._peers:
            tls = None if self._certificates is None else ClientTls(self._certificates, service)
            self._peers[service] = Peer(self._addresses[service], self._token, name=service, tls=tls)
        return self._peers[service]

    def new_id(self) -> str:
        """A fresh request id."""
        return uuid7(self._clock.now_us())

    async def __aenter__(self) -> Self:
        """Nothing is dialed yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes every connection."""
        for peer in self._peers.values():
            await peer.close()


def addresses(state: StateFolder, given: Mapping[str, str | None]) -> dict[str, str]:
    """Where each service is: as given, else as announced in the state folder, else on its usual port."""
    return {
        service: given.get(service) or state.address(service) or f"{HOST}:{PORT_BASE + index}"
        for index, service in enumerate(PROGRAMS)
    }
