"""Notices that the database is older than what was published of it, at the start and later (R5)."""

import asyncio
from typing import Protocol

from services.chassis.refusals import Kind, Refusal, precondition, unavailable
from services.licensing.domain.log.growth import Signed
from services.licensing.domain.log.notes import Checkpoint

DATABASE_RESTORED = "DATABASE_RESTORED"
LOG_FOLDER_EMPTY = "LOG_FOLDER_EMPTY"


class Store(Protocol):
    """What the database has signed."""

    async def newest(self) -> Signed | None: ...
    async def signed_at(self, size: int) -> Signed | None: ...
    async def was_shown(self) -> bool: ...
    async def note_shown(self) -> None: ...


class Folder(Protocol):
    """What others were shown. It blocks, and raises OSError."""

    def note(self) -> bytes | None: ...


class Reader(Protocol):
    """Whom a note has to convince. It reads keys, and blocks."""

    def checkpoint(self, note: bytes) -> Checkpoint: ...
    def is_vouched_for(self, note: bytes) -> bool: ...


class Shown:
    """What the folder of the log shows to everyone, as the database that has signed it knows it."""

    def __init__(self, store: Store, folder: Folder, reader: Reader) -> None:
        self._store = store
        self._folder = folder
        self._reader = reader

    async def check_at_start(self) -> None:
        """Returns where the database has signed what the folder shows.

        Raises as `newest`, and Refusal (precondition, LOG_FOLDER_EMPTY) where it shows nothing any more: an
        older database would sign again, and otherwise, what it has signed.
        """
        was_shown = await self._store.was_shown()
        if await self.newest() is not None:
            if not was_shown:
                # Whoever wrote it died before it could say so.
                await self._store.note_shown()
        elif was_shown and await self._store.newest() is not None:
            message = (
                "the folder of the log has no checkpoint, and had one: put it back, or a copy that somebody"
                " keeps; if all are lost, `sluice restore accept licensing` says what can be done"
            )
            raise precondition(LOG_FOLDER_EMPTY, message)

    async def newest(self) -> Signed | None:
        """The checkpoint in the folder, None where there is none.

        Raises Refusal: unavailable (LOG_FOLDER_UNREADABLE, the folder is out of reach; and where the database
        cannot be read); precondition (what `Reader.checkpoint` raises; DATABASE_RESTORED, of its own kind,
        where the database has not signed it).
        """
        shown = await asyncio.to_thread(self.read)
        if shown is None:
            return None
        # After the folder was read: what it shows was committed before it was written.
        signed = await self._store.signed_at(shown.size)
        if signed is None or signed.head.root != shown.root:
            raise precondition(
                DATABASE_RESTORED,
                f"{shown.size} receipts have been published under a checkpoint that this database has not "
                "signed: it is an older one, or another; nothing is decided on it",
            )
        return signed

    def read(self) -> Checkpoint | None:
        """What the folder shows, signed by the log, whether the database knows it or not. It blocks.

        Raises as `newest`, but for what the database says.
        """
        try:
            note = self._folder.note()
        except OSError as error:
            message = "the folder of the log cannot be read"
            raise unavailable("LOG_FOLDER_UNREADABLE", message) from error
        return None if note is None else self._reader.checkpoint(note)

    def verifies(self, signed: Signed) -> bool:
        """Whether a checkpoint of the database verifies for those who know the revoked keys. It blocks.

        Raises Refusal: internal (LOG_DAMAGED) where its note is not of its head; and as `Reader.checkpoint`.
        """
        checkpoint = self._reader.checkpoint(signed.note)
        if (checkpoint.size, checkpoint.root) != (signed.head.size, signed.head.root):
            raise Refusal(
                Kind.INTERNAL,
                "LOG_DAMAGED",
                f"the checkpoint of {signed.head.size} leaves is signed otherwise",
            )
        return self._reader.is_vouched_for(signed.note)

    def is_renewed(self) -> bool:
        """Whether what the folder shows does, if it shows anything; likewise."""
        note = self._folder.note()
        return note is None or self._reader.is_vouched_for(note)


def is_older(refusal: Refusal) -> bool:
    """Whether the database has lost what was published, which no waiting mends."""
    return (refusal.kind, refusal.reason) == (Kind.PRECONDITION, DATABASE_RESTORED)
