"""The network that a caller comes from: all that is kept of an address.

Households and offices share a /24 of IPv4 or a /48 of IPv6 (RFC 6177), so that a prefix names no person.
"""

import ipaddress

IPV4_BITS = 24
IPV6_BITS = 48
PREFIX = "network-"
"""What the ids of networks begin with, and those of no licensee."""
UNKNOWN = f"{PREFIX}unknown"
"""Of a caller without an address."""
OTHER = f"{PREFIX}other"
"""Stands for networks that there was no room to keep apart."""


def network_of(address: str) -> str:
    """The network of an address, as a party: network-203.0.113.0-24, network-2001-db8-7-48.

    An IPv4 address that is written as one of IPv6 (RFC 4291, 2.5.5.2) is of the network of IPv4. What is no
    address is of `UNKNOWN`.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(ip, ipaddress.IPv6Address):
        mapped = ip.ipv4_mapped
        if mapped is None:
            first, second, third = (int.from_bytes(ip.packed[at : at + 2]) for at in (0, 2, 4))
            return f"{PREFIX}{first:x}-{second:x}-{third:x}-{IPV6_BITS}"
        ip = mapped
    first, second, third, _ = ip.packed
    return f"{PREFIX}{first}.{second}.{third}.0-{IPV4_BITS}"
