"""Addresses of the web that somebody else has written, read in one way or not at all."""

from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}


def host_of(address: str) -> tuple[str, int] | None:
    """Host and port of an http or https address; None where readers could take it for different ones."""
    if not address.isascii() or not address.isprintable() or not {" ", "\\"}.isdisjoint(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or port == 0:
        return None
    return parts.hostname, _PORTS[parts.scheme] if port is None else port


def is_origin(text: str) -> bool:
    """Whether it is scheme://host[:port] as browsers write it (RFC 6454, 6.2), and nothing besides."""
    found, (scheme, _, rest) = host_of(text), text.partition("://")
    if found is None or not {"*", ";", ",", "'", '"'}.isdisjoint(text):
        return False
    host, port = found
    named = f"[{host}]" if ":" in host else host
    return rest == (named if port == _PORTS[scheme] else f"{named}:{port}")
