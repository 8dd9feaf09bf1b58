"""A service's database, opened as its operator has set it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.chassis.database import Database
from services.chassis.group_commit import LockRows
from services.chassis.settings import ServiceSettings


def opened_as_set(
    settings: ServiceSettings,
    *,
    schema_dir: Path,
    name: str,
    lock: LockRows | None = None,
    options: Mapping[str, Any] | None = None,
    alone: bool = False,
) -> Database:
    """`Database.open` with what the settings say of the database; it raises the same."""
    return Database.open(
        settings.database_url,
        schema_dir=schema_dir,
        name=name,
        lock=lock,
        options=options,
        alone=alone,
        migrate=settings.migrate_on_start,
        standby_patience=settings.standby_patience,
        standby_required=settings.standby_required,
    )
