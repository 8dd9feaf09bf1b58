"""Calls to somebody else reach the public internet alone, however an address of ours is spelt."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.public_addresses import Target, is_public, target_of


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("example.com", 443, "/")),
        ("https://Example.COM/", Target("example.com", 443, "/")),
        ("https://hooks.example.com:8443/a/b?c=d&e", Target("hooks.example.com", 8443, "/a/b?c=d&e")),
        ("https://example.com:443/x", Target("example.com", 443, "/x")),
        ("https://xn--bcher-kva.example/", Target("xn--bcher-kva.example", 443, "/")),
    ],
)
def test_a_url_with_a_full_name_is_taken(url: str, target: Target) -> None:
    assert target_of(url) == target


def test_the_host_header_names_the_port_where_it_is_another() -> None:
    assert target_of("https://example.com:8443/").authority == "example.com:8443"
    assert target_of("https://example.com/").authority == "example.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "example.com",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "https://example.com\\@127.0.0.1/",
        "https://example.com:22/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://localhost/",
        "https://metadata/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://example.127/",
        "https://a.0x7f/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://8.8.8.8/",
        "https://1.1.1.1./",
        "https://example.com./",
        "https://-a.example/",
        "https://a_b.example/",
        "https://b\u00fccher.example/",
        "https://\u2460\u2461\u2466.example/",
        "https://example%2ecom/",
        "https://" + "a." * 130 + "example/",
    ],
)
def test_what_is_no_full_name_over_https_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"this|only|without|it needs|port"):
        target_of(url)


def test_for_trying_out_a_name_of_this_machine_is_taken_and_no_address() -> None:
    assert target_of("https://localhost:8443/", allow_private=True) == Target("localhost", 8443, "/")
    with pytest.raises(ValueError, match="no address"):
        target_of("https://127.0.0.1:8443/", allow_private=True)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]
)
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
        *(
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.8",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
        ),
        *("192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
        *("240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
        *("2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:8.8.8.8"),
        *("", "localhost", "127.1", "0x7f000001", "010.0.0.1", "8.8.8.8 ", "2130706433"),
    ],
)
def test_addresses_that_are_ours_or_stand_for_another_are_not_public(address: str) -> None:
    assert not is_public(address)


PRIVATE = [
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16")
]


@given(st.sampled_from(PRIVATE), st.integers(0, 2**16 - 1), st.integers(0, 2**64 - 1))
def test_no_ipv6_address_that_carries_one_of_ours_is_public(
    network: ipaddress.IPv4Network, host: int, noise: int
) -> None:
    inner = int(network.network_address) + host % network.num_addresses
    carriers = (
        inner,
        0xFFFF << 32 | inner,
        0xFFFF << 48 | inner,
        0x0064FF9B << 96 | inner,
        0x0064FF9B0001 << 80 | inner,
        0x2002 << 112 | inner << 80 | noise,
        0x20010000 << 96 | noise << 32 | ~inner & 0xFFFFFFFF,
        0x26064700 << 96 | (noise & 0xFFFFFFFF) << 64 | 0x5EFE << 32 | inner,
    )

    assert not any(is_public(str(ipaddress.IPv6Address(carrier))) for carrier in carriers)
