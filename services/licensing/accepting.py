"""An operator accepts that licensing's database was restored from a backup (R5).

The log neither forks nor shrinks: the database takes over the leaves that it has lost from the folder, which
is believed only as far as a checkpoint under the log's own keys reaches, and only where the tree that the
database has signed grows into exactly that one. Numbers go on behind it, in a new epoch. All of it is one
transaction: killed anywhere, the command is given again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal, precondition
from services.licensing.domain.log.growth import (
    EMPTY,
    Growth,
    Head,
    NumberedReceipt,
    Place,
    Signed,
    edge_of,
    grown_with,
)
from services.licensing.domain.log.notes import Checkpoint
from services.licensing.domain.log.tiles import FULL, Tile
from services.licensing.domain.log.trees import receipt_leaf_hash
from services.licensing.domain.merkle import HASH_BYTES
from services.licensing.domain.restores import AcceptedRestore, accepted

LEAVES_AT_ONCE = 16 * FULL
"""In one growth: 128 KiB to read."""

T = TypeVar("T")


class Rows(Protocol):
    """The log and the head row inside one transaction."""

    def lock_head(self) -> tuple[int, int]: ...
    def newest(self) -> Signed | None: ...
    def signed_at(self, size: int) -> Signed | None: ...
    def tiles(self, places: Sequence[Place]) -> Mapping[Place, bytes]: ...
    def receipts(self, after: int, until: int) -> Sequence[NumberedReceipt]: ...
    def grow(self, growth: Growth) -> None: ...
    def sign(self, signed: Signed) -> None: ...
    def begin_epoch(self, restore: AcceptedRestore) -> None: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...


class Folder(Protocol):
    """What others were shown. It blocks, and raises OSError."""

    def note(self) -> bytes | None: ...
    def tile(self, tile: Tile) -> bytes: ...


class Reader(Protocol):
    """Whom a note has to convince."""

    def checkpoint(self, note: bytes) -> Checkpoint: ...


@dataclass(frozen=True)
class _Shown:
    """What the folder shows."""

    note: bytes
    head: Head


class Acceptance:
    """Brings a restored database back into use, once."""

    def __init__(self, store: Store, folder: Folder, reader: Reader, clock: Clock) -> None:
        """Nobody else may be using the database."""
        self._store = store
        self._folder = folder
        self._reader = reader
        self._clock = clock

    async def accept(self, by: str, reason: str) -> AcceptedRestore:
        """Takes over what was lost, and begins the next epoch.

        Raises Refusal (precondition): LOG_FOLDER_UNREADABLE, LOG_FOLDER_FOREIGN, LOG_FOLDER_ALTERED;
        NOT_RESTORED where the database has signed what the folder shows, or the folder shows nothing;
        RESTORE_DIVERGES where it has signed or decided something else; internal (LOG_DAMAGED); unavailable.
        """
        try:
            shown = await asyncio.to_thread(self._shown)
            return await self._store.write(lambda rows: self._accept(rows, shown, by, reason))
        except OSError as error:
            raise _unreadable("it cannot be read") from error

    def _shown(self) -> _Shown:
        note = self._folder.note()
        if note is None:
            message = "the folder of the log shows nothing that the database could be compared with"
            raise precondition("NOT_RESTORED", message)
        checkpoint = self._reader.checkpoint(note)
        return _Shown(note, Head(checkpoint.size, checkpoint.root))

    def _accept(self, rows: Rows, shown: _Shown, by: str, reason: str) -> AcceptedRestore:
        epoch, next_number = rows.lock_head()
        before = _standing(rows, shown.head)
        if self._taken_over(rows, before, shown.head.size) != shown.head:
            raise _diverges("its log does not grow into the one in the folder")
        now_us = self._clock.now_us()
        rows.sign(Signed(shown.head, shown.note, now_us))
        restore = accepted(epoch, next_number, shown.head.size, accepted_at_us=now_us, by=by, reason=reason)
        rows.begin_epoch(restore)
        return restore

    def _taken_over(self, rows: Rows, before: Head, size: int) -> Head:
        """Stores the tiles of the first `size` leaves; the head that they really have."""
        # Parts that end with a tile are read once; the transaction is undone if the root is another one.
        ends = range((before.size // LEAVES_AT_ONCE + 1) * LEAVES_AT_ONCE, size, LEAVES_AT_ONCE)
        for start, end in pairwise([before.size, *ends, size]):
            leaves = self._leaves(start, end, size)
            _check_receipts(rows.receipts(start, end), start, leaves)
            edge = rows.tiles([(tile.level, tile.index) for tile in edge_of(start)])
            growth = grown_with(before, leaves, leaves, edge)
            rows.grow(growth)
            before = growth.head
        return before

    def _leaves(self, start: int, end: int, size: int) -> list[bytes]:
        """The leaf hashes [start, end) of the folder's tree of `size` leaves."""
        content = bytearray()
        first = start // FULL
        for index in range(first, -(-end // FULL)):
            tile = Tile(0, index, min(FULL, size - index * FULL))
            hashes = self._folder.tile(tile)
            if len(hashes) != tile.width * HASH_BYTES:
                raise _unreadable(f"{tile.path()} is {len(hashes)} bytes long")
            content += hashes
        at = range((start - first * FULL) * HASH_BYTES, (end - first * FULL) * HASH_BYTES, HASH_BYTES)
        return [bytes(content[place : place + HASH_BYTES]) for place in at]


def _standing(rows: Rows, shown: Head) -> Head:
    """What the database has signed last, where that is less than what was shown."""
    signed = rows.signed_at(shown.size)
    if signed is not None and signed.head == shown:
        message = "the database has signed what the folder of the log shows: it has lost nothing of that"
        raise precondition("NOT_RESTORED", message)
    newest = rows.newest()
    before = newest.head if newest else EMPTY
    if before.size >= shown.size:
        raise _diverges("it has signed another log since")
    return before


def _check_receipts(receipts: Sequence[NumberedReceipt], start: int, leaves: Sequence[bytes]) -> None:
    """What the database decided and had not signed when it was copied must be what was published later."""
    for each in receipts:
        if receipt_leaf_hash(each.receipt) != leaves[each.number - 1 - start]:
            raise _diverges(f"its receipt {each.number} is not the one that was published")


def _diverges(how: str) -> Refusal:
    message = f"the database is no earlier state of the one that wrote the folder of the log: {how}"
    return precondition("RESTORE_DIVERGES", message)


def _unreadable(what: str) -> Refusal:
    return precondition("LOG_FOLDER_UNREADABLE", f"the folder of the log: {what}")


def words(restore: AcceptedRestore) -> str:
    """What was done, and what it means, for whoever gave the command."""
    lost = restore.lost
    if lost is None:
        extent = "Every receipt that was published is there."
    elif lost.first == lost.last:
        extent = f"Receipt {lost.first:,} was published and is lost; the log still has its leaf."
    else:
        those = f"Receipts {lost.first:,} to {lost.last:,}"
        extent = f"{those} were published and are lost; the log still has their leaves."
    return (
        f"Epoch {restore.epoch} of licensing has begun. {extent}\n"
        "Start licensing again. docs/log.md says what becomes of what was lost."
    )
