"""Files of accesses seen elsewhere, a page at a time: what is no access is listed and stops nothing (M7)."""

import enum
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.refusals import invalid
from services.console.access_rows import REQUIRED, CsvAccesses, Defaults, JsonAccesses, NotARow
from services.console.combined_log import LogLine, NotALogLine, read_line
from services.console.line_files import COMPRESSED, LineFile
from services.console.names import value_name
from services.console.robots import Robots, party_of_address
from services.console.rows import CHUNK_BYTES, BadRow, Chunk
from sluice.metering.v1.access_pb2 import AccessKind, SeenAccess
from sluice.type.v1.content_pb2 import ContentKind

PAGE_ROWS = 2_000

ReadAccess = Callable[[str], SeenAccess | None]
"""Reads a line; None for one that is none of our business. Raises NotARow, NotALogLine, ValueError."""


class Form(enum.StrEnum):
    """How accesses are written."""

    CSV = "csv"
    JSONL = "jsonl"
    COMBINED = "combined"


_FORMS = {".csv": Form.CSV, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL, ".json": Form.JSONL}


@dataclass
class LogAccesses:
    """Reads lines of access logs: one post each."""

    defaults: Defaults
    robots: Robots | None = None
    """Whose lines count for them; None: every line counts for the address that it came from."""
    only: re.Pattern[str] | None = None
    """Found in the paths that are posts; None: every path is one."""
    passed_over: int = field(default=0, init=False)
    """Lines of other paths."""

    def __call__(self, text: str) -> SeenAccess | None:
        """Raises NotALogLine, and ValueError about a time."""
        line = read_line(text)
        if self.only and not self.only.search(line.path):
            self.passed_over += 1
            return None
        robot = self.robots.party(line.user_agent) if self.robots else None
        return SeenAccess(
            source=self.defaults.source,
            party_id=robot or party_of_address(line.client),
            accessed_at=line.at,
            access=access_of(line),
            kind=value_name(ContentKind.DESCRIPTOR, self.defaults.kind),
            media_flags=self.defaults.media_flags,
            posts=1,
        )


def access_of(line: LogLine) -> AccessKind:
    """How far it came: only the answer to a GET that went well holds a post (M5)."""
    is_given = line.method == "GET" and 200 <= line.status < 300
    return AccessKind.ACCESS_KIND_ACCESS if is_given else AccessKind.ACCESS_KIND_REQUEST


def form_of(path: Path) -> Form:
    """As the name says; logs have names of all kinds."""
    return _FORMS.get(Path(uncompressed_name(path)).suffix.lower(), Form.COMBINED)


def uncompressed_name(path: Path) -> str:
    """The name that the file has, or had before it was compressed: its lines are the same."""
    return path.stem if path.suffix.lower() == COMPRESSED else path.name


def read_accesses(path: Path, form: Form, log: LogAccesses) -> Iterator[Chunk[SeenAccess]]:
    """Reads a file; `log` says how where it is one, and holds the defaults.

    Raises Refusal (CSV_COLUMNS) and OSError.
    """
    file = LineFile(path)
    lines = iter(file)
    read = _reader(path, form, log, lines)
    chunk: Chunk[SeenAccess] = Chunk()
    for number, line in lines:
        _take(chunk, number, line, read)
        if len(chunk.rows) >= PAGE_ROWS or chunk.size >= CHUNK_BYTES:
            chunk.bytes_read = file.position
            yield chunk
            chunk = Chunk()
    chunk.bytes_read = path.stat().st_size
    yield chunk


def _reader(path: Path, form: Form, log: LogAccesses, lines: Iterator[tuple[int, bytes | str]]) -> ReadAccess:
    if form is Form.COMBINED:
        return log
    if form is Form.JSONL:
        return JsonAccesses(log.defaults)
    number, header = next(lines, (0, b""))
    if not number:
        said = (
            f"{path.name} is empty; its first line would name its columns: {', '.join(REQUIRED)} and others"
        )
        raise invalid("CSV_COLUMNS", said)
    text = header.decode(errors="replace") if isinstance(header, bytes) else ""
    return CsvAccesses(text, path.name, log.defaults)


def _take(chunk: Chunk[SeenAccess], number: int, line: bytes | str, read: ReadAccess) -> None:
    if isinstance(line, str):
        chunk.bad.append(BadRow(number, "ROW_MALFORMED", line))
        return
    try:
        access = read(line.decode())
    except UnicodeDecodeError as error:
        chunk.bad.append(BadRow(number, "ROW_MALFORMED", f"byte {error.start + 1} of the line is no UTF-8"))
    except (NotARow, NotALogLine) as error:
        chunk.bad.append(BadRow(number, "ROW_MALFORMED", str(error)))
    except ValueError as error:
        chunk.bad.append(BadRow(number, "CELL_MALFORMED", str(error)))
    else:
        if access is not None:
            if not access.id:
                # Bytes and not text: they are the same wherever and however the line is read again.
                access.line_digest = hashlib.sha256(line).digest()
            chunk.rows.append((number, access))
            chunk.size += access.ByteSize()
