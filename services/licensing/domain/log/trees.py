"""The tree of the log, RFC 6962, 2.1: it only grows, and a few hashes are enough to go on from.

Leaves count from 0; the receipt with number n is leaf n - 1 (R2). A node is named by its place, and once all
leaves below it are there its hash never changes: so hashes can be kept by place, for trees of every size.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.merkle import EMPTY_ROOT, leaf_hash, node_hash


@dataclass(frozen=True, slots=True)
class Node:
    """The root of the complete subtree over the leaves [index << level, (index + 1) << level)."""

    level: int
    """0 is that of the leaves."""
    index: int


Hashes = Callable[[Node], bytes]
"""Reads the hash of a node, 32 bytes."""


def receipt_leaf_hash(receipt: str) -> bytes:
    """The leaf hash, 32 bytes, of a receipt: the leaf is the compact JWS itself, as ASCII."""
    return leaf_hash(receipt.encode("ascii"))


def nodes_over(start: int, end: int) -> tuple[Node, ...]:
    """The fewest nodes that cover the leaves [start, end), from left to right.

    For the ranges that RFC 6962 splits a tree into, where `start` is a multiple of every power of two up to
    the length; their sizes are the binary digits of the length, the largest first.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return tuple(nodes)


def folded(hashes: Sequence[bytes]) -> bytes:
    """The hash over the leaves that the nodes of `nodes_over` cover, out of their hashes in that order."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_at(size: int, hashes: Hashes) -> bytes:
    """The root, 32 bytes, of the first `size` leaves."""
    return folded([hashes(node) for node in nodes_over(0, size)])


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree of `size` leaves, as far as its growth needs it: the hashes of `nodes_over(0, size)`.

    Raises Refusal (internal, LOG_DAMAGED) where the hashes cannot be those of a tree of this size.
    """

    size: int = 0
    """Leaves."""
    hashes: tuple[bytes, ...] = ()
    """32 bytes each, one for each binary digit of `size` that is 1, the largest subtree first."""

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            message = f"{len(self.hashes)} hashes are not the edge of a tree of {self.size} leaves"
            raise Refusal(Kind.INTERNAL, "LOG_DAMAGED", message)

    def extended(self, leaf_hashes: Iterable[bytes]) -> "CompactRange":
        """The tree with these leaf hashes, 32 bytes each, after the last leaf."""
        size, edge = self.size, list(self.hashes)
        for latest in leaf_hashes:
            # Like adding 1 in binary: each 1 at the end of the size is a subtree that is complete now.
            carried, merged = size, latest
            while carried & 1:
                merged = node_hash(edge.pop(), merged)
                carried >>= 1
            edge.append(merged)
            size += 1
        return CompactRange(size, tuple(edge))

    def root(self) -> bytes:
        """32 bytes."""
        return folded(self.hashes)
