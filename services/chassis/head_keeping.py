"""Keeps a service's head outside of its database, and compares the two: at the start, and while it runs (R5).

What the file names was committed before it was written, and confirmed where commits wait for a standby. It is
read before the database is: a database that is then behind it has lost what it had.
"""

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.heads import Head
from services.chassis.kept_heads import HeadFile, KeptHead, all_restores
from services.chassis.metrics import DATABASE_REACHED, HEAD_KEPT
from services.chassis.refusals import Behind, Refusal, precondition
from services.chassis.restore_rows import RestoreRows
from services.chassis.restores import Acceptance, Restore, Standing, accepted, check, is_behind

INTERVAL_SECONDS = 0.5
"""What a restore may take back unnoticed here, after a crash; licensing compares answers besides."""

_log = structlog.get_logger(__name__)


class HeadKeeper:
    """Keeps the head of one database in one file; a background task of the service."""

    name = "head-keeper"

    def __init__(
        self,
        database: Database,
        rows: RestoreRows,
        file: HeadFile,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._database = database
        self._rows = rows
        self._file = file
        self._interval_seconds = interval_seconds
        self._mark = ""
        self._points: tuple[Head, ...] = ()
        self._troubled = False

    async def check(self) -> None:
        """Returns where the database is no older than what is kept of it, and keeps its head; at the start.

        The first time there is nothing to compare with, and the database notes that from then on there is.

        Raises Refusal (precondition): DATABASE_RESTORED, HEAD_MISSING, HEAD_OF_ANOTHER_DATABASE,
        HEAD_OF_ANOTHER_SERVICE, HEAD_DAMAGED, HEAD_UNREADABLE, HEAD_UNWRITABLE.
        """
        kept, standing = await self._both()
        if kept is None and standing.is_kept:
            # Perhaps another process started for the first time between the two reads. It noted that after
            # the file was there, so a file that is still not there is missing.
            kept, standing = await self._both()
        check(self._file.service, standing, kept)
        self._mark = standing.mark
        self._points = _all_points(await self._database.read(self._rows.points), kept)
        try:
            await self._write(standing, kept)
        except OSError as error:
            message = "the head cannot be kept outside of the database: can head_dir be written to?"
            raise precondition("HEAD_UNWRITABLE", message) from error
        if not standing.is_kept:
            # After the file is there: a process that dies in between finds it, and it is of this database.
            await self._database.write(self._rows.note_kept)

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_on_and_on())
            # Beside it: a file that hangs, or is damaged, says nothing of the database.
            tasks.create_task(self._look_on_and_on())

    async def close(self) -> None:
        """Keeps the head once more, when nobody is answered any more; the database is still open."""
        await self._keep_on()
        if self._troubled:
            # There is no later time: a session that was lost meanwhile is a new one now.
            await self._keep_on()

    async def look(self) -> None:
        """Shows that the database answers, whatever the file does; raises what `Database.read` raises."""
        # Confirmed, as what callers are told is: without its standby the database answers nothing.
        await self._database.read(self._rows.standing, confirmed=True)
        DATABASE_REACHED.labels(self._database.name).set_to_current_time()

    async def keep(self) -> None:
        """Has the file say how far the database has come.

        Raises Behind where the database is not as far as the file, or another one has taken its place; then
        the database is given up. Raises OSError, and Refusal as `check`, where the file cannot be used.
        """
        await self._database.check_place()
        kept = await asyncio.to_thread(self._file.read)
        standing = await self._standing(kept)
        if standing.mark != self._mark or is_behind(standing, kept):
            behind = Behind()
            self._database.give_up(behind)
            raise behind
        await self._write(standing, kept)

    async def _keep_on_and_on(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self._keep_on()

    async def _look_on_and_on(self) -> None:
        answers = True
        while True:
            try:
                await self.look()
                answers = True
            except Refusal as refusal:
                if answers:
                    _log.error(
                        "the database does not answer", database=self._database.name, reason=refusal.reason
                    )
                answers = False
            await asyncio.sleep(self._interval_seconds)

    async def _keep_on(self) -> None:
        """`keep`, of which a failure ends nothing: what is served does not rest on the file."""
        try:
            await self.keep()
        except (OSError, Refusal) as error:
            if not self._troubled:
                _log.error("the head cannot be kept", database=self._database.name, error=str(error))
            self._troubled = True
        else:
            self._troubled = False

    async def _both(self) -> tuple[KeptHead | None, Standing]:
        """The file first: what it names is in any database that is read after it and has lost nothing."""
        kept = await read_kept(self._file)
        return kept, await self._standing(kept)

    async def _standing(self, kept: KeptHead | None) -> Standing:
        # Confirmed: a head that a failover may undo would refuse a database that has lost nothing.
        return await self._database.read(lambda c: _compared(c, self._rows, kept), confirmed=True)

    async def _write(self, standing: Standing, kept: KeptHead | None) -> None:
        if kept is None or kept.database != standing.mark or kept.lacks(standing.head, standing.actions):
            mark, head, actions = standing.mark, standing.head, standing.actions
            mine = KeptHead(self._file.service, mark, head, self._points, actions)
            await asyncio.to_thread(self._file.raise_to, mine)
        HEAD_KEPT.labels(self._database.name).set_to_current_time()


@dataclass(frozen=True)
class Found:
    """A database that an operator wants to go on with, and what is kept of it; nobody else has it open."""

    standing: Standing
    kept: KeptHead | None
    is_damaged: bool
    """Whether there is a file that says nothing; the service starts with none, and not with this."""

    def restore(
        self, service: str, acceptance: Acceptance, now_us: int, *, refused_anyway: bool = False
    ) -> Restore:
        """Raises Refusal as `accepted`."""
        refused = self.is_damaged or refused_anyway
        return accepted(service, self.standing, self.kept, acceptance, now_us, refused_anyway=refused)


async def accept_restore(
    database: Database, rows: RestoreRows, file: HeadFile, acceptance: Acceptance, now_us: int
) -> Restore:
    """Begins a new epoch with the database as it is, and keeps its head; nobody else has the database open.

    Where the process dies before the head is kept, the service starts in the new epoch, or the same command
    begins one more.

    Raises Refusal (precondition): NOT_RESTORED, HEAD_OF_ANOTHER_SERVICE, HEAD_UNREADABLE, HEAD_UNWRITABLE.
    """
    found = await find(database, rows, file)
    restore = found.restore(file.service, acceptance, now_us)
    await database.write(lambda connection: rows.begin(connection, restore))
    await keep_accepted(database, rows, file, found)
    return restore


async def find(database: Database, rows: RestoreRows, file: HeadFile) -> Found:
    """What an acceptance is about, before anything is written. Raises Refusal HEAD_UNREADABLE."""
    kept, is_damaged = await _read_if_whole(file)
    return Found(await database.read(lambda c: _compared(c, rows, kept)), kept, is_damaged)


async def keep_accepted(database: Database, rows: RestoreRows, file: HeadFile, found: Found) -> None:
    """Keeps the head of the epoch that has begun. Raises Refusal (precondition, HEAD_UNWRITABLE)."""
    standing, points = await database.read(lambda c: (rows.standing(c), rows.points(c)))
    kept = found.kept
    ours = kept if kept is not None and kept.database == standing.mark else None
    mine = KeptHead(file.service, standing.mark, standing.head, _all_points(points, ours), standing.actions)
    try:
        await asyncio.to_thread(file.replace, mine)
    except OSError as error:
        message = (
            f"epoch {standing.head.epoch} has begun, and its head cannot be kept: free the way to head_dir;"
            " if the service then refuses to start, accept once more"
        )
        raise precondition("HEAD_UNWRITABLE", message) from error
    await database.write(rows.note_kept)


async def read_kept(file: HeadFile) -> KeptHead | None:
    """What the file says; raises Refusal (precondition): HEAD_UNREADABLE, HEAD_DAMAGED."""
    try:
        return await asyncio.to_thread(file.read)
    except OSError as error:
        raise precondition("HEAD_UNREADABLE", "the kept head cannot be read: is head_dir there?") from error


def _compared(connection: Connection, rows: RestoreRows, kept: KeptHead | None) -> Standing:
    return rows.standing(connection, kept.actions.number if kept is not None else 0)


def _all_points(points: tuple[Head, ...], kept: KeptHead | None) -> tuple[Head, ...]:
    """Those of the database, and those that a backup from before them does not know: they are kept alone."""
    return all_restores(points, kept.restores if kept is not None else ())


async def _read_if_whole(file: HeadFile) -> tuple[KeptHead | None, bool]:
    """For who accepts what is there: what it says, and whether it is there and says nothing."""
    try:
        return await read_kept(file), False
    except Refusal as refusal:
        if refusal.reason != "HEAD_DAMAGED":
            raise
        return None, True
