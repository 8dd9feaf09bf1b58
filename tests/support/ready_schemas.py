"""Schemas of SQLite that are made once by a process of tests, and copied into each new file after that.

What comes of the steps is the same each time; the steps themselves are the matter of tests of migrations.
"""

import functools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

import services
from services.chassis.migrations import Plan, Tell
from services.chassis.revisions import Schema

OURS = Path(services.__file__).parent


class Migrate(Protocol):
    """As `sqlite_migrations.migrate`."""

    def __call__(
        self, writer: Connection, driver: sqlite3.Connection, schema: Schema, *, contract: bool, tell: Tell
    ) -> Plan: ...


def read_once(in_folder: Callable[[Path], Schema]) -> Callable[[Path], Schema]:
    """As `Schema.in_folder`, which compiles each step anew, but remembers the folders of the services."""
    remembered = functools.cache(in_folder)
    return lambda folder: (remembered if folder.is_relative_to(OURS) else in_folder)(folder)


class ReadySchemas:
    """Stands in for a migration of a file in which nothing is."""

    def __init__(self, migrate: Migrate) -> None:
        """What `migrate` makes of an empty file of a service is kept in memory."""
        self._migrate = migrate
        self._made: dict[tuple[str, ...], tuple[sqlite3.Connection, Plan]] = {}

    def __call__(
        self, writer: Connection, driver: sqlite3.Connection, schema: Schema, *, contract: bool, tell: Tell
    ) -> Plan:
        """As the migration, without a word of its steps where they were done before."""
        is_ours = Path(schema.scripts.dir).is_relative_to(OURS)
        if not is_ours or driver.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            return self._migrate(writer, driver, schema, contract=contract, tell=tell)
        key = (schema.scripts.dir, *(step.revision for step in schema.steps))
        if key in self._made:
            kept, plan = self._made[key]
            kept.backup(driver)
            return plan
        plan = self._migrate(writer, driver, schema, contract=contract, tell=tell)
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        driver.backup(kept)
        self._made[key] = kept, plan
        return plan
