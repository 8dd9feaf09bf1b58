"""Proofs (R2): all of small trees are those of the definition, and none is made of what is not there."""

from collections.abc import Callable

import pytest

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.log.proofs import Plan, consistency, inclusion
from services.licensing.domain.log.tiles import tile_with
from services.licensing.domain.log.trees import Node
from tests.support.logs import ALog, Definition, some_leaves

LARGEST = 130
DEFINITION = Definition(some_leaves(700))


def test_every_inclusion_proof_is_that_of_the_definition() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            made = inclusion(index, size, LARGEST).proof(DEFINITION.hash_of)
            assert made == DEFINITION.path(index, 0, size), (index, size)


def test_every_consistency_proof_is_that_of_the_definition() -> None:
    for second in range(1, LARGEST + 1):
        for first in range(1, second + 1):
            made = consistency(first, second, LARGEST).proof(DEFINITION.hash_of)
            assert made == DEFINITION.proof(first, second), (first, second)


def test_proofs_out_of_tiles_are_those_of_the_definition_for_earlier_sizes_too() -> None:
    log = ALog(some_leaves(700))

    for size in (1, 255, 256, 257, 511, 513, 640, 700):
        for index in (0, 1, 254, 255, 256, 511, 512, 639, 699):
            if index < size:
                assert log.inclusion(index, size) == DEFINITION.path(index, 0, size)
                assert log.consistency(index + 1, size) == DEFINITION.proof(index + 1, size)


def test_a_plan_names_all_that_its_proof_reads_and_the_tiles_are_few() -> None:
    for plan in (inclusion(123_456, 500_000, 500_000), consistency(123_456, 500_000, 500_000)):
        read: list[Node] = []

        def note(node: Node, read: list[Node] = read) -> bytes:
            read.append(node)
            return bytes(32)

        plan.proof(note)

        assert tuple(read) == plan.nodes()
        assert len({tile_with(node, 500_000) for node in read}) <= 6


def test_the_examples_of_the_rfc_are_followed_where_a_first_tree_is_complete() -> None:
    # RFC 6962, 2.1.3: the proof from 3 to 7 begins with the node that 3 ends in, that from 4 needs only l.
    assert consistency(3, 7, 7) == Plan(
        ((Node(0, 2),), (Node(0, 3),), (Node(1, 0),), (Node(1, 2), Node(0, 6)))
    )
    assert consistency(4, 7, 7) == Plan(((Node(1, 2), Node(0, 6)),))
    assert consistency(6, 7, 7) == Plan(((Node(1, 2),), (Node(0, 6),), (Node(2, 0),)))


@pytest.mark.parametrize(
    ("index", "size", "published"), [(0, 0, 9), (5, 5, 9), (9, 5, 9), (-1, 5, 9), (0, 10, 9), (0, 1, 0)]
)
def test_of_a_leaf_that_is_not_there_no_inclusion_is_proved(index: int, size: int, published: int) -> None:
    refused(lambda: inclusion(index, size, published), "INCLUSION_OUT_OF_RANGE")


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [(0, 0, 9), (0, 5, 9), (6, 5, 9), (-1, 5, 9), (5, 10, 9), (10, 10, 9), (1, 1, 0)],
)
def test_of_a_size_that_is_not_there_or_none_no_consistency_is_proved(
    first: int, second: int, published: int
) -> None:
    refused(lambda: consistency(first, second, published), "CONSISTENCY_OUT_OF_RANGE")


def refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(Refusal) as caught:
        call()
    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, reason)
