"""Many rows in one statement, on either engine: reading what belongs to given rows, inserting, updating.

Past SQLAlchemy, which costs more for a row than the database does. A statement has one text whatever the
number of rows, so that the engine prepares it once.
"""

# ruff: noqa: S608 - the texts are made of names that the program gives; values are always parameters.

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

Row = tuple[Any, ...]
Columns = dict[str, str]
"""Names with their types, as PostgreSQL spells them: text, bigint, smallint."""


class Question:
    """A query about given rows: `{given}` in its text is a table of them with these columns."""

    def __init__(self, text: str, **columns: str) -> None:
        self._text = text
        self._columns = columns

    def ask(self, connection: Connection, rows: Sequence[Row], *, binary: bool = False) -> list[Row]:
        """The rows of the answer; none are asked for where none are given.

        `binary` is for answers of many bytes, which a server else sends as text of twice the length.
        """
        if not rows:
            return []
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            return driver.execute(self._sqlite, (json.dumps(rows),)).fetchall()  # type: ignore[no-any-return]
        return driver.execute(self._postgresql, _arrays(rows), binary=binary).fetchall()  # type: ignore[no-any-return]

    @cached_property
    def _sqlite(self) -> str:
        columns = ", ".join(f"value ->> {place} AS {name}" for place, name in enumerate(self._columns))
        return self._text.format(given=f"(SELECT {columns} FROM json_each(?)) AS given")

    @cached_property
    def _postgresql(self) -> str:
        return self._text.format(given=_unnested(self._columns))


class ColumnQuestion:
    """What a table has for each of given rows, as columns of whole numbers, each handed over in one piece.

    So a row costs next to nothing here, and other threads run while the engine reads: as tuples the rows take
    twice as long, and most of it holds the interpreter.
    """

    def __init__(self, table: str, answer: Sequence[str], where: str, **given: str) -> None:
        """`answer` are expressions over the table, none of them null, and on PostgreSQL of type bigint.

        `where` says which rows belong to a row of `given`.
        """
        lite = ", ".join(f"group_concat({column})" for column in answer)
        self._sqlite = Question(f"SELECT {lite} FROM {{given}} CROSS JOIN {table} WHERE {where}", **given)
        packed = ", ".join(f"string_agg(int8send(c{place}), ''::bytea)" for place in range(len(answer)))
        columns = ", ".join(f"{column} AS c{place}" for place, column in enumerate(answer))
        # With an offset it stays a look by index for each row; else all of the table may be hashed.
        each = f"SELECT {columns} FROM {table} WHERE {where} OFFSET 0"
        self._postgresql = f"SELECT {packed} FROM {_unnested(given)} CROSS JOIN LATERAL ({each}) AS answer"
        self._width = len(answer)

    def ask(self, connection: Connection, rows: Sequence[Row]) -> list[NDArray[np.int64]]:
        """The columns, all of one length; their rows are in no order."""
        if not rows:
            return [np.empty(0, np.int64)] * self._width
        if connection.dialect.name == "sqlite":
            (texts,) = self._sqlite.ask(connection, rows)
            return [np.fromstring(text or "", np.int64, sep=",") for text in texts]
        driver: Any = connection.connection.driver_connection
        (packed,) = driver.execute(self._postgresql, _arrays(rows), binary=True).fetchall()
        return [np.frombuffer(column or b"", ">i8").astype(np.int64) for column in packed]


class Insertion:
    """Inserts rows into a table; `then` may say what happens where one is there already."""

    def __init__(self, table: str, columns: Columns, then: str = "") -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._sqlite = f"INSERT INTO {table} ({names}) VALUES ({marks}) {then}"
        self._postgresql = f"INSERT INTO {table} ({names}) SELECT {names} FROM {_unnested(columns)} {then}"

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Inserts them all."""
        _run(connection, self._sqlite, self._postgresql, rows)


class Change:
    """Updates rows of a table: the first `keys` columns say which, the others what they become."""

    def __init__(self, table: str, keys: Columns, values: Columns) -> None:
        becoming = ", ".join(f"{name} = ?{len(keys) + place}" for place, name in enumerate(values, 1))
        named = " AND ".join(f"{name} = ?{place}" for place, name in enumerate(keys, 1))
        self._sqlite = f"UPDATE {table} SET {becoming} WHERE {named}"
        becoming = ", ".join(f"{name} = given.{name}" for name in values)
        named = " AND ".join(f"{table}.{name} = given.{name}" for name in keys)
        self._postgresql = f"UPDATE {table} SET {becoming} FROM {_unnested(keys | values)} WHERE {named}"

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Updates them all; each row names another one of the table."""
        _run(connection, self._sqlite, self._postgresql, rows)


def _run(connection: Connection, sqlite: str, postgresql: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        driver.executemany(sqlite, rows)
    else:
        driver.execute(postgresql, _arrays(rows))


def _unnested(columns: Columns) -> str:
    arrays = ", ".join(f"%s::{type}[]" for type in columns.values())
    return f"unnest({arrays}) AS given ({', '.join(columns)})"


def _arrays(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
