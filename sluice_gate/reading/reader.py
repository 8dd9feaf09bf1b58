"""Posts out of a file, in order, each with its bytes; broken records come as what they are.

What is read depends on the bytes of the file and its form alone: a range read again gives the same posts.
Blank lines are passed over: they are neither posts nor broken, and are not copied.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from sluice_gate.errors import FormError
from sluice_gate.posts import NEVER_CLOSED, Broken, Post, Record
from sluice_gate.reading import plain_form, x_form
from sluice_gate.reading.csv_records import csv_records, fields_of
from sluice_gate.reading.forms import BOM, Format, PostForm
from sluice_gate.reading.lines import MAX_RECORD_BYTES, RawRecord, Span, line_records
from sluice_gate.reading.times import zone_offset_us
from sluice_gate.reading.values import Unreadable


class PostReader:
    """An open file of posts."""

    def __init__(self, posts: Path, form: PostForm, *, limit: int = MAX_RECORD_BYTES) -> None:
        """Opens the file and reads what stands before the first post. `limit`: bytes of one record.

        Raises FormError if the form cannot be right, and OSError.
        """
        self._form = form
        self._limit = limit
        self._zone_us = zone_offset_us(form.zone)
        self._file: BinaryIO = posts.open("rb")
        self.size = posts.stat().st_size
        """Bytes of the file when it was opened; what is added later is not read."""
        try:
            self._header, self.body = self._read_preamble()
        except BaseException:
            self._file.close()
            raise

    @property
    def preamble(self) -> bytes:
        """The bytes before the first post, to be copied: a byte order mark, the header of a CSV."""
        self._file.seek(0)
        return self._file.read(self.body.start)

    def read(self, span: Span | None = None) -> Iterator[Record | Broken]:
        """Yields what stands in `span` (the whole body by default), which begins where a record begins."""
        span = span or self.body
        csv = self._form.format is Format.CSV
        raw_records = (csv_records if csv else line_records)(self._file, span, self._limit)
        parse = self._parser()
        for raw_record in raw_records:
            raw = raw_record.raw
            if raw is not None and raw.isspace():
                continue
            yield _record(raw_record, raw, parse)

    def close(self) -> None:
        """Lets the file go."""
        self._file.close()

    def _parser(self) -> Callable[[str], Post]:
        names, zone_us, header = self._form.names, self._zone_us, self._header
        decode = _DECODER.decode
        if self._form.format is Format.X_API:
            return lambda text: x_form.post_of(decode(text))
        if self._form.format is Format.JSON:
            return lambda text: plain_form.post_of(decode(text), names, zone_us)
        return lambda text: plain_form.post_of(_row(text, header), names, zone_us)

    def _read_preamble(self) -> tuple[list[str], Span]:
        start = len(BOM) if self._file.read(len(BOM)) == BOM else 0
        if self._form.format is not Format.CSV:
            return [], Span(start, self.size, 1)
        record = next(csv_records(self._file, Span(start, self.size, 1), self._limit), None)
        if record is None or record.raw is None:
            raise FormError("CSV_HEADER", "the file has no CSV header line")
        header = self._header_of(record.raw)
        return header, Span(record.end, self.size, record.last_line + 1)

    def _header_of(self, raw: bytes) -> list[str]:
        try:
            header = fields_of(_line(raw))
        except (Unreadable, UnicodeDecodeError) as error:
            raise FormError("CSV_HEADER", "the CSV header line cannot be read") from error
        names = self._form.names
        needed = {"id": names.id, "author": names.author, "time": names.time}
        for fact, name in needed.items():
            if name not in header and fact not in names.constants:
                raise FormError(
                    "COLUMN_MISSING", f"the CSV has no column {name!r} for the {fact} (see --map)"
                )
        if len(set(header)) < len(header):
            raise FormError("COLUMN_TWICE", "the CSV header names a column twice")
        return header


def _record(raw_record: RawRecord, raw: bytes | None, parse: Callable[[str], Post]) -> Record | Broken:
    if raw is None:
        return _broken(raw_record, NEVER_CLOSED if raw_record.unclosed else "too long")
    try:
        return Record(parse(_line(raw)), raw, raw_record.start, raw_record.line)
    except Unreadable as error:
        return _broken(raw_record, str(error))
    except UnicodeDecodeError:
        return _broken(raw_record, "not UTF-8")
    except RecursionError:
        return _broken(raw_record, "nested too deep")
    except ValueError as error:
        # The message of a JSON error says where and what was expected, and quotes nothing.
        return _broken(
            raw_record, f"not JSON: {error}" if isinstance(error, json.JSONDecodeError) else "not JSON"
        )


def _broken(raw: RawRecord, reason: str) -> Broken:
    return Broken(raw.line, raw.last_line, raw.start, raw.end, reason)


def _line(raw: bytes) -> str:
    text = raw.decode()
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _row(text: str, header: list[str]) -> dict[str, str]:
    fields = fields_of(text)
    if len(fields) != len(header):
        raise Unreadable(f"{len(fields)} fields where the header has {len(header)}")
    return dict(zip(header, fields, strict=True))


def _no_number(_: str) -> NoReturn:
    raise Unreadable("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
