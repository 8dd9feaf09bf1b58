"""A growth of the log is that of the definition, or nothing is signed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.log.growth import (
    EMPTY,
    Head,
    NumberedReceipt,
    Place,
    edge_of,
    grown_by,
)
from tests.support.logs import Definition


def receipts(first: int, count: int) -> list[NumberedReceipt]:
    return [NumberedReceipt(number, f"receipt {number}") for number in range(first, first + count)]


def of_definition(size: int) -> Head:
    leaves = [f"receipt {number}".encode() for number in range(1, size + 1)]
    return Head(size, Definition(leaves).mth(0, size))


def log_of(size: int) -> tuple[Head, dict[Place, bytes]]:
    """A log of so many receipts, with its edge alone."""
    growth = grown_by(EMPTY, receipts(1, size), {})
    places = {(tile.level, tile.index) for tile in edge_of(size)}
    tiles = {(tile.level, tile.index): content for tile, content in growth.tiles}
    return growth.head, {place: tiles[place] for place in places}


@given(st.integers(0, 700), st.integers(0, 700))
def test_the_head_is_that_of_the_definition_and_the_edge_is_all_that_is_read(first: int, more: int) -> None:
    before, edge = log_of(first)

    growth = grown_by(before, receipts(first + 1, more), edge)

    assert growth.head == of_definition(first + more)
    assert growth.before == before


@given(st.integers(1, 700), st.integers(0, 3), st.data())
def test_one_flipped_bit_of_the_edge_is_noticed(size: int, more: int, data: st.DataObject) -> None:
    head, edge = log_of(size)
    places = sorted(edge)
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    bit = data.draw(st.integers(0, len(edge[place]) * 8 - 1))
    flipped = bytearray(edge[place])
    flipped[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Refusal, match="LOG_DAMAGED"):
        grown_by(head, receipts(size + 1, more), {**edge, place: bytes(flipped)})


def test_a_leaf_that_is_hashed_wrong_once_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = iter([b"a" * 32, b"b" * 32])
    monkeypatch.setattr(
        "services.licensing.domain.log.growth.receipt_leaf_hash", lambda receipt: next(hashed)
    )

    with pytest.raises(Refusal, match="two ways to the root of 1 leaves"):
        grown_by(EMPTY, receipts(1, 1), {})


def test_a_number_that_is_missing_or_comes_twice_is_noticed() -> None:
    for wrong in ([*receipts(1, 2), *receipts(4, 1)], [*receipts(1, 2), *receipts(2, 1)], receipts(2, 1)):
        with pytest.raises(Refusal, match="LOG_DAMAGED"):
            grown_by(EMPTY, wrong, {})
