"""Publishes the log: signs what it has become, and puts it where the database is not (R2, R5).

A head is signed inside the transaction that stores it, while the head row is locked and after the head before
it was read there: so whichever process is ahead, no size is signed after a larger one, and none with two
roots. The newest is signed again, the same, when the key that signed it is revoked. The folder gets what is
committed, tiles before the checkpoint that names them. Killed at any step, the next look goes on from what is
stored.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal
from services.licensing.domain.log.growth import (
    EMPTY,
    Growth,
    Head,
    NumberedReceipt,
    Place,
    Signed,
    grown_by,
    whole_tiles,
)
from services.licensing.domain.log.notes import Checkpoint
from services.licensing.domain.log.tiles import Tile, grown
from services.licensing.metrics import LOG_COVERED
from services.licensing.restores import Shown, is_older

EVERY_SECONDS = 0.4
"""Between looks: with the commit and the files that follow, a receipt is published well within a second."""
AFTER_FAULT_SECONDS = 2.0
"""Nothing mends itself sooner, and each fault is a line in the log."""
RECEIPTS_AT_ONCE = 4_096
"""In one checkpoint, where many wait: 6 MB to read, and some hundredths of a second to compute."""
TILES_AT_ONCE = 256
"""Read from the database and written to the folder together; 2 MB."""
SECOND_US = 1_000_000

_log = structlog.get_logger("publisher")


@dataclass(frozen=True)
class Waiting:
    """What the log does not have yet, as of one moment."""

    newest: Signed | None
    receipts: Sequence[NumberedReceipt]
    """The next ones, in the order of their numbers."""
    since_us: int | None
    """When the first of them was decided."""
    edge: Mapping[Place, bytes]
    """The partial tiles of the newest head."""


class Log(Protocol):
    """What is stored of the log."""

    async def newest(self) -> Signed | None: ...
    async def tiles(self, places: Sequence[Place]) -> Mapping[Place, bytes]: ...


class Store(Log, Protocol):
    """The log in licensing's database."""

    async def waiting(self, limit: int) -> Waiting: ...
    async def append(self, growth: Growth, sign: Callable[[Head], Signed]) -> bool: ...
    async def sign_again(self, head: Head, sign: Callable[[Head], Signed]) -> Signed: ...
    async def note_shown(self) -> None: ...


class Folder(Protocol):
    """The log outside the database, to be written. Its calls block, and raise OSError."""

    def add(self, tiles: Sequence[tuple[Tile, bytes]]) -> None: ...
    def publish(self, size: int, note: bytes) -> None: ...
    def renew(self, size: int, note: bytes) -> None: ...


class Signer(Protocol):
    """Who signs checkpoints; the key may be another one each time."""

    @property
    def name(self) -> str: ...
    def note(self, text: str) -> bytes: ...


class Publisher:
    """Looks at regular intervals, until cancelled."""

    name = "publisher"

    def __init__(
        self,
        store: Store,
        folder: Folder,
        shown: Shown,
        signer: Signer,
        clock: Clock,
        *,
        on_loss: Callable[[], None],
    ) -> None:
        """`signer` signs under the origin of the log; `shown` is what is in `folder`.

        `on_loss` is called when the database turns out to be older than what was published: not to publish
        would not be enough, for what it decides now gets numbers that others have receipts of (R5).
        """
        self._store = store
        self._folder = folder
        self._shown = shown
        self._on_loss = on_loss
        self._signer = signer
        self._clock = clock
        self._covered_us = clock.now_us()
        self._uncovered_us: int | None = None

    def uncovered_seconds(self) -> float:
        """How long the oldest receipt has been waiting that no published checkpoint covers.

        Where the last look failed, at most as long as since the last one that did not.
        """
        if self._uncovered_us is None:
            return 0.0
        return max(0, self._clock.now_us() - self._uncovered_us) / SECOND_US

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            rest_seconds = await self.look()
            await asyncio.sleep(rest_seconds)

    async def look(self) -> float:
        """Publishes, and reports what keeps it from it; how many seconds to rest before the next look."""
        if self._uncovered_us is None:
            self._covered_us = self._clock.now_us()
        try:
            return 0 if await self.publish() else EVERY_SECONDS
        except Refusal as refusal:
            _log.error("the log cannot be published", reason=refusal.reason, message=refusal.message)
            if is_older(refusal):
                self._on_loss()
        except OSError as error:
            _log.error("the folder of the log cannot be written", error=repr(error))
        if self._uncovered_us is None:
            self._uncovered_us = self._covered_us
        return AFTER_FAULT_SECONDS

    async def publish(self) -> bool:
        """Signs the next receipts and brings the folder up to it; whether more may be waiting.

        Raises Refusal: internal (LOG_DAMAGED), unavailable where the database cannot be reached, and what
        `Shown.newest` raises; and OSError.
        """
        looked_us = self._clock.now_us()
        waiting = await self._store.waiting(RECEIPTS_AT_ONCE)
        more = len(waiting.receipts) == RECEIPTS_AT_ONCE
        if waiting.receipts:
            self._uncovered_us = waiting.since_us
            before = waiting.newest.head if waiting.newest else EMPTY
            growth = await asyncio.to_thread(grown_by, before, waiting.receipts, waiting.edge)
            # Where another process was first, it may have signed fewer of them.
            more |= not await self._store.append(growth, self._sign)
        newest = await self._store.newest() if waiting.receipts else waiting.newest
        if newest and not await asyncio.to_thread(self._shown.verifies, newest):
            # Its key was revoked: until a receipt comes, nobody could show that the log is what it was.
            newest = await self._store.sign_again(newest.head, self._sign)
        await self._copy(newest)
        if not more:
            self._uncovered_us = None
            LOG_COVERED.set(looked_us / SECOND_US)
        return more

    def _sign(self, head: Head) -> Signed:
        text = Checkpoint(self._signer.name, head.size, head.root).text()
        return Signed(head, self._signer.note(text), self._clock.now_us())

    async def _copy(self, newest: Signed | None) -> None:
        """Brings the folder up to a checkpoint that is committed, whoever signed it."""
        shown = await self._shown.newest()
        size = shown.head.size if shown else 0
        if newest is None or newest.head.size < size:
            return
        if newest.head.size == size:
            if not await asyncio.to_thread(self._shown.is_renewed):
                await asyncio.to_thread(self._folder.renew, size, newest.note)
            return
        await copy(self._store, self._folder, size, newest)
        if shown is None:
            # Once it is there: from now on, a folder without a checkpoint is one that was lost.
            await self._store.note_shown()


async def copy(log: Log, folder: Folder, size: int, newest: Signed) -> None:
    """Brings a folder that has the first `size` leaves up to a checkpoint, tiles first.

    Raises OSError, and Refusal: internal (LOG_DAMAGED); unavailable where the database cannot be read.
    """
    missing = grown(size, newest.head.size)
    while some := list(islice(missing, TILES_AT_ONCE)):
        contents = await log.tiles([(tile.level, tile.index) for tile in some])
        await asyncio.to_thread(folder.add, whole_tiles(some, contents))
    await asyncio.to_thread(folder.publish, newest.head.size, newest.note)
