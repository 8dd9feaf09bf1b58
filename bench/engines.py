"""An empty database of either engine, on disk, for as long as it is measured."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer

ENGINES = ("sqlite", "postgresql")
SHARED_BUFFERS = "512MB"
"""PostgreSQL is said to need a quarter of the memory; its default is for the smallest machines."""


@contextlib.contextmanager
def a_database(engine: str) -> Iterator[tuple[Path, str]]:
    """A folder and the URL of a database in it; both are gone afterwards."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            yield Path(name), f"sqlite:///{Path(name) / 'consent.db'}"
        return
    with a_disk_server() as (folder, server):
        yield folder, server.new_database()


@contextlib.contextmanager
def a_disk_server(**settings: str) -> Iterator[tuple[Path, "PostgresServer"]]:
    """A folder, and a PostgreSQL server whose files lie in it; both are gone afterwards."""
    from tests.support import postgres  # noqa: PLC0415 - needs a development package

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        # The server is nobody's and must get to its files; and tests keep theirs in memory, where nothing
        # is ever waited for.
        folder.chmod(0o711)
        postgres.MEMORY = folder
        with postgres.a_server(shared_buffers=SHARED_BUFFERS, **settings) as server:
            yield folder, server
