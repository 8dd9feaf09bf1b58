"""The Merkle tree hash of RFC 6962: the definition, word for word, and published roots."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.merkle import audit_path, leaf_hash, root_of
from tests.support.logs import Definition, some_leaves
from tests.support.vectors import vectors


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, as it is defined there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == tree_hash(leaves)


def test_the_way_from_any_leaf_is_that_of_the_recursive_definition() -> None:
    for size in range(1, 41):
        leaves = some_leaves(size)
        hashes, slow = [leaf_hash(leaf) for leaf in leaves], Definition(leaves)

        assert [audit_path(hashes, index) for index in range(size)] == [
            slow.path(index, 0, size) for index in range(size)
        ]
        for index in (-1, size):
            with pytest.raises(IndexError):
                audit_path(hashes, index)


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    leaves = [leaf_hash(b"a"), leaf_hash(b"b")]

    assert root_of([leaf_hash(leaves[0] + leaves[1])]) != root_of(leaves)


def test_published_roots_are_reproduced() -> None:
    published = vectors("merkle/rfc6962_roots.json")
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in published["inputs_hex"]]

    roots = [root_of(hashes[:size]).hex() for size in range(len(hashes) + 1)]

    assert roots == published["root_hex_by_size"]
