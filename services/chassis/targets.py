"""Where a client calls, as gRPC names it (grpc.io/docs: naming): one server, or all replicas of one.

host:port is one server, or whatever stands before several. With a scheme a target is all of its replicas:
dns:///NAME:PORT is every address of the name, ipv4:HOST:PORT,HOST:PORT and ipv6:[HOST]:PORT are lists.
"""

import ipaddress

DNS, LISTS = "dns:", {"ipv4:": 4, "ipv6:": 6}


def is_of_replicas(target: str) -> bool:
    """Whether calls go to whichever of several servers is well."""
    return target.startswith((DNS, *LISTS))


def checked_target(value: str) -> str:
    """The target itself; raises ValueError for what is none of those above, or names no port."""
    for scheme, version in LISTS.items():
        if value.startswith(scheme):
            for address in value.removeprefix(scheme).split(","):
                if ipaddress.ip_address(_host(address)).version != version:
                    raise ValueError(f"{address!r} is no address of {scheme}")
            return value
    name = value.removeprefix(DNS)
    if name != value and name.startswith("//"):
        # dns://SERVER/NAME asks a name server of one's own; without one it is three slashes.
        name = name[2:].partition("/")[2]
    _host(name)
    return value


def _host(address: str) -> str:
    """That of host:port; an IPv6 one stands in brackets."""
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and 0 < int(port) <= 65_535
    is_host = host.startswith("[") and host.endswith("]") if ":" in host else bool(host)
    if not (is_port and is_host) or any(mark in host for mark in "/, "):
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]")
