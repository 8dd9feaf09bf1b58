"""Computes a whole log again from a copy of its tiles (https://c2sp.org/tlog-tiles), as a monitor does."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.checkpoints import Checkpoint, Log, verify_checkpoint
from sluice_gate.verifying.trees import HASH_BYTES, tree_hash

FULL = 256
"""Hashes in a full tile."""

Tell = Callable[[str, int, int], None]
"""Is told what is going on, how much of it is done, and of how much."""


def _silent(step: str, done: int, of: int) -> None:
    """Nobody wants to know."""


def verify_log_folder(folder: Path, log: Log, tell: Tell = _silent) -> Checkpoint:
    """The checkpoint in `folder`, after every tile below it was computed again from the leaves.

    Raises VerificationError, and OSError where a file is not there.
    """
    checkpoint = verify_checkpoint((folder / "checkpoint").read_bytes(), log)
    if recomputed_root(folder, checkpoint.size, tell) != checkpoint.root:
        raise VerificationError("ROOT_DIFFERS", "the leaves have another root than the checkpoint")
    return checkpoint


def verify_kept(folder: Path, shown: Checkpoint, note: bytes, log: Log) -> Checkpoint:
    """The earlier checkpoint that `note` is, after its root was computed from the leaves of a later copy.

    `shown` is what `verify_log_folder` gave for the folder: nothing up to the earlier one was changed or
    taken away since. Raises VerificationError, and OSError where a file is not there.
    """
    kept = verify_checkpoint(note, log)
    if kept.size > shown.size:
        raise VerificationError("CHECKPOINT_NEWER", "the checkpoint that was kept is over more leaves")
    leaves = (
        _tile(folder, 0, index, min(FULL, shown.size - index * FULL))[:width]
        for index, width in _row(kept.size)
    )
    if tree_hash([tree_hash(tile) for tile in leaves]) != kept.root:
        raise VerificationError("HISTORY_DIFFERS", f"the first {kept.size} leaves are not those signed then")
    return kept


def recomputed_root(folder: Path, size: int, tell: Tell = _silent) -> bytes:
    """The root, 32 bytes, of the first `size` leaves in the tiles of `folder`.

    The tiles above the leaves are compared with what they should be: proofs are made from them. Raises
    VerificationError, and OSError where a file is not there.
    """
    # A tile is a subtree of 256 leaves; the tree over the tiles splits where the tree over the leaves does.
    roots = []
    for index, width in _row(size):
        roots.append(tree_hash(_tile(folder, 0, index, width)))
        tell("computing the tree from its leaves", index * FULL + width, size)
    _check_above(folder, roots[: size // FULL])
    return tree_hash(roots)


def leaf_at(folder: Path, size: int, index: int) -> bytes:
    """The hash of a leaf, 32 bytes, in a copy of a log of `size` leaves; raises as `recomputed_root`."""
    tile, place = divmod(index, FULL)
    return _tile(folder, 0, tile, min(FULL, size - tile * FULL))[place]


def _check_above(folder: Path, expected: list[bytes]) -> None:
    level = 1
    while expected:
        complete = []
        for index, width in _row(len(expected)):
            hashes = _tile(folder, level, index, width)
            if hashes != expected[index * FULL : index * FULL + width]:
                raise VerificationError("TILE_DIFFERS", f"{_path(level, index)} is not over the tiles below")
            if width == FULL:
                complete.append(tree_hash(hashes))
        level, expected = level + 1, complete


def _row(hashes: int) -> Iterator[tuple[int, int]]:
    """Index and width of each tile of a level with so many hashes."""
    for index in range(-(-hashes // FULL)):
        yield index, min(FULL, hashes - index * FULL)


def _tile(folder: Path, level: int, index: int, width: int) -> list[bytes]:
    """The first `width` hashes of a tile."""
    full = folder / _path(level, index)
    partial = full.with_name(f"{full.name}.p") / str(width)
    content, length = b"", FULL
    if width < FULL:
        # A log may drop a partial tile at any moment once the full one is there, which begins with the same.
        with contextlib.suppress(FileNotFoundError):
            content, length = partial.read_bytes(), width
    if length == FULL:
        content = full.read_bytes()
    if len(content) != length * HASH_BYTES:
        raise VerificationError("TILE_MALFORMED", f"{_path(level, index)} is {len(content)} bytes long")
    return [content[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def _path(level: int, index: int) -> str:
    """Groups of three digits, with an x before all but the last."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *groups, last = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["tile", str(level), *(f"x{group}" for group in groups), last])
