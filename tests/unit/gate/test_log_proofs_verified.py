"""Proofs about the log, verified as RFC 9162 says (R2): true ones hold, and of others none does."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.log.proofs import consistency, inclusion
from services.licensing.domain.log.trees import Node, root_at
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.trees import check_consistency, check_inclusion, leaf_hash, node_hash, tree_hash
from tests.support.logs import ALog, Definition, some_leaves

LARGEST = 130
SMALL = 24
LEAVES = some_leaves(700)
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
DEFINITION = Definition(LEAVES)
LOG = ALog(LEAVES)
PLACES = ((0, 1), (0, 2), (1, 2), (2, 3), (4, 7), (7, 8), (5, 9), (99, 100), (256, 257), (300, 511), (0, 700))
SPANS = ((1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (8, 9), (99, 100), (255, 257), (256, 700), (511, 700))

Proof = Sequence[bytes]


def includes(hash: bytes, index: int, size: int, root: bytes, proof: Proof) -> bool:
    return holds(lambda: check_inclusion(hash, index, size, root, proof), "INCLUSION_WRONG")


def continues(first: int, second: int, first_root: bytes, second_root: bytes, proof: Proof) -> bool:
    return holds(
        lambda: check_consistency(first, second, first_root, second_root, proof), "CONSISTENCY_WRONG"
    )


def holds(check: Callable[[], None], reason: str) -> bool:
    try:
        check()
    except VerificationError as error:
        assert error.reason == reason
        return False
    return True


def root(size: int) -> bytes:
    return DEFINITION.mth(0, size)


def flips(proof: Proof, bits: Iterable[int] = range(256)) -> Iterator[list[bytes]]:
    """The proof with one bit changed, for each bit of each hash."""
    for place, bit in itertools.product(range(len(proof)), bits):
        hash = (int.from_bytes(proof[place]) ^ 1 << bit).to_bytes(32)
        yield [*proof[:place], hash, *proof[place + 1 :]]


def reshaped(proof: Proof, *others: bytes) -> Iterator[list[bytes]]:
    """The proof with a hash missing, doubled, exchanged, too short, too long, or one more."""
    for place in range(len(proof)):
        before, hash, after = proof[:place], proof[place], proof[place + 1 :]
        yield from (
            [*before, *after],
            [*before, hash, hash, *after],
            [*before, hash[:-1], *after],
            [*before, hash + b"\0", *after],
            [*before, b"", *after],
            list(before),
        )
        yield from ([*before, other, *after] for other in others if other != hash)
    for place in range(len(proof) + 1):
        yield from ([*proof[:place], other, *proof[place:]] for other in others)
    for one, two in itertools.combinations(range(len(proof)), 2):
        exchanged = list(proof)
        exchanged[one], exchanged[two] = proof[two], proof[one]
        if exchanged != list(proof):
            yield exchanged


def test_every_leaf_of_every_tree_is_shown_to_be_in_it() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = inclusion(index, size, LARGEST).proof(DEFINITION.hash_of)
            check_inclusion(HASHES[index], index, size, root(size), proof)


def test_every_tree_is_shown_to_go_on_from_every_smaller_one() -> None:
    for second in range(1, LARGEST + 1):
        for first in range(1, second + 1):
            proof = consistency(first, second, LARGEST).proof(DEFINITION.hash_of)
            check_consistency(first, second, root(first), root(second), proof)


def hash_among_equals(node: Node) -> bytes:
    """The hash of a node of a tree whose leaves are all the same, which can have any size."""
    hash = HASHES[0]
    for _ in range(node.level):
        hash = node_hash(hash, hash)
    return hash


@given(st.integers(1, 2**63), st.data())
def test_proofs_hold_in_trees_of_any_size_that_a_number_can_say(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    first_root, last_root = root_at(index + 1, hash_among_equals), root_at(size, hash_among_equals)

    included = inclusion(index, size, size).proof(hash_among_equals)
    continued = consistency(index + 1, size, size).proof(hash_among_equals)

    check_inclusion(HASHES[0], index, size, last_root, included)
    check_consistency(index + 1, size, first_root, last_root, continued)
    assert len(included) <= 63
    assert len(continued) <= 64


def test_the_tree_hash_is_that_of_the_definition() -> None:
    for size in (*range(70), 255, 256, 257, 700):
        assert tree_hash(HASHES[:size]) == root(size)


def test_no_changed_inclusion_proof_holds_R3() -> None:  # noqa: N802
    accepted = tried = 0
    for index, size in PLACES:
        proof = LOG.inclusion(index, size)
        others = (root(size), HASHES[index], HASHES[index ^ 1], bytes(32))
        for changed in itertools.chain(flips(proof), reshaped(proof, *others)):
            tried += 1
            accepted += includes(HASHES[index], index, size, root(size), changed)

    assert (accepted, tried > 10_000) == (0, True)


def test_no_proof_of_one_place_holds_at_another_R3() -> None:  # noqa: N802
    places = [(index, size) for size in range(1, SMALL + 1) for index in range(size)]
    proofs = {place: LOG.inclusion(*place) for place in places}

    accepted = [
        (here, there)
        for here, there in itertools.product(places, repeat=2)
        if includes(HASHES[here[0]], *there, root(there[1]), proofs[here])
    ]

    assert accepted == [(place, place) for place in places]
    assert len(places) ** 2 == 90_000


def test_no_other_leaf_root_or_index_holds() -> None:
    for index, size in PLACES:
        proof = LOG.inclusion(index, size)
        for other in range(700):
            assert includes(HASHES[other], index, size, root(size), proof) == (other == index)
            assert includes(HASHES[index], other, size, root(size), proof) == (other == index)
            assert includes(HASHES[index], index, size, root(other + 1), proof) == (other + 1 == size)
        assert not includes(HASHES[index], -1, size, root(size), proof)
        for changed in flips([HASHES[index]]):
            assert not includes(changed[0], index, size, root(size), proof)
        for changed in flips([root(size)]):
            assert not includes(HASHES[index], index, size, changed[0], proof)


def test_no_changed_consistency_proof_holds_R3() -> None:  # noqa: N802
    accepted = tried = 0
    for first, second in SPANS:
        proof = LOG.consistency(first, second)
        others = (root(first), root(second), HASHES[0], bytes(32))
        for changed in itertools.chain(flips(proof), reshaped(proof, *others)):
            tried += 1
            accepted += continues(first, second, root(first), root(second), changed)

    assert (accepted, tried > 10_000) == (0, True)


def test_no_proof_between_two_sizes_holds_between_others_R3() -> None:  # noqa: N802
    spans = list(itertools.combinations(range(1, SMALL + 1), 2))
    proofs = {span: LOG.consistency(*span) for span in spans}

    accepted = [
        (here, there)
        for here, there in itertools.product(spans, repeat=2)
        if continues(*there, root(there[0]), root(there[1]), proofs[here])
    ]

    assert accepted == [(span, span) for span in spans]
    assert len(spans) ** 2 == 76_176


def test_a_tree_that_was_changed_behind_is_not_one_that_has_grown() -> None:
    for changed in range(10):
        forked = Definition([b"other" if at == changed else leaf for at, leaf in enumerate(LEAVES[:20])])
        for proof in (forked.proof(10, 20), LOG.consistency(10, 20)):
            assert not continues(10, 20, root(10), forked.mth(0, 20), proof)


def test_a_proof_has_no_hash_more_than_its_sizes_allow_even_where_it_leads_to_the_root() -> None:
    # True proofs of larger trees, whose roots somebody passes off as those of smaller ones.
    assert not includes(HASHES[1], 0, 1, root(2), LOG.inclusion(1, 2))
    assert not includes(HASHES[7], 3, 4, root(8), LOG.inclusion(7, 8))
    assert not continues(3, 4, root(7), root(8), LOG.consistency(7, 8))


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_from_nothing_or_backwards_nothing_is_shown(first: int, second: int) -> None:
    assert not continues(first, second, root(max(first, 0)), root(second), [])


def test_a_tree_goes_on_from_itself_without_a_proof_and_only_so() -> None:
    assert continues(5, 5, root(5), root(5), [])
    assert not continues(5, 5, root(5), root(6), [])
    assert not continues(5, 5, root(5), root(5), [root(5)])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_what_is_not_as_long_as_a_hash_is_none(length: int) -> None:
    odd = bytes(length)

    assert not includes(odd, 0, 1, odd, [])
    assert not includes(HASHES[0], 0, 2, root(2), [odd])
    assert not continues(1, 2, odd, root(2), [HASHES[1]])
    assert not continues(1, 2, root(1), root(2), [odd])
