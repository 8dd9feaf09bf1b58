"""Ports for servers of a test that are told theirs before they start, or come back to the one that they had.

None of them is one that the system gives out by itself, to whoever connects or listens on port 0: there it
would be somebody else's by the time the server starts.
"""

import functools
import random
import socket
from collections.abc import Iterator

HOST = "127.0.0.1"
FIRST = 20_000
END = 32_768
"""Systems give out ports by themselves from here on, or from further up."""
BLOCK = 200
"""Ports of one process, which takes them in turn: one comes again long after its server has gone."""


def a_free_port() -> int:
    """A port of this machine that nobody listens on, and no other process of tests is given."""
    for port in _ours():
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("the ports go round for good")


@functools.cache
def _ours() -> Iterator[int]:
    """The ports of a block that is this process's until it ends."""
    blocks = list(range(FIRST, END - BLOCK + 1, BLOCK))
    # Some of them are taken by others; most tries then are in vain where all begin with the first.
    random.shuffle(blocks)
    for first in blocks:
        keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            # Nobody who serves TCP is hindered by it, and it goes with the process, however that ends.
            keeper.bind((HOST, first))
        except OSError:
            keeper.close()
            continue
        return _in_turn(keeper, first)
    raise AssertionError(f"all ports from {FIRST} to {END} are taken by other processes of tests")


def _in_turn(keeper: socket.socket, first: int) -> Iterator[int]:
    with keeper:
        while True:
            yield from range(first, first + BLOCK)
