"""An operator accepts that licensing's database was restored from a backup (R5).

Two things show that it was: the head that is kept outside, and the folder of the log. The log neither forks
nor shrinks: the database takes over the leaves that it has lost from the folder, which is believed only as
far as a checkpoint under the log's own keys reaches, and only where the tree that the database has signed
grows into exactly that one. Numbers go on behind it, in a new epoch. All of it is one transaction: killed
anywhere, the command is given again.

A folder that is lost is written again from a database that nothing shows to be older, and only where the
operator says so.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal, precondition
from services.chassis.restores import Acceptance as Spoken
from services.chassis.restores import Restore
from services.licensing import publishing
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
from services.licensing.restores import LOG_FOLDER_EMPTY

FOLDER_LOST = "log-folder-lost"
"""The switch with which an operator says so."""
FOLDER_LOST_HELP = "the folder of the log is lost, with all its copies, and this is the newest database"
LEAVES_AT_ONCE = 16 * FULL
"""In one growth: 128 KiB to read."""

T = TypeVar("T")


class Rows(Protocol):
    """The log and the head row inside one transaction."""

    def lock_head(self) -> int: ...
    def is_behind(self) -> bool: ...
    def was_log_shown(self) -> bool: ...
    def note_log_shown(self) -> None: ...
    def newest(self) -> Signed | None: ...
    def signed_at(self, size: int) -> Signed | None: ...
    def tiles(self, places: Sequence[Place]) -> Mapping[Place, bytes]: ...
    def receipts(self, after: int, until: int) -> Sequence[NumberedReceipt]: ...
    def grow(self, growth: Growth) -> None: ...
    def sign(self, signed: Signed) -> None: ...
    def begin_epoch(self, acceptance: Spoken, now_us: int, *, refused_anyway: bool) -> Restore: ...
    def record(self, restore: AcceptedRestore) -> None: ...


class Store(Protocol):
    """Where the rows are, and the head outside."""

    async def accept(self, unit: Callable[[Rows], T]) -> T: ...


class Folder(publishing.Folder, Protocol):
    """What others were shown. It blocks, and raises OSError."""

    def note(self) -> bytes | None: ...
    def tile(self, tile: Tile) -> bytes: ...


class Reader(Protocol):
    """Whom a note has to convince."""

    def checkpoint(self, note: bytes) -> Checkpoint: ...
    def is_vouched_for(self, note: bytes) -> bool: ...


@dataclass(frozen=True)
class _Shown:
    """What the folder shows."""

    note: bytes
    head: Head
    is_vouched_for: bool
    """Whether a key has signed it that nobody else has."""


@dataclass(frozen=True)
class _Standing:
    """What the log says of the database."""

    published: int
    """Leaves that others were shown."""
    refuses: bool
    """Whether licensing does not start as things are."""
    is_lost: bool = False
    """Whether the folder is."""


@dataclass(frozen=True)
class Accepted:
    """What was accepted."""

    restore: Restore
    of_log: AcceptedRestore
    folder_was_lost: bool


class Acceptance:
    """Brings a restored database back into use, once."""

    def __init__(
        self, store: Store, log: publishing.Log, folder: Folder, reader: Reader, clock: Clock
    ) -> None:
        """Nobody else may be using the database. `log` is what it has of the log."""
        self._store = store
        self._log = log
        self._folder = folder
        self._reader = reader
        self._clock = clock

    async def accept(self, acceptance: Spoken) -> Accepted:
        """Takes over what was lost, and begins the next epoch.

        Raises Refusal (precondition): LOG_FOLDER_UNREADABLE, LOG_FOLDER_FOREIGN, LOG_FOLDER_ALTERED;
        LOG_FOLDER_EMPTY, where it shows nothing and had shown something, unless the operator says that it is
        lost (FOLDER_LOST) and nothing shows the database to be older; LOG_FOLDER_THERE where that is not so;
        NOT_RESTORED where nothing refuses the database; RESTORE_DIVERGES where it has signed or decided
        something else than was published; HEAD_OF_ANOTHER_SERVICE, HEAD_UNREADABLE, HEAD_UNWRITABLE; internal
        (LOG_DAMAGED); unavailable.
        """
        try:
            shown = await asyncio.to_thread(self._shown)
            accepted = await self._store.accept(lambda rows: self._accept(rows, shown, acceptance))
        except OSError as error:
            raise _unreadable("it cannot be read") from error
        if accepted.folder_was_lost:
            await self._write_folder()
        return accepted

    def _shown(self) -> _Shown | None:
        note = self._folder.note()
        if note is None:
            return None
        checkpoint = self._reader.checkpoint(note)
        return _Shown(note, Head(checkpoint.size, checkpoint.root), self._reader.is_vouched_for(note))

    def _accept(self, rows: Rows, shown: _Shown | None, acceptance: Spoken) -> Accepted:
        next_number, now_us = rows.lock_head(), self._clock.now_us()
        if shown is None:
            standing = _without_folder(rows, FOLDER_LOST in acceptance.switches)
        elif FOLDER_LOST in acceptance.switches:
            message = "the folder of the log has a checkpoint: it is not lost, and is believed"
            raise precondition("LOG_FOLDER_THERE", message)
        else:
            standing = self._with_folder(rows, shown, now_us)
            # The copy may be from the moment between: shown already, and not yet on record as shown.
            rows.note_log_shown()
        restore = rows.begin_epoch(acceptance, now_us, refused_anyway=standing.refuses)
        by, why = acceptance.by, acceptance.reason
        of_log = accepted(
            restore.epoch, next_number, standing.published, accepted_at_us=now_us, by=by, reason=why
        )
        rows.record(of_log)
        return Accepted(restore, of_log, standing.is_lost)

    def _with_folder(self, rows: Rows, shown: _Shown, now_us: int) -> _Standing:
        size = shown.head.size
        signed = rows.signed_at(size)
        if signed is not None and signed.head == shown.head:
            return _Standing(size, refuses=False)
        if not shown.is_vouched_for:
            message = "only a key that was revoked has signed what it shows: nothing is taken over from it"
            raise precondition("LOG_FOLDER_FOREIGN", message)
        newest = rows.newest()
        before = newest.head if newest else EMPTY
        if before.size >= size:
            raise _diverges("it has signed another log since")
        if self._taken_over(rows, before, size) != shown.head:
            raise _diverges("its log does not grow into the one in the folder")
        rows.sign(Signed(shown.head, shown.note, now_us))
        return _Standing(size, refuses=True)

    async def _write_folder(self) -> None:
        """Killed here, the command is given again: licensing does not start without the folder."""
        newest = await self._log.newest()
        assert newest is not None, "what was shown was signed"
        try:
            await publishing.copy(self._log, self._folder, 0, newest)
        except OSError as error:
            message = (
                "an epoch has begun, and the folder of the log cannot be written: free the way to log_dir,"
            )
            raise precondition("LOG_FOLDER_UNREADABLE", f"{message} and accept once more") from error

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


def _without_folder(rows: Rows, is_lost: bool) -> _Standing:
    """What a folder that shows nothing says; `is_lost` is what the operator does."""
    newest = rows.newest()
    if newest is None or not rows.was_log_shown():
        return _Standing(newest.head.size if newest else 0, refuses=False)
    if not is_lost:
        message = (
            "the folder of the log has no checkpoint, and had one: put it back, or a copy that somebody"
            f" keeps; if all are lost and this is the newest database that there was, say --{FOLDER_LOST}"
        )
        raise precondition(LOG_FOLDER_EMPTY, message)
    if rows.is_behind():
        message = (
            "the database is an older one, and without the folder nobody knows which receipts it has lost:"
            " the log would sign again, and otherwise, what it has signed; put the folder back, or a copy"
        )
        raise precondition(LOG_FOLDER_EMPTY, message)
    return _Standing(newest.head.size, refuses=True, is_lost=True)


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


def words(accepted: Accepted) -> str:
    """What was done, and what it means, for whoever gave the command."""
    lost = accepted.of_log.lost
    if accepted.folder_was_lost:
        extent = "The folder of the log is written again, from what the database has."
    elif lost is None:
        extent = "Every receipt that was published is there."
    elif lost.first == lost.last:
        extent = f"Receipt {lost.first:,} was published and is lost; the log still has its leaf."
    else:
        those = f"Receipts {lost.first:,} to {lost.last:,}"
        extent = f"{those} were published and are lost; the log still has their leaves."
    return (
        f"Epoch {accepted.restore.epoch} of licensing has begun. {extent}\n"
        "Licenses, suspensions, API keys, settlements, recalls and invoices are those of the backup. Order a"
        " halt of everything\nbefore you start licensing again; lift it when you have suspended and revoked"
        " what was suspended and revoked since.\n"
        "docs/restores.md says what to bring in again, and docs/log.md what becomes of what was lost."
    )
