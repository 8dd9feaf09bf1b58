"""The engines that every storage is tested on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.database import Database
from tests.support.postgres import PostgresServer

ENGINES = ["sqlite", "postgresql"]


def url_on(
    engine: str, request: pytest.FixtureRequest, folder: Path, open_at: Callable[[str], Database]
) -> str:
    """The URL of an empty database of a test's own; `open_at` opens it and so makes its tables."""
    if engine == "sqlite":
        return f"sqlite:///{folder}/service.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.copy_of(open_at.__name__, lambda url: open_at(url).close_now())
