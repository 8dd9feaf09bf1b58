"""The log as files, https://c2sp.org/tlog-tiles: what others copy, and what the database is compared with.

Every file is whole and durable before the checkpoint that names it is there, and the checkpoint never goes
back. Processes that share the folder write it one after the other; the kernel lets go of the lock when one of
them dies.
"""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.chassis import file_locks
from services.chassis.refusals import Refusal, precondition
from services.chassis.whole_files import sync_folder, write_file
from services.licensing.domain.log.notes import parse_checkpoint, parse_note
from services.licensing.domain.log.tiles import FULL, Tile
from services.licensing.domain.merkle import HASH_BYTES

MODE = 0o644
CHECKPOINT = "checkpoint"
LOCK_SECONDS = 5.0
"""Others hold it for a few files; one that was stopped while it held it keeps nobody from ending."""
_DRAFT = ".draft"
_LOCK = ".lock"


class LogFolder:
    """Satisfies `publishing.Folder`; every call may raise OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def note(self) -> bytes | None:
        """The checkpoint there as it is, whoever wrote it; None where there is none."""
        try:
            return (self._root / CHECKPOINT).read_bytes()
        except FileNotFoundError:
            return None

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile, 32 bytes each, fewer where the file has fewer; raises OSError."""
        path = self._root / tile.path()
        if tile.width < FULL and not path.exists():
            # It has become a full one, for a checkpoint that never came here.
            path = self._root / Tile(tile.level, tile.index, FULL).path()
        return path.read_bytes()[: tile.width * HASH_BYTES]

    def add(self, tiles: Sequence[tuple[Tile, bytes]]) -> None:
        """Writes tiles; durable when this returns. Of a tile that is full now, the partial ones go."""
        with self._alone():
            folders = set[Path]()
            for tile, content in tiles:
                path = self._root / tile.path()
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, content, MODE, self._root / _DRAFT)
                folders.update(folder for folder in path.parents if folder.is_relative_to(self._root))
            for folder in folders:
                sync_folder(folder)
            for tile, _ in tiles:
                partial = self._root / f"{tile.path()}.p"
                if tile.width == FULL and partial.exists():
                    shutil.rmtree(partial)

    def publish(self, size: int, note: bytes) -> None:
        """Puts the checkpoint of `size` leaves there, unless a later one is there already.

        Raises Refusal (precondition, LOG_FOLDER_UNREADABLE) where what is there is no checkpoint.
        """
        with self._alone():
            there = self.note()
            if there is None or _size_of(there) < size:
                write_file(self._root / CHECKPOINT, note, MODE, self._root / _DRAFT)
                sync_folder(self._root)

    def renew(self, size: int, note: bytes) -> None:
        """Puts another note of the same checkpoint in the place of the one there, unless that has grown.

        Raises as `publish`.
        """
        with self._alone():
            there = self.note()
            if there is not None and _size_of(there) == size:
                write_file(self._root / CHECKPOINT, note, MODE, self._root / _DRAFT)
                sync_folder(self._root)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / _LOCK).open("a", encoding="ascii") as lock:
            file_locks.take(lock, "the folder of the log", within_seconds=LOCK_SECONDS)
            yield


def _size_of(note: bytes) -> int:
    try:
        return parse_checkpoint(parse_note(note).text).size
    except Refusal as refusal:
        raise precondition("LOG_FOLDER_UNREADABLE", "the folder of the log has no checkpoint") from refusal
