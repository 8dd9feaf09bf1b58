"""Calls to the services in the name of whoever is signed in."""

from collections.abc import Mapping
from contextvars import ContextVar

from services.chassis.dialing import Peer
from services.chassis.refusals import unauthenticated
from services.chassis.tls import CallerTls

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
        self._peers = {
            name: Peer(target, shown_token, name=name, tls=(tls or {}).get(name))
            for name, target in targets.items()
        }

    def peer(self, name: str) -> Peer:
        """The connection to one."""
        return self._peers[name]

    async def close(self) -> None:
        """Closes every connection."""
        for peer in self._peers.values():
            await peer.close()
