"""The tree as tiles (https://c2sp.org/tlog-tiles): which there are, what is in them, what comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.log.tiles import (
    Tile,
    built,
    grown,
    hashes_in,
    root_from_tiles,
    tile_at,
    tile_with,
)
from services.licensing.domain.log.trees import CompactRange, Node
from services.licensing.domain.merkle import EMPTY_ROOT, leaf_hash
from tests.support.logs import ALog, Definition, some_leaves

LEAVES = some_leaves(700)
DEFINITION = Definition(LEAVES)
SIZES = (1, 2, 3, 7, 255, 256, 257, 300, 511, 512, 513, 699, 700)


def test_a_tree_of_70000_leaves_has_the_tiles_that_the_specification_counts() -> None:
    tiles = list(grown(0, 70_000))

    assert tiles == [
        *(Tile(0, index, 256) for index in range(273)),
        Tile(0, 273, 112),
        Tile(1, 0, 256),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]


def test_256_leaves_are_a_full_tile_and_one_hash_above_it() -> None:
    assert list(grown(0, 256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(grown(0, 255)) == [Tile(0, 0, 255)]
    assert list(grown(0, 0)) == []


@given(st.integers(0, 200_000), st.integers(0, 3_000))
def test_between_two_sizes_those_tiles_are_new_that_the_first_has_not(first: int, more: int) -> None:
    before, after = set(grown(0, first)), list(grown(0, first + more))

    assert list(grown(first, first + more)) == [tile for tile in after if tile not in before]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(0, 999, 256), "tile/0/999"),
        (Tile(1, 1000, 256), "tile/1/x001/000"),
        (Tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (Tile(63, 273, 112), "tile/63/273.p/112"),
        (Tile(2, 5, 1), "tile/2/005.p/1"),
        (Tile(0, 2**56, 255), "tile/0/x072/x057/x594/x037/x927/936.p/255"),
    ],
)
def test_a_path_names_one_tile_and_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert tile_at(path) == tile


@given(st.integers(0, 63), st.integers(0, 2**64), st.integers(1, 256))
def test_every_tile_is_found_by_its_path(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)

    assert tile_at(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        *("", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/000", "tile/0/x000/x001/000"),
        *("tile/00/000", "tile/01/000", "tile/64/000", "tile/-1/000", "tile/0/001/000", "tile/0/x001"),
        *("tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p"),
        *("/tile/0/000", "tile/0/000/", "tile/0/000\n", " tile/0/000", "tile/0//000", "tile/0/x001//000"),
        *(
            "tile/0/\u0660\u0660\u0660",
            "tile/\u0660/000",
            "tile/0/000.p/\u0661",
            "tile/0/+00",
            "TILE/0/000",
            "tile/0/X001/000",
        ),
        *("tile/entries/000", "tile/0/../0/000", "tile/0/000.p/1/..", "tile/0/" + "x001/" * 7 + "000"),
    ],
)
def test_a_path_in_any_other_form_is_refused(path: str) -> None:
    with pytest.raises(Refusal) as caught:
        tile_at(path)

    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "TILE_PATH_MALFORMED")


@pytest.mark.parametrize("at_once", [1, 7, 256, 300, 700])
def test_tiles_hold_the_hashes_of_the_definition_however_the_leaves_came(at_once: int) -> None:
    log = ALog(LEAVES, at_once=at_once)

    for tile in grown(0, 700):
        span = 256**tile.level
        first = tile.index * 256
        expected = [DEFINITION.mth(at * span, (at + 1) * span) for at in range(first, first + tile.width)]
        assert log.tiles[tile] == b"".join(expected), tile


def test_what_is_built_between_two_sizes_are_the_tiles_that_are_new() -> None:
    for first in SIZES:
        for second in SIZES:
            if first <= second:
                log = ALog(LEAVES[:first])
                hashes = [leaf_hash(leaf) for leaf in LEAVES[first:second]]

                made = dict(built(first, hashes, log.tiles.__getitem__))

                assert sorted(made, key=repr) == sorted(grown(first, second), key=repr)


def test_the_root_from_tiles_is_that_of_the_compact_range_at_every_size() -> None:
    log, tree = ALog(LEAVES, at_once=1), CompactRange()

    for size, leaf in enumerate(LEAVES):
        assert root_from_tiles(size, log.tiles.__getitem__) == tree.root()
        tree = tree.extended([leaf_hash(leaf)])

    assert root_from_tiles(0, log.tiles.__getitem__) == EMPTY_ROOT


def test_both_ways_to_the_root_agree_over_three_levels_of_tiles() -> None:
    leaves = some_leaves(66_000)
    log = ALog(leaves, at_once=13_000)
    tree = CompactRange().extended([leaf_hash(leaf) for leaf in leaves])

    assert root_from_tiles(66_000, log.tiles.__getitem__) == tree.root() == log.root(66_000)
    assert max(tile.level for tile in log.tiles) == 2


def test_a_flipped_bit_in_a_tile_of_the_edge_parts_the_two_ways() -> None:
    log = ALog(LEAVES)
    whole = root_from_tiles(700, log.tiles.__getitem__)
    tile = Tile(0, 2, 188)
    damaged = bytearray(log.tiles[tile])
    damaged[-1] ^= 1

    log.tiles[tile] = bytes(damaged)

    assert root_from_tiles(700, log.tiles.__getitem__) != whole


def test_every_node_of_a_tree_is_read_from_its_tiles() -> None:
    for size in SIZES:
        log = ALog(LEAVES[:size])
        hash_of = hashes_in(size, log.tiles.__getitem__)
        for level in range(size.bit_length()):
            for index in range(size >> level):
                expected = DEFINITION.mth(index << level, (index + 1) << level)
                assert hash_of(Node(level, index)) == expected


def test_a_node_is_in_a_tile_that_its_tree_has() -> None:
    assert tile_with(Node(0, 256), 257) == Tile(0, 1, 1)
    assert tile_with(Node(7, 1), 257) == Tile(0, 0, 256)
    assert tile_with(Node(8, 0), 257) == Tile(1, 0, 1)


@pytest.mark.parametrize("node", [Node(0, 700), Node(1, 350), Node(9, 1), Node(10, 0), Node(40, 0)])
def test_a_node_that_a_tree_has_not_is_refused(node: Node) -> None:
    log = ALog(LEAVES)

    with pytest.raises(Refusal) as caught:
        hashes_in(700, log.tiles.__getitem__)(node)

    assert (caught.value.kind, caught.value.reason) == (Kind.INTERNAL, "LOG_DAMAGED")


@pytest.mark.parametrize("content", [b"", bytes(188 * 32 - 1), bytes(188 * 32 + 32)])
def test_a_tile_that_has_not_its_length_is_refused(content: bytes) -> None:
    log = ALog(LEAVES)
    log.tiles[Tile(0, 2, 188)] = content

    for use in (
        lambda: root_from_tiles(700, log.tiles.__getitem__),
        lambda: list(built(700, [bytes(32)], log.tiles.__getitem__)),
        lambda: log.root(700),
    ):
        with pytest.raises(Refusal) as caught:
            use()
        assert caught.value.reason == "LOG_DAMAGED"
