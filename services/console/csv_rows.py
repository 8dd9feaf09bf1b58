"""Rows of a CSV file. What is no CSV is a fault of its row and not the end of the file."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TextIO

from services.console.columns import Columns

Cells = dict[str, str]
"""By column; "" where the row has no cell, or the file no such column."""


class CsvRows:
    """Iterates over (line, cells or what is wrong with the row), once. Lines count from 1, the header's."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        self._file: TextIO = path.open(encoding="utf-8-sig", errors="replace", newline="")

    @property
    def position(self) -> int:
        """Bytes of the file that were read."""
        # TextIOWrapper.tell is forbidden while it is being iterated; the buffer below knows well enough.
        return int(self._file.buffer.tell())

    def __iter__(self) -> Iterator[tuple[int, Cells | str]]:
        """Raises Refusal (invalid, CSV_COLUMNS) for another header, and OSError."""
        with self._file:
            reader = csv.reader(self._file, strict=True)
            header = self._header(reader)
            missing = dict.fromkeys(self._columns.all, "")
            for line, cells in _rows(reader):
                if isinstance(cells, str):
                    yield line, cells
                elif len(cells) > len(header):
                    yield line, f"{len(cells)} cells for {len(header)} columns"
                else:
                    yield line, missing | dict(zip(header, cells, strict=False))

    def _header(self, reader: "_CsvReader") -> list[str]:
        try:
            header = [name.strip() for name in next(reader)]
        except (StopIteration, csv.Error):
            header = []
        self._columns.check(header, f"the first line of {self._path.name}", "CSV_COLUMNS")
        return header


class _CsvReader(Protocol):
    """What `csv.reader` gives; its type has no public name."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


def _rows(reader: _CsvReader) -> Iterator[tuple[int, list[str] | str]]:
    """Line and cells of each row that is not blank, or what is wrong with it."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"this is not CSV: {error}"
            continue
        if cells:
            yield line, cells
