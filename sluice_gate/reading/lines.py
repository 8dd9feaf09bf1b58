"""Lines out of a file, one at a time, with their place; one that is too long is passed over, never held."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""Bytes of one record, its line ending included; a longer one is broken."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where to read: a byte range, and the number of the line that begins it."""

    start: int
    end: int
    line: int


def lines(file: BinaryIO, span: Span, limit: int = MAX_RECORD_BYTES) -> Iterator[tuple[int, bytes, bool]]:
    """Yields (offset, bytes, whether the line ends here) for the lines of a span.

    A line of over `limit` bytes comes in several pieces of at most so many bytes. The end of the span ends a
    line, whatever the file has grown to since.
    """
    file.seek(span.start)
    position = span.start
    while position < span.end:
        piece = file.readline(min(limit, span.end - position))
        if not piece:
            return
        whole = piece.endswith(b"\n") or position + len(piece) >= span.end
        yield position, piece, whole
        position += len(piece)


@dataclass(slots=True)
class RawRecord:
    """One record as it stands in the file."""

    start: int
    line: int
    raw: bytes | None
    """The bytes, None where there are too many."""
    end: int
    last_line: int
    unclosed: bool = False
    """A quoted field is still open where the file ends."""


def line_records(file: BinaryIO, span: Span, limit: int = MAX_RECORD_BYTES) -> Iterator[RawRecord]:
    """Yields every line of a span as a record."""
    line, start, held = span.line, span.start, 0
    for offset, piece, whole in lines(file, span, limit):
        if not held:
            start = offset
        held += 1
        if whole:
            yield RawRecord(start, line, piece if held == 1 else None, offset + len(piece), line)
            line, held = line + 1, 0
    if held:
        # Only a file that shrank while it was read ends inside a piece.
        yield RawRecord(start, line, None, span.end, line)
