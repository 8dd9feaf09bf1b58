"""CSV files as rows of an import, a chunk at a time: a bad row is listed by its line and stops nothing."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TextIO, TypeVar

from google.protobuf.message import Message

from services.chassis.refusals import invalid

CHUNK_ROWS = 10_000
"""What one request of an import takes."""
CHUNK_BYTES = 3 * 1024 * 1024
"""Of rows as they stand in the file: the request stays below the largest that the services take."""
LARGEST_ID = 2**64 - 1

_ID = re.compile(r"[0-9]{1,20}")

M_co = TypeVar("M_co", bound=Message, covariant=True)
M = TypeVar("M", bound=Message)
T = TypeVar("T")


@dataclass(frozen=True)
class BadRow:
    """A row that was not taken."""

    line: int
    """In the file, from 1, the header included."""
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


class _CsvReader(Protocol):
    """What `csv.reader` gives; its type has no public name."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


class ReadRow(Protocol[M_co]):
    """Turns one row into a message; raises ValueError with a sentence about the cell at fault."""

    def __call__(self, row: dict[str, str]) -> M_co:
        """`row` holds every column of the header, "" where the row has no cell."""
        ...


def read_chunks(path: Path, columns: Sequence[str], read_row: ReadRow[M]) -> Iterator[Chunk[M]]:
    """Reads a file whose header names exactly `columns`, in any order.

    Raises Refusal (invalid, CSV_COLUMNS) for another header, and OSError.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = _header(reader, columns, path.name)
        chunk: Chunk[M] = Chunk()
        for line, cells in _cells(reader):
            _take(chunk, line, cells, header, read_row)
            if chunk.is_full:
                chunk.bytes_read = _position(file)
                yield chunk
                chunk = Chunk()
        chunk.bytes_read = path.stat().st_size
        yield chunk


def subject_id(text: str) -> int:
    """An id of 1 to 20 decimal digits, exact to 64 bits; raises ValueError."""
    if not _ID.fullmatch(text.strip()) or not 0 < int(text) <= LARGEST_ID:
        raise ValueError(f"subject_id: a number from 1 to {LARGEST_ID} is expected, not {text!r}")
    return int(text)


def digest(column: str, text: str) -> bytes:
    """A SHA-256 digest in hex; raises ValueError."""
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        value = b""
    if len(value) != 32:
        raise ValueError(f"{column}: 64 hex digits are expected, not {text!r}")
    return value


def in_column(column: str, read: Callable[[str], T], text: str) -> T:
    """What `read` makes of a cell; its ValueError gets the column's name."""
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None


def _header(reader: _CsvReader, columns: Sequence[str], source: str) -> list[str]:
    try:
        header = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error):
        header = []
    if sorted(header) != sorted(columns):
        raise invalid(
            "CSV_COLUMNS",
            f"the first line of {source} must name these columns: {','.join(columns)};"
            f" it says {','.join(header) or 'nothing'}",
        )
    return header


def _cells(reader: _CsvReader) -> Iterator[tuple[int, list[str] | str]]:
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


def _take(
    chunk: Chunk[M], line: int, cells: list[str] | str, header: Sequence[str], read_row: ReadRow[M]
) -> None:
    if isinstance(cells, str):
        chunk.bad.append(BadRow(line, "ROW_MALFORMED", cells))
    elif len(cells) > len(header):
        chunk.bad.append(BadRow(line, "ROW_MALFORMED", f"{len(cells)} cells for {len(header)} columns"))
    else:
        cells = cells + [""] * (len(header) - len(cells))
        try:
            message = read_row(dict(zip(header, cells, strict=True)))
        except ValueError as error:
            chunk.bad.append(BadRow(line, "CELL_MALFORMED", str(error)))
        else:
            chunk.rows.append((line, message))
            chunk.size += message.ByteSize()


def _position(file: TextIO) -> int:
    # TextIOWrapper.tell is forbidden while it is being iterated; the buffer below knows well enough.
    return int(file.buffer.tell())
