"""The tree of the log (R2) against the definition of RFC 6962."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.log.trees import (
    CompactRange,
    Node,
    folded,
    nodes_over,
    receipt_leaf_hash,
    root_at,
)
from services.licensing.domain.merkle import EMPTY_ROOT, leaf_hash, root_of
from tests.support.logs import Definition, some_leaves
from tests.support.vectors import vectors


def test_after_every_leaf_the_root_is_that_of_the_definition() -> None:
    leaves = some_leaves(700)
    definition, tree = Definition(leaves), CompactRange()

    for size, leaf in enumerate(leaves):
        assert tree.root() == definition.mth(0, size)
        assert tree.size == size
        tree = tree.extended([leaf_hash(leaf)])

    assert tree.root() == definition.mth(0, 700) == root_of([leaf_hash(leaf) for leaf in leaves])


@given(st.lists(st.binary(max_size=8), max_size=700), st.data())
def test_leaves_that_come_together_give_the_tree_of_leaves_that_come_one_by_one(
    leaves: list[bytes], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    hashes = [leaf_hash(leaf) for leaf in leaves]

    together = CompactRange().extended(hashes[:cut]).extended(hashes[cut:])

    assert together.root() == Definition(leaves).mth(0, len(leaves))
    assert len(together.hashes) == len(leaves).bit_count()


def test_the_root_of_every_earlier_size_is_read_from_hashes_that_never_change() -> None:
    definition = Definition(some_leaves(300))

    for size in range(301):
        assert root_at(size, definition.hash_of) == definition.mth(0, size)


def test_a_range_is_covered_by_its_binary_digits() -> None:
    assert nodes_over(0, 7) == (Node(2, 0), Node(1, 2), Node(0, 6))
    assert nodes_over(8, 11) == (Node(1, 4), Node(0, 10))
    assert nodes_over(0, 1 << 40) == (Node(40, 0),)
    assert nodes_over(5, 5) == ()


def test_a_tree_without_leaves_has_the_root_of_nothing() -> None:
    assert CompactRange().root() == folded([]) == EMPTY_ROOT


def test_published_roots_are_reached_leaf_by_leaf() -> None:
    published = vectors("merkle/rfc6962_roots.json")
    tree, roots = CompactRange(), []

    for leaf in published["inputs_hex"]:
        roots.append(tree.root().hex())
        tree = tree.extended([leaf_hash(bytes.fromhex(leaf))])

    assert [*roots, tree.root().hex()] == published["root_hex_by_size"]


@pytest.mark.parametrize(("size", "hashes"), [(3, 1), (4, 2), (0, 1), (-1, 1)])
def test_an_edge_that_is_not_one_of_its_size_is_refused(size: int, hashes: int) -> None:
    with pytest.raises(Refusal) as caught:
        CompactRange(size, (bytes(32),) * hashes)

    assert (caught.value.kind, caught.value.reason) == (Kind.INTERNAL, "LOG_DAMAGED")


def test_the_leaf_of_a_receipt_is_the_receipt_itself() -> None:
    assert receipt_leaf_hash("e30.e30.c2ln") == leaf_hash(b"e30.e30.c2ln")
