"""Merkle trees as RFC 6962 defines them, and proofs about them as RFC 9162 verifies them.

A proof is believed only as far as a root is: whoever calls has root and size from one signed checkpoint. A
root says nothing about the size of its tree, and one proof can fit several sizes.
"""

import hashlib
from collections.abc import Sequence

from sluice_gate.errors import VerificationError

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf, RFC 6962, 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its children, RFC 6962, 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaf_hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, 2.1, over hashes of leaves."""
    if not leaf_hashes:
        return hashlib.sha256(b"").digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    # The largest power of two below the number of leaves.
    split = 1 << (len(leaf_hashes) - 1).bit_length() - 1
    return node_hash(tree_hash(leaf_hashes[:split]), tree_hash(leaf_hashes[split:]))


def check_inclusion(hash_of_leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Checks that a leaf stands at `index` of a tree of `size` leaves with this root (RFC 9162, 2.1.3.2).

    Raises VerificationError (INCLUSION_WRONG).
    """
    if not 0 <= index < size:
        raise _not_included(f"there is no leaf {index} in a tree of {size} leaves")
    if not _are_hashes(hash_of_leaf, root, *proof):
        raise _not_included("what should be a hash is not 32 bytes long")
    fn, sn, computed = index, size - 1, hash_of_leaf
    for sibling in proof:
        if sn == 0:
            raise _not_included("the proof is too long")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise _not_included("the proof is too short")
    if computed != root:
        raise _not_included("the proof leads to another root")


def check_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Checks that the tree of `second` leaves begins with that of `first` (RFC 9162, 2.1.4.2).

    Raises VerificationError (CONSISTENCY_WRONG), also for `first` 0: of an empty tree nothing can be shown.
    """
    if not 0 < first <= second:
        raise _inconsistent(f"nothing shows that {first} leaves became {second}")
    if first == second:
        if proof or first_root != second_root:
            raise _inconsistent("one size, and another root or a proof of something else")
        return
    if not _are_hashes(first_root, second_root, *proof):
        raise _inconsistent("what should be a hash is not 32 bytes long")
    if not proof:
        raise _inconsistent("the proof is empty")
    # A first tree that is complete is the subtree to begin with; its hash is known and left out of the proof.
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    computed = _both_roots(first - 1, second - 1, path)
    if computed[0] != first_root:
        raise _inconsistent("the proof leads to another root of the first tree")
    if computed[1] != second_root:
        raise _inconsistent("the proof leads to another root of the second tree")


def _both_roots(fn: int, sn: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of the two trees whose last leaves these are, steps 4 to 6."""
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise _inconsistent("the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise _inconsistent("the proof is too short")
    return fr, sr


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(hash) == HASH_BYTES for hash in hashes)


def _not_included(message: str) -> VerificationError:
    return VerificationError("INCLUSION_WRONG", message)


def _inconsistent(message: str) -> VerificationError:
    return VerificationError("CONSISTENCY_WRONG", message)
