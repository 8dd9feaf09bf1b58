"""What a step does to a schema, as the database itself tells it: what was there, and what it became."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, inspect

# Those of the machinery, not of any step.
_NOT_OURS = {"alembic_version", "schema_floor"}


@dataclass(frozen=True)
class Table:
    """One table, by what programs can stumble over."""

    columns: dict[str, tuple[str, bool, bool]]
    """By name: type, whether it takes NULL, whether it has a default."""
    constraints: frozenset[str]
    """Those that refuse rows, unique indexes among them."""
    key: tuple[str, ...]


def tables(connection: Connection) -> dict[str, Table]:
    """The tables of a database by name."""
    inspector = inspect(connection)
    return {name: _table(inspector, name) for name in inspector.get_table_names() if name not in _NOT_OURS}


def harm(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """What processes that knew the schema before could stumble over, in words."""
    gone = [f"table {name} is gone" for name in before if name not in after]
    return gone + [
        f"{name}: {fault}"
        for name, table in before.items()
        if name in after
        for fault in _faults(table, after[name])
    ]


def _faults(before: Table, after: Table) -> Iterator[str]:
    for column, was in before.columns.items():
        if column not in after.columns:
            yield f"column {column} is gone"
        elif after.columns[column] != was:
            yield f"column {column} was {was}, is {after.columns[column]}"
    for column, (_, takes_null, has_default) in after.columns.items():
        if column not in before.columns and not takes_null and not has_default:
            yield f"column {column} is new and has to be given"
    for constraint in sorted(before.constraints ^ after.constraints):
        yield f"{'new' if constraint in after.constraints else 'gone'}: {constraint}"
    if before.key != after.key:
        yield f"the key was {before.key}, is {after.key}"


def _table(inspector: Any, name: str) -> Table:
    unique = [f"unique {_columns(each['column_names'])}" for each in inspector.get_unique_constraints(name)]
    indexes = [
        f"unique index {each['name']} {_columns(each['column_names'])}"
        for each in inspector.get_indexes(name)
        if each["unique"]
    ]
    references = [
        f"{_columns(each['constrained_columns'])} in {each['referred_table']}"
        for each in inspector.get_foreign_keys(name)
    ]
    checks = [f"check {each['sqltext']}" for each in inspector.get_check_constraints(name)]
    columns = {
        each["name"]: (str(each["type"]), bool(each["nullable"]), _has_default(each))
        for each in inspector.get_columns(name)
    }
    key = tuple(inspector.get_pk_constraint(name)["constrained_columns"])
    return Table(columns, frozenset([*unique, *indexes, *references, *checks]), key)


def _has_default(column: Any) -> bool:
    return column["default"] is not None or bool(column.get("autoincrement") is True)


def _columns(names: list[str]) -> str:
    return ", ".join(map(str, names))
