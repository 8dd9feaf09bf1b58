"""Brings a database to the newest schema, from a folder that holds nothing but Alembic's `versions/*.py`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection

from services.chassis.refusals import precondition


def upgrade(connection: Connection, schema_dir: Path) -> None:
    """Runs the migrations of `schema_dir`/versions that are missing, inside the transaction that is open.

    Raises Refusal (precondition, SCHEMA_UNKNOWN) for a database that a later release has already migrated.
    """
    scripts = ScriptDirectory(str(schema_dir), version_locations=[str(schema_dir / "versions")])

    def missing_steps(
        revision: tuple[str, ...] | None, _context: MigrationContext
    ) -> Sequence[MigrationStep]:
        steps = scripts.iterate_revisions("heads", revision or None, implicit_base=True)
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, step) for step in reversed(list(steps))
        ]

    options: dict[str, Any] = {"fn": missing_steps, "script": scripts}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        try:
            context.run_migrations()
        except (CommandError, RevisionError) as error:
            raise precondition(
                "SCHEMA_UNKNOWN", "the database has a schema that this release does not know"
            ) from error
