"""Brings up the database of a service without the service: of its settings only the URL is needed.

Two that do so at once do it once, and a service that is being started is one of them.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from services.chassis import sqlite, sqlite_migrations
from services.chassis.migrations import EMPTY, Plan, SchemaState, Tell, behind, needed, plan, state_of
from services.chassis.refusals import Refusal
from services.chassis.revisions import Schema

LOOK_EVERY_SECONDS = 0.5

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A database, and the schema that it is to have."""

    name: str
    """Of the service."""
    url: str
    schema: Schema

    @property
    def is_server(self) -> bool:
        """Whether it is PostgreSQL's; else it is a file, whose only user one has to be."""
        return self.url.startswith("postgresql")


def look(target: Target, *, contract: bool) -> tuple[SchemaState, Plan]:
    """Where the database stands, and what would be run; it is left as it is.

    Raises Refusal: SCHEMA_UNKNOWN, DATABASE_URL_INVALID, DATABASE_IN_USE, DATABASE_UNAVAILABLE,
    DURABILITY_OFF.
    """
    state = _state(target)
    return state, plan(target.schema, state, contract=contract)


def check(target: Target) -> SchemaState:
    """Raises Refusal (precondition, SCHEMA_BEHIND) where this release could not serve; and as `look`."""
    state, found = look(target, contract=True)
    if needed(found.steps):
        raise behind(target.name, found.steps)
    return state


def migrate(target: Target, *, contract: bool, tell: Tell) -> Plan:
    """Runs what is missing, what takes something away only with `contract`; says what was run and is left.

    Raises Refusal as `look`; MIGRATION_FAILED, SCHEMA_BROKEN; EARLIER_RELEASE_CONNECTED, of `contract`;
    TABLE_IN_USE.
    """
    if target.is_server:
        # Only here, for whoever has a file needs no driver.
        from services.chassis import postgresql, postgresql_migrations  # noqa: PLC0415

        with postgresql.migrating(target.url, target.name) as session:
            return postgresql_migrations.migrate(
                session, target.schema, contract=contract, tell=tell, patience_seconds=None
            )
    with sqlite.migrating(sqlite.path_of(target.url)) as (connection, driver):
        return sqlite_migrations.migrate(connection, driver, target.schema, contract=contract, tell=tell)


def patiently(
    call: Callable[[], T],
    seconds: float,
    reasons: Collection[str],
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Calls again while the refusal is for one of `reasons`, for so long; raises the last one."""
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except Refusal as refusal:
            if refusal.reason not in reasons or time.monotonic() >= until:
                raise
        pause(LOOK_EVERY_SECONDS)


def _state(target: Target) -> SchemaState:
    if target.is_server:
        from services.chassis import postgresql  # noqa: PLC0415

        with postgresql.migrating(target.url, target.name) as session, session.begin():
            return state_of(session)
    path: Path = sqlite.path_of(target.url)
    if not path.exists():
        return EMPTY
    with sqlite.migrating(path) as (connection, _driver), connection.begin():
        return state_of(connection)
