"""How a database that was migrated differs from the tables that the code declares."""

from collections.abc import Collection

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

FLOOR = "schema_floor"
"""Kept by the migrations themselves; no service declares it."""


def differences(connection: Connection, declared: MetaData, besides: Collection[str] = ()) -> list[object]:
    """What Alembic would change to get from one to the other; tables and indexes named `besides` left out."""
    left_out = {FLOOR, *besides}
    options = {"include_object": lambda _object, name, *_more: name not in left_out}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), declared))
