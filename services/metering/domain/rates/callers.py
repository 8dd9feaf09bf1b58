"""Callers without a name, told apart by the network that they come from."""

import ipaddress

from services.metering.domain.rates.limits import Descriptor, Entry

ADDRESS_KEYS = frozenset({"remote_address", "masked_remote_address"})
"""As Envoy's actions of these names call what they send."""
PREFIX_KEY = "remote_prefix"
IPV4_BITS = 24
"""As the gateway tells strangers apart: the smallest network that is announced on its own."""
IPV6_BITS = 48
"""Likewise; what one customer is given, of whose addresses each call could use another one."""


def by_prefix(descriptor: Descriptor) -> Descriptor:
    """The descriptor with prefixes instead of addresses."""
    return tuple(_by_prefix(entry) for entry in descriptor)


def _by_prefix(entry: Entry) -> Entry:
    key, value = entry
    return (PREFIX_KEY, prefix_of(value)) if key in ADDRESS_KEYS else entry


def prefix_of(address: str) -> str:
    """The network of an address, or of a prefix that is longer than what is told apart.

    An IPv4 address in the form of IPv6 (RFC 4291, 2.5.5.2) is the same caller. What is no address stays as it
    is: it is one caller, whom nobody escapes by writing it otherwise.
    """
    try:
        given = ipaddress.ip_interface(address).network
    except ValueError:
        return address
    if isinstance(given, ipaddress.IPv6Network):
        mapped = given.network_address.ipv4_mapped
        if mapped is not None:
            return prefix_of(str(mapped))
        return str(given.supernet(new_prefix=min(IPV6_BITS, given.prefixlen)))
    return str(given.supernet(new_prefix=min(IPV4_BITS, given.prefixlen)))
