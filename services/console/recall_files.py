"""What a recall asks to delete in a file: a row a post, as CSV, JSON lines or Parquet, by the file's name.

The file is there as a whole or not at all: a list that is cut short would leave posts undeleted.
"""

import csv
import io
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import typer

from services.console.bill_files import safe_cell
from services.console.parquet_rows import load_arrow
from services.console.rows import PARQUET
from sluice.licensing.v1.disclosure_service_pb2 import SubjectRelease
from sluice.licensing.v1.recall_pb2 import RecalledRelease, RecallEntry

COLUMNS = ("withdrawal_id", "decision_id", "license_id", "post_id")
Row = tuple[str, str, str, int]


class Form(Protocol):
    """How rows are written."""

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows."""
        ...

    def close(self) -> None:
        """That were all."""
        ...


def form_of(path: Path) -> Callable[[BinaryIO], Form]:
    """By the end of the name; raises typer.BadParameter, and Refusal PARQUET_MISSING."""
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        return ParquetForm
    if suffix == ".csv":
        return CsvForm
    if suffix in {".jsonl", ".ndjson"}:
        return JsonLinesForm
    known = ".csv, .jsonl, .ndjson, .parquet or .pq"
    raise typer.BadParameter(f"{path.name} should end in {known}", param_hint="--out")


class EntriesFile:
    """A file of entries that is being written; a context manager that leaves nothing half done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f".{path.name}.unfinished")
        make = form_of(path)
        self._file = self._unfinished.open("wb")
        self._form = make(self._file)
        self.posts = 0

    def __enter__(self) -> "EntriesFile":
        """Open already."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Puts it in its place, or removes it where something was raised; raises OSError."""
        try:
            # In any case: a writer of Parquet must not outlive its file.
            self._form.close()
            self._file.close()
            if kind is None:
                self._unfinished.replace(self._path)
        finally:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)

    def write(self, entries: Sequence[RecallEntry]) -> None:
        """A page of entries; raises OSError."""
        rows = list(rows_of(entries))
        self.posts += len(rows)
        self._form.write(rows)


def rows_of(entries: Sequence[RecallEntry]) -> Iterator[Row]:
    """A row a post."""
    for entry in entries:
        for release in entry.releases:
            for post_id in post_ids(release):
                yield entry.withdrawal_id, release.decision_id, release.license_id, post_id


def post_ids(release: RecalledRelease | SubjectRelease) -> list[int]:
    """The posts of a release, in their order."""
    return [post_id for (post_id,) in struct.iter_unpack("<Q", release.post_ids)]


def post_id_texts(release: RecalledRelease | SubjectRelease) -> list[str]:
    """Likewise for JSON, of which many readers take numbers above 2^53 for others."""
    return list(map(str, post_ids(release)))


class CsvForm:
    """RFC 4180, with a header."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(COLUMNS)

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows."""
        # Licenses have ids that somebody chose.
        self._writer.writerows((*ids, safe_cell(license_id), post_id) for *ids, license_id, post_id in rows)

    def close(self) -> None:
        """Leaves the file open."""
        self._text.detach()


class JsonLinesForm:
    """An object a line; post ids are texts, for many readers take numbers above 2^53 for others."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows."""
        for *ids, post_id in rows:
            fields = dict(zip(COLUMNS, (*ids, str(post_id)), strict=True))
            self._file.write(json.dumps(fields).encode() + b"\n")

    def close(self) -> None:
        """Nothing is left to write."""


class ParquetForm:
    """Texts, and post ids as 64 bits without sign."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises Refusal PARQUET_MISSING."""
        self._arrow = load_arrow()
        texts = [(name, self._arrow.string()) for name in COLUMNS[:-1]]
        self._schema = self._arrow.schema([*texts, (COLUMNS[-1], self._arrow.uint64())])
        self._writer: Any = self._arrow.parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows, as a group."""
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in COLUMNS]
        self._writer.write_table(self._arrow.table(columns, schema=self._schema))

    def close(self) -> None:
        """Writes the foot."""
        self._writer.close()
