"""Notices that the database is older than what was published of it: at the start, and before more is (R5)."""

import asyncio
from typing import Protocol

import structlog

from services.chassis.refusals import precondition
from services.licensing.domain.log.growth import Signed
from services.licensing.domain.log.notes import Checkpoint

_log = structlog.get_logger("restores")


class Store(Protocol):
    """What the database has signed."""

    async def newest(self) -> Signed | None: ...
    async def signed_at(self, size: int) -> Signed | None: ...


class Folder(Protocol):
    """What others were shown. It blocks, and raises OSError."""

    def head(self) -> Checkpoint | None: ...


async def check_at_start(store: Store, folder: Folder, origin: str) -> None:
    """Returns where the database has signed what the folder of the log shows.

    A folder without a checkpoint shows nothing; where there should be one, the log says so. Raises as
    `size_shown`.
    """
    if not await size_shown(store, folder, origin) and await store.newest() is not None:
        _log.warning("the folder of the log has no checkpoint: an older database would not be noticed")


async def size_shown(store: Store, folder: Folder, origin: str) -> int:
    """How many leaves the checkpoint in the folder is over, 0 where there is none; the database signed it.

    The signature in the folder is not checked: a note that is not ours names no checkpoint of ours, and all
    that it can bring about is that nothing is published and no process starts.

    Raises Refusal (precondition): LOG_FOLDER_UNREADABLE, LOG_FOLDER_FOREIGN (of a log with another origin),
    DATABASE_RESTORED; and unavailable where the database cannot be read.
    """
    try:
        shown = await asyncio.to_thread(folder.head)
    except OSError as error:
        raise precondition("LOG_FOLDER_UNREADABLE", "the folder of the log cannot be read") from error
    if shown is None:
        return 0
    if shown.origin != origin:
        message = f"the folder of the log is that of {shown.origin}, and this log is {origin}"
        raise precondition("LOG_FOLDER_FOREIGN", message)
    # After the folder was read: what it shows was committed before it was written.
    signed = await store.signed_at(shown.size)
    if signed is None or signed.head.root != shown.root:
        raise precondition(
            "DATABASE_RESTORED",
            f"{shown.size} receipts have been published under a checkpoint that this database has not signed:"
            " it is an older one, or another; nothing is decided on it",
        )
    return shown.size
