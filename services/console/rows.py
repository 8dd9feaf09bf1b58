"""Files of rows, a chunk at a time: CSV, or Parquet by its suffix. A bad row is listed and stops nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from google.protobuf.message import Message

from services.console.columns import Columns
from services.console.csv_rows import CsvRows
from services.console.parquet_rows import ParquetRows

CHUNK_ROWS = 10_000
"""What one request of an import takes."""
CHUNK_BYTES = 3 * 1024 * 1024
"""Of rows as they stand in the file: the request stays below the largest that the services take."""
PARQUET = (".parquet", ".pq")

M_co = TypeVar("M_co", bound=Message, covariant=True)
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class BadRow:
    """A row that was not taken."""

    line: int
    """In a CSV file from 1, the header included; in a Parquet file the row's number from 1."""
    reason: str
    """UPPER_SNAKE."""
    message: str


@dataclass
class Chunk(Generic[M]):
    """Rows that go into one request, and what was wrong with others between them."""

    rows: list[tuple[int, M]] = field(default_factory=list)
    """Line and message."""
    bad: list[BadRow] = field(default_factory=list)
    bytes_read: int = 0
    """Of the file, up to the end of the chunk."""
    size: int = 0
    """Bytes of the rows as they are sent."""

    @property
    def is_full(self) -> bool:
        """Whether it makes up a request."""
        return len(self.rows) >= CHUNK_ROWS or self.size >= CHUNK_BYTES


class ReadRow(Protocol[M_co]):
    """Turns one row into a message; raises ValueError with a sentence about the cell at fault."""

    def __call__(self, row: dict[str, str]) -> M_co:
        """`row` holds every column there can be, "" where the row or the file has none."""
        ...


def read_chunks(path: Path, columns: Columns, read_row: ReadRow[M]) -> Iterator[Chunk[M]]:
    """Reads a file with these columns, in any order.

    Raises Refusal (CSV_COLUMNS, PARQUET_COLUMNS, PARQUET_MISSING, PARQUET_UNREADABLE) and OSError.
    """
    is_parquet = path.suffix.lower() in PARQUET
    rows = ParquetRows(path, columns) if is_parquet else CsvRows(path, columns)
    chunk: Chunk[M] = Chunk()
    for line, cells in rows:
        _take(chunk, line, cells, read_row)
        if chunk.is_full:
            chunk.bytes_read = rows.position
            yield chunk
            chunk = Chunk()
    chunk.bytes_read = path.stat().st_size
    yield chunk


def _take(chunk: Chunk[M], line: int, cells: dict[str, str] | str, read_row: ReadRow[M]) -> None:
    if isinstance(cells, str):
        chunk.bad.append(BadRow(line, "ROW_MALFORMED", cells))
        return
    try:
        message = read_row(cells)
    except ValueError as error:
        chunk.bad.append(BadRow(line, "CELL_MALFORMED", str(error)))
    else:
        chunk.rows.append((line, message))
        chunk.size += message.ByteSize()
