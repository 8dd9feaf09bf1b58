"""Addresses that are listened on: "host:port", as settings say it."""

import ipaddress


def parse_address(listen: str) -> tuple[str, int]:
    """Splits "host:port"; an IPv6 host stands in brackets. Raises ValueError for anything else."""
    host, colon, port = listen.rpartition(":")
    if not host or not colon or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"{listen!r} is not host:port")
    return host.strip("[]"), int(port)


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches "host:port"; a name other than localhost is not asked for."""
    host, _ = parse_address(listen)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
