"""An empty database of either engine, on disk, for as long as it is measured."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

ENGINES = ("sqlite", "postgresql")
SHARED_BUFFERS = "512MB"
"""PostgreSQL is said to need a quarter of the memory; its default is for the smallest machines."""


@contextlib.contextmanager
def a_database(engine: str) -> Iterator[tuple[Path, str]]:
    """A folder and the URL of a database in it; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if engine == "sqlite":
            yield folder, f"sqlite:///{folder / 'consent.db'}"
            return
        from tests.support import postgres  # noqa: PLC0415 - needs a development package

        # The server is nobody's and must get to its files; and tests keep theirs in memory, where nothing
        # is ever waited for.
        folder.chmod(0o711)
        postgres.MEMORY = folder
        with postgres.a_server(shared_buffers=SHARED_BUFFERS) as server:
            yield folder, server.new_database()
