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
from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import start_logs

LOOK_EVERY_SECONDS = 0.5
STANDBY_PATIENCE_SECONDS = 5.0
"""For a commit: a step holds its locks for as long as that waits for the standby."""

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


def migrate(
    target: Target, *, contract: bool, tell: Tell, standby_patience: float = STANDBY_PATIENCE_SECONDS
) -> Plan:
    """Runs what is missing, what takes something away only with `contract`; says what was run and is left.

    When it returns the standby has it all, where there is one that commits wait for. One that confirms
    nothing is waited for `standby_patience` seconds, for each commit.

    Raises Refusal as `look`; MIGRATION_FAILED, SCHEMA_BROKEN; EARLIER_RELEASE_CONNECTED, of `contract`;
    TABLE_IN_USE, MIGRATION_UNCONFIRMED.
    """
    if target.is_server:
        # Only here, for whoever has a file needs no driver.
        from services.chassis import postgresql, postgresql_migrations  # noqa: PLC0415
        from services.chassis.migration_commits import Commits  # noqa: PLC0415

        with (
            postgresql.migrating(target.url, target.name) as session,
            postgresql_migrations.bounded(target.name, standby_patience) as patience,
        ):
            done = postgresql_migrations.migrate(
                session, target.schema, contract=contract, tell=tell, patience=patience, patience_seconds=None
            )
            # Also what was found done: whoever did it may have been told that no standby has it.
            Commits(session, patience, tell).confirm()
            return done
    with sqlite.migrating(sqlite.path_of(target.url)) as (connection, driver):
        return sqlite_migrations.migrate(connection, driver, target.schema, contract=contract, tell=tell)


def migrate_before_workers(name: str, schema_dir: Path, settings: ServiceSettings) -> None:
    """Runs what each worker of a pool would run at its start: they find it done.

    However long it takes, nobody takes it for a worker that hangs. Raises Refusal as `migrate`;
    MIGRATION_BUSY.
    """
    start_logs(name, settings.log_level)
    if not settings.migrate_on_start:
        return
    from services.chassis import postgresql, postgresql_migrations  # noqa: PLC0415

    with (
        postgresql.migrating(settings.database_url, name) as session,
        postgresql_migrations.bounded(name, settings.standby_patience) as patience,
    ):
        postgresql_migrations.migrate_at_start(session, Schema.in_folder(schema_dir), patience)


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
