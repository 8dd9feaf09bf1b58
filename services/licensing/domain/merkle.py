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
        # The RFC splits at the largest power of two below the size: the same tree as pairing level by level,
        # with a last node that has no partner standing for itself one level up.
        unpaired = level[-1:] if len(level) % 2 else []
        level = [*map(node_hash, level[0::2], level[1::2]), *unpaired]
    return level[0]
