"""Indexes on tables that are in use: built without keeping anybody from writing.

What a build that was killed has left behind is noticed and built anew.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, TextClause

# Of the schema in which tables are looked for first.
_IS_VALID = sa.text(
    "SELECT i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE c.relname = :name AND c.relnamespace = current_schema()::regnamespace"
)


def build_index(
    name: str, table: str, columns: Sequence[str], *, where: TextClause | None = None, unique: bool = False
) -> None:
    """Builds an index of a step that is not run in a transaction (`in_transaction = False`).

    On PostgreSQL CONCURRENTLY, which reads the table twice and waits for transactions that are older, and
    stops no one; on a table without rows, and on SQLite, at once.
    """
    connection = op.get_bind()
    more: dict[str, Any] = {"unique": unique}
    if where is not None:
        more |= {"sqlite_where": where, "postgresql_where": where}
    if connection.dialect.name != "postgresql":
        op.create_index(name, table, list(columns), if_not_exists=True, **more)
        return
    is_valid = connection.execute(_IS_VALID, {"name": name}).scalar_one_or_none()
    if is_valid:
        return
    # A new database gets all steps in one transaction.
    commits_as_it_goes = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    is_concurrent = commits_as_it_goes and _has_rows(connection, table)
    if is_valid is False:
        op.drop_index(name, table, postgresql_concurrently=is_concurrent)
    op.create_index(name, table, list(columns), postgresql_concurrently=is_concurrent, **more)


def _has_rows(connection: Connection, table: str) -> bool:
    query = sa.select(sa.exists(sa.select(sa.literal(1)).select_from(sa.table(table))))
    return bool(connection.execute(query).scalar_one())
