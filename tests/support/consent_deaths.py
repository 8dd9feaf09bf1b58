"""Processes of consent that die while they commit: what is on disk then, and another one that opens it."""

import enum
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from services.chassis.group_commit import CommitUnknown
from tests.support.consent_shelf import SqlShelf

T = TypeVar("T")
PATIENCE_MS = 10_000


class Death(enum.Enum):
    """When, seen from the commit."""

    BEFORE = enum.auto()
    """All of it is written, nothing committed."""
    DURING = enum.auto()
    """Half of what makes it durable is on disk; of a server it is the server that takes care of that."""
    AFTER = enum.auto()
    """It is durable, and nobody was told."""


class Files(NamedTuple):
    """A database of SQLite as a crash leaves it; the shared memory beside it is made anew."""

    main: bytes
    log: bytes

    @classmethod
    def of(cls, path: Path) -> "Files":
        """As they are."""
        return cls(path.read_bytes(), _log_of(path).read_bytes())

    def write(self, path: Path) -> None:
        """Where a process can open them."""
        path.write_bytes(self.main)
        _log_of(path).write_bytes(self.log)


async def die_in(shelf: SqlShelf, request: Awaitable[T], death: Death) -> T | None:
    """The answer to a request that nobody heard, for the process dies as it commits; None where it had none.

    The shelf then is a new process over what was on disk at that moment. Raises what the request raises.
    """
    engine: Any = shelf.database._engine
    path = Path(shelf.url.removeprefix("sqlite:///"))
    on_disk: list[Files] = []
    commit: Callable[[], None] = engine.commit

    def commit_to_a_file() -> None:
        before = Files.of(path)
        commit()
        after = Files.of(path)
        half = after.log[: (len(before.log) + len(after.log)) // 2]
        torn = Files(before.main, half) if len(after.log) > len(before.log) else before
        on_disk[:] = [{Death.BEFORE: before, Death.DURING: torn, Death.AFTER: after}[death]]

    def commit_to_a_server() -> None:
        if death is not Death.AFTER:
            end = f"SELECT pg_terminate_backend({engine._session.info.backend_pid}, {PATIENCE_MS})"
            assert shelf.database.read_now(lambda connection: connection.exec_driver_sql(end).scalar())
        commit()

    engine.commit = commit_to_a_file if engine.dialect == "sqlite" else commit_to_a_server
    try:
        return await request
    except CommitUnknown:
        return None
    finally:
        engine.commit = commit
        if on_disk:
            # What the one that is gone still does to its own files is nothing to the new one.
            successor = path.with_name(f"{path.name}+")
            on_disk[0].write(successor)
            shelf.url = f"sqlite:///{successor}"
        await shelf.reopen()


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
