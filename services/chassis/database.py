"""A service's own database: units of work in, committed rows out.

Units that arrive while a commit is on its way share the next one (group commit). What has been acknowledged
is on disk; what could not be done is refused, and the database serves again by itself when it can.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection

from services.chassis.group_commit import GroupCommit, end_process
from services.chassis.refusals import unavailable
from services.chassis.sqlite import DRIVER_ERRORS, SqliteFile, Trouble, trouble_of

GROUP_LIMIT = 64
"""Units in one commit; the fsync is shared well enough by then, and nobody waits long for others."""
QUEUE_LIMIT = 4_096
"""Units that may wait; at a few thousand commits a second that is about as long as a caller waits."""
READERS = 2

T = TypeVar("T")


class Database:
    """One database of one service; made by `open`."""

    def __init__(
        self, file: SqliteFile, name: str, *, group_limit: int, queue_limit: int, readers: int
    ) -> None:
        self.dialect = file.dialect
        self.name = name
        self._file = file
        self._commits = GroupCommit(file, name, group_limit=group_limit, queue_limit=queue_limit)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix=f"{name}-reader")

    @classmethod
    def open(
        cls,
        url: str,
        *,
        schema_dir: Path,
        name: str,
        group_limit: int = GROUP_LIMIT,
        queue_limit: int = QUEUE_LIMIT,
        readers: int = READERS,
    ) -> Self:
        """Opens (or creates) and migrates the database; `schema_dir` holds Alembic's versions/.

        Raises Refusal: DATABASE_URL_INVALID, DATABASE_IN_USE (another process owns it), DATABASE_UNAVAILABLE,
        SCHEMA_UNKNOWN (a later release has migrated it).
        """
        file = SqliteFile(url, schema_dir=schema_dir, readers=readers)
        return cls(file, name, group_limit=group_limit, queue_limit=queue_limit, readers=readers)

    async def write(self, unit: Callable[[Connection], T], then: Callable[[T], None] | None = None) -> T:
        """Runs `unit` on the writer thread in a transaction it may share; its result once committed.

        The unit neither commits nor rolls back; when it raises, its own changes alone are undone. `then`
        gets the result on the writer thread, after the commit, in the order of commits, before this call
        returns. A caller who is cancelled does not stop the unit.

        Raises what the unit raises, and Refusal: EXHAUSTED (QUEUE_FULL), UNAVAILABLE (DATABASE_UNAVAILABLE,
        nothing was written; COMMIT_UNKNOWN, as CommitUnknown: it may have been; DATABASE_CLOSED).
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._commits.submit(unit, then, future)
        # When the caller is cancelled the future is; the unit is not, it only finds nobody to tell.
        return await future

    def write_now(self, unit: Callable[[Connection], T], then: Callable[[T], None] | None = None) -> T:
        """`write` for start-up, threads and tests: blocks the caller until the commit."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._commits.submit(unit, then, future)
        return future.result()

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Runs `query` in a read transaction (one snapshot, nothing can be written) on a reader thread.

        Raises what the query raises, and Refusal UNAVAILABLE (DATABASE_UNAVAILABLE, DATABASE_CLOSED).
        """
        return await asyncio.wrap_future(self._submit_read(query))

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """`read` for start-up, threads and tests: blocks the caller."""
        return self._submit_read(query).result()

    async def close(self) -> None:
        """Finishes what is queued, then closes readers, writer and lock."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """`close` for threads and tests."""
        self._commits.close()
        self._readers.shutdown()
        self._file.close()

    def _submit_read(self, query: Callable[[Connection], T]) -> concurrent.futures.Future[T]:
        try:
            return self._readers.submit(self._read, query)
        except RuntimeError as error:
            raise unavailable("DATABASE_CLOSED", "the service is shutting down") from error

    def _read(self, query: Callable[[Connection], T]) -> T:
        try:
            with self._file.reader() as connection, connection.begin():
                return query(connection)
        except DRIVER_ERRORS as error:
            match trouble_of(error):
                case Trouble.STATEMENT:
                    raise
                case Trouble.UNAVAILABLE:
                    raise unavailable("DATABASE_UNAVAILABLE", "the database cannot be read now") from error
                case Trouble.FATAL:
                    end_process(self.name, error)
