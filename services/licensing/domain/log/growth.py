"""The next checkpoint of the log, computed and doubted before anyone signs it (R2).

The root is computed twice, by different code and from leaf hashes of its own, and so is what the tree is
said to have been: one flipped bit, wherever it is, makes them differ, and nothing is signed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.log.tiles import FULL, Tile, Tiles, built, hashes_in, root_from_tiles
from services.licensing.domain.log.trees import CompactRange, nodes_over, receipt_leaf_hash
from services.licensing.domain.merkle import EMPTY_ROOT, HASH_BYTES

Place = tuple[int, int]
"""Level and index of a tile, whatever its width."""


@dataclass(frozen=True)
class Head:
    """What a log has committed itself to."""

    size: int
    """Leaves."""
    root: bytes
    """32 bytes."""


EMPTY = Head(0, EMPTY_ROOT)


@dataclass(frozen=True)
class Signed:
    """A checkpoint as it was signed."""

    head: Head
    note: bytes
    published_at_us: int


@dataclass(frozen=True)
class NumberedReceipt:
    """A receipt as the log takes it."""

    number: int
    """From 1, in commit order."""
    receipt: str
    """The compact JWS."""


@dataclass(frozen=True)
class Growth:
    """A head that may be signed, and the tiles that come with it."""

    before: Head
    """What was signed last; the growth is of no use after any other."""
    head: Head
    tiles: tuple[tuple[Tile, bytes], ...]
    """Those that are new or have more hashes than before."""


def edge_of(size: int) -> Iterator[Tile]:
    """The partial tiles of a tree of `size` leaves, at most one a level: all that its growth reads."""
    level, count = 0, size
    while count:
        index, width = divmod(count, FULL)
        if width:
            yield Tile(level, index, width)
        level, count = level + 1, index


def reader_of(contents: Mapping[Place, bytes]) -> Tiles:
    """Reads tiles out of those that were fetched, which may have grown meanwhile: their first hashes stay."""

    def read(tile: Tile) -> bytes:
        # One that is missing has no length either, and whoever reads it says so.
        return contents.get((tile.level, tile.index), b"")[: tile.width * HASH_BYTES]

    return read


def whole_tiles(tiles: Iterable[Tile], contents: Mapping[Place, bytes]) -> list[tuple[Tile, bytes]]:
    """Tiles with their content, for others to copy; raises Refusal (internal, LOG_DAMAGED) for short ones."""
    read = reader_of(contents)
    found = [(tile, read(tile)) for tile in tiles]
    for tile, content in found:
        if len(content) != tile.width * HASH_BYTES:
            raise _damaged(f"{tile.path()} is {len(content)} bytes long")
    return found


def grown_by(before: Head, receipts: Sequence[NumberedReceipt], edge: Mapping[Place, bytes]) -> Growth:
    """The log with these receipts after the last; `edge` has the tiles of `edge_of` its size.

    Raises Refusal (internal, LOG_DAMAGED) where the tiles are not those of `before`, a number is missing, or
    the two ways to the new root differ.
    """
    _check_numbers(before.size, receipts)
    leaves = [receipt_leaf_hash(each.receipt) for each in receipts]
    # Hashed once more: a leaf that was hashed wrong would be wrong in both.
    return grown_with(before, leaves, (receipt_leaf_hash(each.receipt) for each in receipts), edge)


def grown_with(
    before: Head, leaves: Sequence[bytes], again: Iterable[bytes], edge: Mapping[Place, bytes]
) -> Growth:
    """The log with these leaf hashes, 32 bytes each, after the last; `again` are the same, for the other way.

    Raises Refusal (internal, LOG_DAMAGED) as `grown_by`.
    """
    tiles = reader_of(edge)
    hashes = hashes_in(before.size, tiles)
    compact = CompactRange(before.size, tuple(map(hashes, nodes_over(0, before.size))))
    if compact.root() != before.root:
        raise _damaged(f"the tiles have another root for {before.size} leaves than was signed")
    new = tuple(built(before.size, leaves, tiles))
    compact = compact.extended(again)
    after = {**edge, **{(tile.level, tile.index): content for tile, content in new}}
    if root_from_tiles(compact.size, reader_of(after)) != compact.root():
        raise _damaged(f"two ways to the root of {compact.size} leaves lead to different ones")
    return Growth(before, Head(compact.size, compact.root()), new)


def _check_numbers(size: int, receipts: Sequence[NumberedReceipt]) -> None:
    for number, each in enumerate(receipts, size + 1):
        if each.number != number:
            raise _damaged(f"receipt {number} is missing")


def _damaged(message: str) -> Refusal:
    return Refusal(Kind.INTERNAL, "LOG_DAMAGED", message)
