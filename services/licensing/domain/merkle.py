"""The Merkle tree hash of RFC 6962, section 2.1, over SHA-256.

Leaves and nodes are hashed under different prefixes, so that a node can never be passed off as a leaf.
"""

from collections.abc import Sequence
from hashlib import sha256

HASH_BYTES = 32
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf, 32 bytes."""
    return sha256(LEAF_PREFIX + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children, 32 bytes."""
    return sha256(NODE_PREFIX + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root, 32 bytes, of a tree with these leaf hashes in this order."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def audit_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from leaf `index` to the root, 32 bytes each, from the leaf upwards.

    RFC 6962, 2.1.1. Raises IndexError where there is no such leaf.
    """
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(f"no leaf {index} among {len(leaf_hashes)}")
    level, path = list(leaf_hashes), []
    while len(level) > 1:
        beside = index ^ 1
        # The last node of a level can stand alone; it is its own way up.
        if beside < len(level):
            path.append(level[beside])
        level, index = _level_above(level), index // 2
    return path


def _level_above(level: list[bytes]) -> list[bytes]:
    # The RFC splits at the largest power of two below the size: the same tree as pairing level by level,
    # with a last node that has no partner standing for itself one level up.
    unpaired = level[-1:] if len(level) % 2 else []
    return [*map(node_hash, level[0::2], level[1::2]), *unpaired]
