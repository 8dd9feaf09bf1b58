"""Ids of subjects as people hand them in: in decimal, as the platform writes them, and in no other way.

What is no id is told apart, and never read as one that is like it.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

COLUMN = "subject_id"
"""Of a CSV file that has a header; of another one ids are in the first column."""
_ID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)
_LARGEST = 2**64 - 1
_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Named:
    """Whom a list names."""

    ids: tuple[int, ...]
    """Each once, in the order of the list."""
    faults: tuple[str, ...]
    """What stands in it and is no id."""


def subject_id_in(text: str) -> int | None:
    """The id, from 1 to 2**64 - 1; None where it is none."""
    return int(text) if _ID.fullmatch(text) and int(text) <= _LARGEST else None


def named(cells: Iterable[str]) -> Named:
    """Whom cells name, one each; those that are empty name nobody."""
    ids: dict[int, None] = {}
    faults: dict[str, None] = {}
    for cell in filter(None, map(str.strip, cells)):
        id = subject_id_in(cell)
        if id is None:
            faults[cell] = None
        else:
            ids[id] = None
    return Named(tuple(ids), tuple(faults))


def cells_of_text(text: str) -> list[str]:
    """What stands between white space, commas and semicolons."""
    return _BETWEEN.split(text)


def cells_of_csv(content: bytes) -> list[str]:
    """The column of ids, without its heading; raises csv.Error for what is no CSV.

    In UTF-8 or, with its mark at the beginning, UTF-16; between the cells of a row stand commas, or, as
    spreadsheets of many languages write it, semicolons or tabs.
    """
    text = content.decode(_encoding(content), errors="replace")
    between = _between_cells(text.partition("\n")[0])
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True) if row]
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    if COLUMN not in heading:
        return [row[0] for row in rows]
    at = heading.index(COLUMN)
    return [row[at] for row in rows[1:] if len(row) > at]


def _encoding(content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if marked else "utf-8-sig"


def _between_cells(row: str) -> str:
    """What stands most often between the cells of a row, outside of quotation marks."""
    outside = "".join(row.split('"')[::2])
    return max(",;\t", key=outside.count)
