"""Which addresses may be connected to: those of the public internet, and none that stands for another.

Whoever writes a URL decides what this service connects to. It must never be something that only we can reach:
this machine, its network, or what a cloud tells its machines about themselves.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

HTTPS_PORT = 443
FIRST_FREE_PORT = 1024
LONGEST_NAME = 253

# Letters, digits and hyphens, of which the last label has a letter: what ends in a number is an IPv4 address
# to somebody, however it is spelt (0x7f.1, 2130706433, 127.0.0.1), and brackets are one of IPv6.
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_LAST_LABEL = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_PUBLIC_NAME = re.compile(rf"({_LABEL}\.)+{_LAST_LABEL}")
_ANY_NAME = re.compile(rf"({_LABEL}\.)*{_LAST_LABEL}")

_UNICAST = ipaddress.ip_network("2000::/3")
_STANDING_FOR_OTHERS = tuple(
    map(
        ipaddress.ip_network,
        (
            "2001::/32",  # Teredo: an IPv4 address of a client inside
            "2002::/16",  # 6to4: an IPv4 address inside
            "192.88.99.0/24",  # relays of 6to4
            "192.0.0.0/24",  # of protocols: DS-Lite and the like
            "2001:db8::/32",  # of documents
            "3fff::/20",  # likewise
            "100.64.0.0/10",  # of carriers, behind whose address many are
        ),
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)
"""The first half of an interface id that has an IPv4 address in the other (RFC 5214, 6.1)."""


@dataclass(frozen=True)
class Target:
    """A URL that was taken."""

    host: str
    """A name in lower case, to be resolved, and named in the certificate."""
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        return self.host if self.port == HTTPS_PORT else f"{self.host}:{self.port}"


def target_of(url: str, *, allow_private: bool = False) -> Target:
    """The parts of a URL of somebody else's server.

    `allow_private`: a name of one label, such as localhost, is taken, too. Raises ValueError, which says what
    is wrong with it in words for whoever wrote it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("this is no URL") from error
    if parts.scheme != "https" or "\\" in url:
        raise ValueError("only https:// is sent to")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("without user, password and fragment")
    host = parts.hostname or ""
    name = _ANY_NAME if allow_private else _PUBLIC_NAME
    if len(host) > LONGEST_NAME or not name.fullmatch(host):
        raise ValueError("it needs the full name of a host, and no address")
    if port is not None and port != HTTPS_PORT and port < FIRST_FREE_PORT:
        raise ValueError(f"port {HTTPS_PORT}, or one from {FIRST_FREE_PORT} on")
    path = parts.path or "/"
    return Target(host, port or HTTPS_PORT, f"{path}?{parts.query}" if parts.query else path)


def is_public(address: str) -> bool:
    """Whether an address, as a resolver writes it, is one of the public internet by itself.

    One that carries another (mapped, compatible, 6to4, Teredo, NAT64, ISATAP) is not, whatever the other is:
    who forwards it decides what it reaches.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip.version == network.version and ip in network for network in _STANDING_FOR_OTHERS):
        return False
    if ip.version == 6 and (ip not in _UNICAST or (int(ip) >> 32 & 0xFFFFFFFF) in _ISATAP):
        # All others of IPv6 are not global unicast: mapped, compatible, 64:ff9b::/96 (NAT64) and the like.
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
