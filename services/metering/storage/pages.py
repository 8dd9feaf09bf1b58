"""Pages of a list whose rows may be large: one ends before it is too much for an answer."""

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import Connection, Select

Row = TypeVar("Row", bound=tuple[Any, ...])

MOST_CHARACTERS = 4 * 1024 * 1024
"""Of the texts on a page, unless it is of one row; what is told of a row is smaller than its text."""
ROWS_AT_ONCE = 16
"""Read ahead of those that are looked at."""


def read_page(connection: Connection, query: Select[Any], before: int, size: int) -> tuple[list[Any], bool]:
    """Up to `size` rows, at least 1 where there are any, and whether more follow.

    `query` takes the bounds `before` and `limit`.
    """
    given = {"before": before, "limit": size + 1}
    options = {"stream_results": True, "max_row_buffer": ROWS_AT_ONCE}
    with connection.execute(query, given, execution_options=options) as rows:
        return fitting(rows, size)


def fitting(rows: Iterable[Row], size: int) -> tuple[list[Row], bool]:
    """Those of the rows that fit on a page, and whether others are left."""
    found: list[Row] = []
    characters = 0
    for row in rows:
        characters += sum(len(value) for value in row if isinstance(value, str))
        if len(found) == size or (found and characters > MOST_CHARACTERS):
            return found, True
        found.append(row)
    return found, False
