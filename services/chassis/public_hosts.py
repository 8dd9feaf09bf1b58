"""Connects to servers of somebody else, over TLS, and never to anything that only we can reach.

The name is resolved here, once; every address of it must be public, and the connection goes to one that was
checked, so that a name which changes its mind meanwhile changes nothing. The certificate is checked for the
name. No proxy is asked.
"""

import asyncio
import contextlib
import enum
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

from services.chassis.names import SystemNames
from services.chassis.public_addresses import Target, is_public

AT_ONCE_BYTES = 1024
"""Read ahead of whoever reads."""

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, for a port; raises OSError where there is none, TimeoutError where none comes."""
Connection: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Obstacle(enum.Enum):
    """Why there is no connection."""

    NAME_UNRESOLVED = "its name leads to no address"
    ADDRESS_NOT_PUBLIC = "an address of its name is not of the public internet"
    UNREACHABLE = "it takes no connection"
    TLS = "it does not prove that it has this name"


class NoConnectionError(Exception):
    """There is no connection."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle


class PublicHosts:
    """Opens connections, one at a time and each for its own."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        """`allow_private`: to any address. `context`: whose certificates are good; else the machine's.

        `resolve` is never waited for longer than the deadline of whoever connects, and must not be in
        anybody's way by then.
        """
        self._allow_private = allow_private
        self._context = context or _of_the_machine()
        self._resolve = resolve or SystemNames().resolve

    @contextlib.asynccontextmanager
    async def connected(self, target: Target) -> AsyncIterator[Connection]:
        """A connection; raises NoConnectionError, and TimeoutError where no address of the name comes."""
        reader, writer = await self._connect(await self._addresses_of(target), target)
        try:
            yield reader, writer
        finally:
            # Not closed by and by: what the other side still says is not waited for.
            writer.transport.abort()

    async def _addresses_of(self, target: Target) -> Sequence[str]:
        try:
            addresses = await self._resolve(target.host, target.port)
        except TimeoutError:
            # An OSError as well, and another obstacle.
            raise
        except (OSError, UnicodeError) as error:
            raise NoConnectionError(Obstacle.NAME_UNRESOLVED) from error
        if not addresses:
            raise NoConnectionError(Obstacle.NAME_UNRESOLVED)
        # Every one: a name that is half ours is not somebody else's.
        if not (self._allow_private or all(map(is_public, addresses))):
            raise NoConnectionError(Obstacle.ADDRESS_NOT_PUBLIC)
        return addresses

    async def _connect(self, addresses: Sequence[str], target: Target) -> Connection:
        """To the first address that takes the connection."""
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    address, target.port, ssl=self._context, server_hostname=target.host, limit=AT_ONCE_BYTES
                )
            except ssl.SSLError as error:
                raise NoConnectionError(Obstacle.TLS) from error
            except OSError:
                continue
        raise NoConnectionError(Obstacle.UNREACHABLE)


@functools.cache
def _of_the_machine() -> ssl.SSLContext:
    """Hundreds of certificates are read; nobody changes what all share."""
    return ssl.create_default_context()
