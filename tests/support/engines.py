"""The engines that every storage is tested on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.database import Database
from tests.support.consent import consent_database_at
from tests.support.licensing import licensing_database_at
from tests.support.metering import metering_database_at
from tests.support.postgres import PostgresServer

ENGINES = ["sqlite", "postgresql"]
SERVICES = {
    "consent": consent_database_at,
    "metering": metering_database_at,
    "licensing": licensing_database_at,
}


def url_on(
    engine: str, request: pytest.FixtureRequest, folder: Path, open_at: Callable[[str], Database]
) -> str:
    """The URL of an empty database of a test's own; `open_at` opens it and so makes its tables."""
    if engine == "sqlite":
        return f"sqlite:///{folder}/service.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.copy_of(open_at.__name__, lambda url: open_at(url).close_now())
    request.addfinalizer(lambda: server.drop(url))
    return url


def urls_on(engine: str, request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    """The URLs of empty databases of the three services, by name."""
    if engine == "sqlite":
        return {name: f"sqlite:///{folder}/{name}.db" for name in SERVICES}
    return {name: url_on(engine, request, folder, open_at) for name, open_at in SERVICES.items()}
