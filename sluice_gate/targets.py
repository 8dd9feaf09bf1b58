"""Where a target of gRPC leads, as far as its name says (grpc.io/docs: naming)."""

import ipaddress
import json
import re

_LISTS = ("ipv4:", "ipv6:")
_PREFIX = re.compile(r"(?:dns:(?://[^/]*/)?|ipv4:|ipv6:)")
_HOST = re.compile(r"(?:\[(?P<bracketed>[^\]]*)\]|(?P<plain>[^:]*))(?::[0-9]+)?")


def is_this_machine(target: str) -> bool:
    """Whether what is sent to `target` stays on this machine.

    It does to a loopback address (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3), to localhost (RFC 6761, 6.3) and to a
    socket in a folder. Of what is not understood the answer is no.
    """
    if target.startswith("unix:"):
        return True
    prefix = _PREFIX.match(target)
    named = target[prefix.end() :] if prefix else target
    is_list = target.startswith(_LISTS)
    return all(_is_here(address) for address in (named.split(",") if is_list else [named]))


def balancing(target: str) -> tuple[tuple[str, str], ...]:
    """Options of a channel that spreads calls over all addresses of `target`.

    Where it names replicas (dns:..., ipv4:..., ipv6:...), those that say NOT_SERVING get none: a server says
    so before it stops. One server, host:port, is called whatever it says, and dialled when it is called.
    """
    if not target.startswith(("dns:", *_LISTS)):
        return ()
    config = {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
    return (("grpc.service_config", json.dumps(config)),)


def _is_here(address: str) -> bool:
    host = _HOST.fullmatch(address)
    if host is None:
        return False
    name = host["bracketed"] or host["plain"] or ""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def naming(server_name: str | None) -> tuple[tuple[str, str], ...]:
    """Options of a channel that has the server's certificate carry `server_name` instead of the host."""
    return () if server_name is None else (("grpc.ssl_target_name_override", server_name),)
