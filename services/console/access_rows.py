"""Accesses as rows with names: CSV and JSON lines, each line an access of its own."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from services.console.cells import in_column, listed, word
from services.console.columns import Columns
from services.console.exact_times import read_exact
from sluice.metering.v1.access_pb2 import AccessKind, SeenAccess
from sluice.type.v1.content_pb2 import ContentKind, MediaFlag

REQUIRED = ("party", "time", "access")
OPTIONAL = ("source", "id", "kind", "media", "posts", "reservation")
FORM = Columns(("source", "id", "party", "time", "access", "kind", "media", "posts", "reservation"), OPTIONAL)
MOST_POSTS = 2**31 - 1
ALL_MEDIA = 7

_NOTHING = dict.fromkeys(FORM.all, "")
_WHOLE = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class Defaults:
    """What holds for accesses that do not say it themselves."""

    source: str
    kind: str = "post"
    """Its word."""
    media_flags: int = 0
    zone: tzinfo | None = None
    """Of times without one; None: they are refused."""


class NotARow(ValueError):  # noqa: N818 - it is a finding, and the rest of the file is none the worse
    """The line is no row at all."""


class CsvAccesses:
    """Reads lines below a header. A cell ends with its line: a lone quote spoils no other line."""

    def __init__(self, header: str, name: str, defaults: Defaults) -> None:
        """`name` is the file's. Raises Refusal (invalid, CSV_COLUMNS)."""
        try:
            self._header = [column.strip() for column in _cells(header)]
        except NotARow:
            self._header = []
        FORM.check(self._header, f"the first line of {name}", "CSV_COLUMNS")
        self._defaults = defaults

    def __call__(self, text: str) -> SeenAccess:
        """Raises NotARow, and ValueError about a cell."""
        cells = _cells(text)
        if len(cells) != len(self._header):
            raise NotARow(f"{len(cells)} cells for {len(self._header)} columns")
        return read_access(_NOTHING | dict(zip(self._header, cells, strict=True)), self._defaults)


class JsonAccesses:
    """Reads lines that are JSON objects."""

    def __init__(self, defaults: Defaults) -> None:
        self._defaults = defaults

    def __call__(self, text: str) -> SeenAccess:
        """Raises NotARow, and ValueError about a field."""
        try:
            fields = json.loads(text, object_pairs_hook=_once_each)
        except NotARow:
            raise
        except (ValueError, RecursionError):
            raise NotARow("this is not JSON") from None
        if not isinstance(fields, dict):
            raise NotARow("a JSON object is expected")
        if strange := [name for name in fields if name not in FORM.all]:
            raise NotARow(f"{strange[0]!r} is not known; known are {', '.join(FORM.all)}")
        row = {name: _as_cell(name, value) for name, value in fields.items()}
        return read_access(_NOTHING | row, self._defaults)


def read_access(row: dict[str, str], defaults: Defaults) -> SeenAccess:
    """One row; raises ValueError with a sentence about the cell at fault."""
    cells = {column: cell.strip() for column, cell in row.items()}
    if not cells["party"]:
        raise ValueError("party: it is missing")
    media = cells["media"]
    return SeenAccess(
        source=cells["source"] or defaults.source,
        id=cells["id"],
        party_id=cells["party"],
        accessed_at=in_column("time", lambda text: read_exact(text, defaults.zone), cells["time"]),
        access=word("access", AccessKind.DESCRIPTOR, cells["access"].lower()),
        kind=word("kind", ContentKind.DESCRIPTOR, cells["kind"].lower() or defaults.kind),
        media_flags=read_media(listed(media)) if media else defaults.media_flags,
        posts=_posts(cells["posts"] or "1"),
        reservation_id=cells["reservation"],
    )


def read_media(parts: Sequence[str]) -> int:
    """Media by their words, or as the sum of their flags; raises ValueError."""
    flags = 0
    for part in parts:
        if _WHOLE.fullmatch(part):
            if int(part) > ALL_MEDIA:
                raise ValueError(f"media: a number from 0 to {ALL_MEDIA} is expected, not {part!r}")
            flags |= int(part)
        else:
            flags |= MediaFlag.Value(word("media", MediaFlag.DESCRIPTOR, part.lower()))
    return flags


def _posts(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not 0 < int(text) <= MOST_POSTS:
        raise ValueError(f"posts: a number from 1 to {MOST_POSTS} is expected, not {text[:60]!r}")
    return int(text)


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except (StopIteration, csv.Error) as error:
        raise NotARow(f"this is not CSV: {error}") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise NotARow("a field is there twice")
    return fields


def _as_cell(name: str, value: Any) -> str:
    """A value as a cell of CSV would have it."""
    if value is None:
        return ""
    if isinstance(value, list) and name == "media":
        return "|".join(_as_cell(name, each) for each in value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{name}: a text or a whole number is expected")  # noqa: TRY004 - a finding like others
    text = str(value)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{name}: half a character stands there")
    return text
