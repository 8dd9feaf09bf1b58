"""The forms in which a file of posts can stand, and how to tell which it is."""

import enum
import json
from dataclasses import dataclass, field
from pathlib import Path

from sluice_gate.errors import FormError
from sluice_gate.reading.lines import Span, line_records
from sluice_gate.reading.plain_form import Names

BOM = b"\xef\xbb\xbf"
_LINES_LOOKED_AT = 100
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")


class Format(enum.StrEnum):
    """How posts are written down."""

    X_API = "x-api"
    """One raw X API v1.1 status object a line."""
    JSON = "json"
    """One JSON object a line, with a mapping of names."""
    CSV = "csv"
    """RFC 4180 with a header line, with a mapping of names."""


@dataclass(frozen=True)
class PostForm:
    """Everything needed to read a file of posts the same way again."""

    format: Format
    names: Names = field(default_factory=Names)
    """Not used by the raw X form, whose names are fixed."""
    zone: str | None = None
    """Zone of times that name none: "UTC" or an offset such as "+02:00". None: such times are refused."""


def detect(posts: Path) -> Format:
    """The format of a file, by the first line that says it. An empty file is JSON lines of nothing.

    Raises FormError for a file that is compressed or one JSON array, and OSError.
    """
    with posts.open("rb") as file:
        head = file.read(4)
        if head.startswith(_COMPRESSED):
            raise FormError("COMPRESSED", f"{posts} is compressed; unpack it first")
        start = len(BOM) if head.startswith(BOM) else 0
        records = line_records(file, Span(start, posts.stat().st_size, 1))
        for record, _ in zip(records, range(_LINES_LOOKED_AT), strict=False):
            line = (record.raw or b"").strip()
            if line and (format := _format_of(line, posts)) is not None:
                return format
    return Format.JSON


def _format_of(line: bytes, posts: Path) -> Format | None:
    """What one line says; None for a broken JSON line, which says nothing."""
    if line.startswith(b"["):
        raise FormError("JSON_ARRAY", f"{posts} is one JSON array; it must be an object a line")
    if not line.startswith(b"{"):
        return Format.CSV
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return Format.X_API if "id_str" in value and isinstance(value.get("user"), dict) else Format.JSON
