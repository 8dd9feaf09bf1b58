"""The network of a caller is all that is kept of their address."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.doors.networks import UNKNOWN, network_of

PARTY = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""As metering has it."""


@given(st.ip_addresses(v=4))
def test_a_network_of_ipv4_is_its_first_24_bits(address: ipaddress.IPv4Address) -> None:
    network = ipaddress.ip_network(f"{address}/24", strict=False)

    assert network_of(str(address)) == f"network-{network.network_address}-24"


@given(st.ip_addresses(v=6))
def test_a_network_of_ipv6_is_its_first_48_bits(address: ipaddress.IPv6Address) -> None:
    if address.ipv4_mapped is not None:
        return
    first, second, third = address.exploded.split(":")[:3]

    expected = f"network-{int(first, 16):x}-{int(second, 16):x}-{int(third, 16):x}-48"
    assert network_of(str(address)) == network_of(address.exploded.upper()) == expected


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_the_form_of_ipv6_is_of_the_same_network(address: ipaddress.IPv4Address) -> None:
    assert network_of(f"::ffff:{address}") == network_of(str(address))


@given(st.ip_addresses(), st.ip_addresses())
def test_two_addresses_share_a_name_where_they_share_a_prefix_and_nowhere_else(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address, other: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    def prefix(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> object:
        address = getattr(address, "ipv4_mapped", None) or address
        return ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False)

    assert (network_of(str(one)) == network_of(str(other))) == (prefix(one) == prefix(other))


@given(st.one_of(st.text(), st.ip_addresses().map(str)))
def test_m7_every_network_is_named_as_metering_takes_parties(address: str) -> None:
    assert PARTY.fullmatch(network_of(address))


@pytest.mark.parametrize("address", ["", "/tmp/socket", "203.0.113.9:80", "203.0.113", "[::1]", "acme"])
def test_what_is_no_address_is_of_no_known_network(address: str) -> None:
    assert network_of(address) == UNKNOWN


def test_a_zone_is_no_part_of_a_network() -> None:
    assert network_of("fe80::1%eth0") == "network-fe80-0-0-48"
