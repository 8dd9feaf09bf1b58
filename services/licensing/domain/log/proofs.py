"""Inclusion and consistency proofs, RFC 6962, 2.1.1 and 2.1.2: first which hashes they take, then the proofs.

A plan names every hash before one is read, so that a storage can fetch them at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.chassis.refusals import invalid
from services.licensing.domain.log.trees import Hashes, Node, folded, nodes_over

_Leaves = tuple[int, int]
"""Those of a subtree: from the first, up to and without the second."""


@dataclass(frozen=True)
class Plan:
    """A proof whose hashes have not been read."""

    parts: tuple[tuple[Node, ...], ...]
    """For each hash of the proof, in order, the nodes that it is folded from: one, but at the right edge."""

    def nodes(self) -> tuple[Node, ...]:
        """All that is to be read."""
        return tuple(node for part in self.parts for node in part)

    def proof(self, hashes: Hashes) -> list[bytes]:
        """The proof: 32 bytes each, in the order of RFC 6962."""
        return [folded([hashes(node) for node in part]) for part in self.parts]


def inclusion(index: int, size: int, published: int) -> Plan:
    """The proof that leaf `index` is in the tree of the first `size` leaves.

    `published` is the size that the log has shown: no proof is made of what it has not committed itself to.
    Raises Refusal (invalid, INCLUSION_OUT_OF_RANGE).
    """
    if not 0 <= index < size <= published:
        message = f"no leaf {index} in a tree of {size} leaves of a log that has published {published}"
        raise invalid("INCLUSION_OUT_OF_RANGE", message)
    return _plan([beside for _, beside in _way_to(index, size)])


def consistency(first: int, second: int, published: int) -> Plan:
    """The proof that the tree of `second` leaves begins with that of `first`; empty where they are equal.

    From 0 there is none: every tree begins with nothing, and a proof of that would only look like one.
    Raises Refusal (invalid, CONSISTENCY_OUT_OF_RANGE).
    """
    if not 1 <= first <= second <= published:
        message = f"no proof from {first} to {second} leaves of a log that has published {published}"
        raise invalid("CONSISTENCY_OUT_OF_RANGE", message)
    shared, beside = (0, second), []
    # Down to the subtree that ends where the first tree ends: it is complete in both.
    for half, other in _way_to(first - 1, second):
        if shared[1] == first:
            break
        shared = half
        beside.append(other)
    if shared[0] > 0:
        beside.append(shared)
    # Else it is the first tree itself, and its hash the root that the verifier has.
    return _plan(beside)


def _way_to(index: int, size: int) -> Iterator[tuple[_Leaves, _Leaves]]:
    """From the root to leaf `index`: at each split the subtree that has the leaf, and the one beside it."""
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        left, right = (start, middle), (middle, end)
        yield (left, right) if index < middle else (right, left)
        start, end = left if index < middle else right


def _plan(beside: list[_Leaves]) -> Plan:
    """Of the subtrees whose hashes the proof has, those at the root first; in the proof they are last."""
    return Plan(tuple(nodes_over(start, end) for start, end in reversed(beside)))
