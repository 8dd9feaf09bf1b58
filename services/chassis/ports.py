"""A port that several processes of one user listen on together, kept for them so that nobody else takes it.

Two servers that share a port by accident each get a part of the calls without a word: none binds a port that
is kept here, whether it would share it or not, but those that the keeper means.
"""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import TypeVar

from services.chassis.addresses import parse_address
from services.chassis.refusals import address_in_use

Value = TypeVar("Value")
SHARED = ("grpc.so_reuseport", 1)
FOLLOWING = 64
"""Tries to find a free port that is free at every address of a name."""


def sharing(options: Sequence[tuple[str, Value]]) -> tuple[tuple[str, Value | int], ...]:
    """The options of a gRPC server that listens beside others on a kept port."""
    return (*(option for option in options if option[0] != SHARED[0]), SHARED)


@contextlib.contextmanager
def kept_port(listen: str) -> Iterator[str]:
    """Keeps the port of `listen` ("host:port") without listening there; the address, its port never 0.

    Raises Refusal (precondition, ADDRESS_IN_USE) when anybody listens there or keeps it.
    """
    host, port = parse_address(listen)
    with contextlib.ExitStack() as held:
        try:
            number = _bind_all(host, port, held)
        except OSError as error:
            raise address_in_use(listen) from error
        yield f"[{host}]:{number}" if ":" in host else f"{host}:{number}"


def _bind_all(host: str, port: int, held: contextlib.ExitStack) -> int:
    places = _places(host)
    for left in reversed(range(1 if port else FOLLOWING)):
        with contextlib.ExitStack() as bound:
            number = port
            try:
                for family, place in places:
                    number = _bind(family, place, number, bound)
            except OSError:
                if not left:
                    raise
                continue
            held.push(bound.pop_all())
            return number
    raise AssertionError("the last try has returned or raised")


def _places(host: str) -> list[tuple[int, str]]:
    if host in {"0.0.0.0", "::"} and socket.has_dualstack_ipv6():  # noqa: S104 - as gRPC does, which serves there
        return [(socket.AF_INET6, "::")]
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(place[0])) for family, _, _, _, place in found))


def _bind(family: int, place: str, port: int, bound: contextlib.ExitStack) -> int:
    keeper = bound.enter_context(socket.socket(family, socket.SOCK_STREAM))
    if family == socket.AF_INET6:
        keeper.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(place != "::"))
    # What remains of connections that have ended is in nobody's way; a server that listens is, and a keeper.
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind((place, port))
    # Only now, for with it the port would have been shared with whoever shares theirs.
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return int(keeper.getsockname()[1])
