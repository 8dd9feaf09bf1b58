"""Calls to the services in the name of whoever is signed in."""

from collections.abc import Mapping
from contextvars import ContextVar

from services.chassis.dialing import Peer
from services.chassis.refusals import unauthenticated
from services.chassis.tls import CallerTls

OPTIONS = (
    # Else gRPC has all channels to one target share a connection, and what uses up its streams, as a service
    # that hangs or downloads do, holds up all the rest.
    ("grpc.use_local_subchannel_pool", 1),
    # Else the window of a stream grows with what comes fast, and what nobody takes is held in memory.
    ("grpc.http2.bdp_probe", 0),
)
"""Of gRPC, for each connection of a page."""

_token: ContextVar[str] = ContextVar("token")


def call_as(token: str) -> None:
    """Every call of the request that is being answered shows this token."""
    _token.set(token)


def shown_token() -> str:
    """The token to show; raises Refusal (unauthenticated, SIGNED_OUT) where nobody is signed in."""
    try:
        return _token.get()
    except LookupError:
        raise unauthenticated("SIGNED_OUT", "nobody is signed in") from None


class Services:
    """The services, each by its name; a page holds no token of its own."""

    def __init__(self, targets: Mapping[str, str], tls: Mapping[str, CallerTls] | None = None) -> None:
        """`targets` are host:port by service name; `tls` by the same names where TLS is spoken."""

        def peers() -> dict[str, Peer]:
            return {
                name: Peer(target, shown_token, name=name, options=OPTIONS, tls=(tls or {}).get(name))
                for name, target in targets.items()
            }

        self._peers, self._for_files = peers(), peers()

    def peer(self, name: str) -> Peer:
        """The connection to one."""
        return self._peers[name]

    def for_files(self, name: str) -> Peer:
        """Another one, for what is given as it comes: files that wait for their readers hold up no page."""
        return self._for_files[name]

    async def close(self) -> None:
        """Closes every connection."""
        for peer in (*self._peers.values(), *self._for_files.values()):
            await peer.close()
