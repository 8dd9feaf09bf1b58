"""The tree as tiles, https://c2sp.org/tlog-tiles: files of 256 hashes that never change once they are full.

The n-th tile of level l holds the nodes [256 n, 256 (n + 1)) of level 8 l. The last tile of a level can be
partial, and is not hashed into the level above. Roots are computed here level by level, out of the tiles
alone: another way than `trees.CompactRange`, so that one slip or flipped bit cannot make both agree.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.chassis.refusals import Kind, Refusal, invalid
from services.licensing.domain.log.trees import Hashes, Node
from services.licensing.domain.merkle import EMPTY_ROOT, HASH_BYTES, root_of

HEIGHT = 8
FULL = 1 << HEIGHT
"""Hashes in a full tile."""

# The numbers of the specification: levels to 63, widths to 255, indexes in groups of three digits. Seven
# groups are more than a tree of 2^64 leaves needs, and keep a path short.
_PATH = re.compile(r"tile/([0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")
_LAST_LEVEL = 63


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile by its place and its width."""

    level: int
    index: int
    width: int
    """Hashes, 1 to 256; under 256 the tile is partial."""

    def path(self) -> str:
        """Where the tile is, below the prefix of the log: "tile/0/x001/234" or "tile/1/000.p/17"."""
        groups = [f"{self.index % 1000:03}"]
        above = self.index // 1000
        while above:
            groups.append(f"x{above % 1000:03}")
            above //= 1000
        partial = f".p/{self.width}" if self.width < FULL else ""
        return f"tile/{self.level}/{'/'.join(reversed(groups))}{partial}"


Tiles = Callable[[Tile], bytes]
"""Reads the content of a tile, 32 bytes for each hash."""


def tile_at(path: str) -> Tile:
    """The tile with this path; raises Refusal (invalid, TILE_PATH_MALFORMED) for all but its one form."""
    match = _PATH.fullmatch(path)
    if match:
        level, groups, width = match.groups()
        tile = Tile(int(level), int(re.sub("[x/]", "", groups)), FULL if width is None else int(width))
        if tile.level <= _LAST_LEVEL and 1 <= tile.width <= FULL and tile.path() == path:
            return tile
    raise invalid("TILE_PATH_MALFORMED", "not the path of a tile", field="path")


def grown(first: int, second: int) -> Iterator[Tile]:
    """The tiles of a tree of `second` leaves that one of `first` does not have, the lowest level first.

    From 0 these are all there are. A tile that was partial and has more hashes now is among them.
    """
    level, before, after = 0, first, second
    while after > before:
        for index in range(before // FULL, -(-after // FULL)):
            yield Tile(level, index, min(FULL, after - index * FULL))
        level, before, after = level + 1, before // FULL, after // FULL


def built(size: int, leaf_hashes: Sequence[bytes], tiles: Tiles) -> Iterator[tuple[Tile, bytes]]:
    """The tiles of `grown` with their content, for a tree of `size` leaves that gets these after its last.

    `tiles` reads the partial tiles of the tree of `size` leaves, at most one a level. Raises Refusal
    (internal, LOG_DAMAGED).
    """
    level, before, added = 0, size, list(leaf_hashes)
    while added:
        index, kept = divmod(before, FULL)
        hashes = _read(Tile(level, index, kept), tiles) + added if kept else added
        added = []
        for start in range(0, len(hashes), FULL):
            content = hashes[start : start + FULL]
            yield Tile(level, index + start // FULL, len(content)), b"".join(content)
            if len(content) == FULL:
                added.append(root_of(content))
        level, before = level + 1, index


def root_from_tiles(size: int, tiles: Tiles) -> bytes:
    """The root, 32 bytes, of a tree of `size` leaves, out of its partial tiles: at most one a level.

    Raises Refusal (internal, LOG_DAMAGED).
    """
    level, count, below = 0, size, list[bytes]()
    while count:
        index, width = divmod(count, FULL)
        row = _read(Tile(level, index, width), tiles) if width else []
        # What the levels below could not complete stands at the end of this one, as one incomplete subtree.
        below = [root_of(row + below)] if row or below else []
        level, count = level + 1, index
    return below[0] if below else EMPTY_ROOT


def tile_with(node: Node, size: int) -> Tile:
    """The tile that the hash of `node` is read or computed from, in a tree of `size` leaves that has it."""
    level, below = divmod(node.level, HEIGHT)
    index = (node.index << below) // FULL
    return Tile(level, index, min(FULL, (size >> HEIGHT * level) - index * FULL))


def hashes_in(size: int, tiles: Tiles) -> Hashes:
    """Reads the nodes of a tree of `size` leaves out of its tiles.

    The reader raises Refusal (internal, LOG_DAMAGED) for a tile that has not its length, and for a node that
    the tree has not.
    """

    def hash_of(node: Node) -> bytes:
        tile, wide = tile_with(node, size), 1 << node.level % HEIGHT
        first = node.index * wide - tile.index * FULL
        if first + wide > tile.width:
            raise _damaged(f"{node} is not in a tree of {size} leaves")
        return root_of(_read(tile, tiles)[first : first + wide])

    return hash_of


def _read(tile: Tile, tiles: Tiles) -> list[bytes]:
    content = tiles(tile)
    if len(content) != tile.width * HASH_BYTES:
        raise _damaged(f"{tile.path()} is {len(content)} bytes long")
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]


def _damaged(message: str) -> Refusal:
    return Refusal(Kind.INTERNAL, "LOG_DAMAGED", message)
