"""Records of a CSV file (RFC 4180), cut at line breaks outside quoted fields, and their fields.

An open quote is never given up: what stands inside a quoted field is somebody's text, and must not be taken
for records of its own. So a quote that nobody closes makes one broken record of the rest of the file.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from sluice_gate.reading.lines import MAX_RECORD_BYTES, RawRecord, Span, lines
from sluice_gate.reading.values import Unreadable

_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|((?!")[^,\r\n]*))(,|\Z)')


class QuoteState:
    """Whether a quoted field is open, fed with pieces of bytes in order."""

    def __init__(self) -> None:
        self._inside = False
        self._before = b","
        # A quote at the end of a piece closes the field, unless the next piece begins with another one.
        self._closing = False

    @property
    def open(self) -> bool:
        """Whether what comes next belongs to a quoted field."""
        return self._inside and not self._closing

    def feed(self, piece: bytes) -> None:
        """Reads on through `piece`, which is not empty."""
        at = self._resume(piece)
        while (quote := piece.find(b'"', at)) >= 0:
            at = quote + 1
            if not self._inside:
                # A quote opens a field only where one begins; elsewhere it is a character of the text.
                before = piece[quote - 1 : quote] if quote else self._before
                self._inside = before in {b",", b"\n"}
            elif at == len(piece):
                self._closing = True
            elif piece[at : at + 1] == b'"':
                at += 1
            else:
                self._inside = False
        self._before = piece[-1:]

    def _resume(self, piece: bytes) -> int:
        if not self._closing:
            return 0
        self._closing = False
        if piece[:1] == b'"':
            return 1
        self._inside = False
        return 0


def csv_records(file: BinaryIO, span: Span, limit: int = MAX_RECORD_BYTES) -> Iterator[RawRecord]:
    """Yields the records of a span; the first line of the span begins a record."""
    line, first, start = span.line, span.line, span.start
    held: list[bytes] | None = []
    size, end, state = 0, span.start, QuoteState()
    for offset, piece, whole in lines(file, span, limit):
        size, end = size + len(piece), offset + len(piece)
        state.feed(piece)
        if held is not None:
            held.append(piece)
        if size > limit or not whole:
            held = None
        line += whole
        if whole and not state.open:
            yield RawRecord(start, first, None if held is None else b"".join(held), end, line - 1)
            start, first, held, size, state = end, line, [], 0, QuoteState()
    if size:
        yield RawRecord(start, first, None, end, max(first, line - 1), True)


def fields_of(text: str) -> list[str]:
    """The fields of one record without its line ending. Raises Unreadable if its quotes are out of order."""
    if '"' not in text:
        if "\r" in text or "\n" in text:
            raise Unreadable("a line break outside quotes")
        return text.split(",")
    fields: list[str] = []
    at, more = 0, True
    while more:
        match = _FIELD.match(text, at)
        if not match:
            raise Unreadable("quotes are out of order")
        quoted, plain, separator = match.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at, more = match.end(), separator == ","
    return fields
