"""The journal of a job: what was delivered, so that a job that dies at any moment can be taken up again.

A batch is in the journal once its bytes are durable in all other files, and not before. Whatever else may be
in those files is cut off on resuming; whatever licensing knows and the journal does not was not delivered.
"""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sluice_gate.errors import JobRefused
from sluice_gate.files import AppendFile, sync_folder

JOURNAL_VERSION = 1

Fields = dict[str, object]


@dataclass(frozen=True)
class Header:
    """What a job is about. A job that is resumed must be about the same."""

    run: str
    posts: str
    """Absolute path of the input."""
    size: int
    """Bytes of the input."""
    modified_ns: int
    """Time of the last change of the input, in nanoseconds."""
    fingerprint: str
    """Digest of the first and last bytes of the input, in hex."""
    license_id: str
    purpose: int
    format: str
    names: Fields
    """The mapping of names, fact by fact."""
    zone: str | None
    batch_size: int
    """Posts."""
    preamble: int
    """Bytes of the input before its first post; the output begins with them."""
    v: int = JOURNAL_VERSION


@dataclass(frozen=True)
class Entry:
    """One batch that is done. Lengths are bytes of the files after it."""

    batch: int
    round: int
    """The round whose decision counts; all earlier ones delivered nothing."""
    decision_id: str
    """Empty where the batch had no post to ask for."""
    input: tuple[int, int]
    """Offsets of its first byte and after its last byte."""
    next_line: int
    output: int
    receipts: int
    manifest: int
    posts: int
    delivered: str
    """Bitmap of the posts delivered, in hex."""
    reasons: dict[str, int]
    """Posts by reason, RELEASED among them."""
    broken: list[tuple[int, int, int, int, str]]
    """The fields of `posts.Broken` of each broken record."""
    waits: int = 0
    """Times that the batch waited for room."""

    @property
    def delivers(self) -> bool:
        """Whether anything was delivered, so that there is something to confirm."""
        return any(bytes.fromhex(self.delivered))


def encode(fields: object) -> bytes:
    """One line of a journal or of a file beside it: JSON with sorted keys and no spaces."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class Journal:
    """An open journal, locked against a second job."""

    def __init__(self, file: AppendFile) -> None:
        self._file = file
        self._notes: list[bytes] = []

    @classmethod
    def create(cls, path: Path, header: Header) -> "Journal":
        """A new journal that is on disk with its whole header or not at all.

        Raises JobRefused (JOURNAL_EXISTS, JOB_RUNNING) and OSError.
        """
        fd, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(encode(asdict(header)))
                file.flush()
                os.fsync(fd)
            os.link(draft, path)
        except FileExistsError as error:
            raise JobRefused("JOURNAL_EXISTS", f"{path} is there already; resume its run instead") from error
        finally:
            Path(draft).unlink()
        sync_folder(path.parent)
        return cls(_locked(path))

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """The journal of a job to be resumed; a torn end is cut off. Raises JobRefused and OSError."""
        if not path.exists():
            raise JobRefused("JOURNAL_MISSING", f"{path} is not there: nothing to resume")
        file = _locked(path)
        try:
            file.cut(_whole_length(path))
        except BaseException:
            file.close()
            raise
        return cls(file)

    def add(self, entry: Entry) -> None:
        """Writes down, durably, that a batch is done. Raises OSError."""
        # The entry stands first: if this write is torn, at most notes stand after what cannot be read.
        self._file.append(encode({"done": asdict(entry)}) + self._take_notes())
        self._file.sync()

    def note_confirmed(self, batch: int) -> None:
        """Notes that licensing knows of a delivery, with the next entry. Lost, it is confirmed again."""
        self._notes.append(encode({"confirmed": batch}))

    def flush(self, *, finished: bool) -> None:
        """Writes the notes down, and whether the job has reached the end of its input. Raises OSError."""
        notes = self._take_notes()
        self._file.append(notes + (encode({"finished": True}) if finished else b""))
        self._file.sync()

    def close(self) -> None:
        """Lets the journal and its lock go."""
        self._file.close()

    def _take_notes(self) -> bytes:
        notes, self._notes = b"".join(self._notes), []
        return notes


def read_header(path: Path) -> Header:
    """The first line of a journal. Raises JobRefused (JOURNAL_DAMAGED, JOURNAL_VERSION) and OSError."""
    with path.open("rb") as file:
        fields = _parsed(file.readline())
    if fields is None or "run" not in fields:
        raise JobRefused("JOURNAL_DAMAGED", f"{path} does not begin as a journal does")
    if fields.get("v") != JOURNAL_VERSION:
        raise JobRefused("JOURNAL_VERSION", f"{path} was written by another version")
    if not _is_of(fields, _HEADER_TYPES):
        raise JobRefused("JOURNAL_DAMAGED", f"{path} does not begin as a journal does")
    return Header(**fields)  # type: ignore[arg-type]  # checked field by field above


def run_of(path: Path) -> str | None:
    """The run that a journal is of; None where there is no journal that says it."""
    try:
        return read_header(path).run
    except (JobRefused, OSError):
        return None


def read_entries(path: Path) -> Iterator[Entry | int | None]:
    """Yields what follows the header: an Entry, the number of a confirmed batch, or None for the end.

    Raises JobRefused (JOURNAL_DAMAGED) if anything but the torn end of a write cannot be read, and OSError.
    """
    with path.open("rb") as file:
        file.readline()
        for line in file:
            fields = _parsed(line)
            if fields is None:
                _check_torn(path, file.read().split(b"\n"))
                return
            yield _read(path, fields)


def _read(path: Path, fields: Fields) -> Entry | int | None:
    if fields == {"finished": True}:
        return None
    if _is_of(fields, {"confirmed": _is_count}):
        return fields["confirmed"]  # type: ignore[return-value]  # checked above
    done = fields.get("done")
    if len(fields) != 1 or not isinstance(done, dict) or not _is_of(done, _ENTRY_TYPES):
        raise JobRefused("JOURNAL_DAMAGED", f"{path} holds an entry that cannot be read")
    return Entry(**{**done, "input": tuple(done["input"])})


def _is_of(fields: Mapping[str, object], types: Mapping[str, Callable[[object], bool]]) -> bool:
    """Whether these fields are there, each of its type, and no others."""
    return fields.keys() == types.keys() and all(is_so(fields[name]) for name, is_so in types.items())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    # A bool is an int to Python, not to a journal.
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_count(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]  # a number


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and bool(_HEX.fullmatch(value))


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_count, value))


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _are_names(value: object) -> bool:
    if not isinstance(value, dict) or not _are_texts(value.get("constants")):
        return False
    return all(_is_text(name) for fact, name in value.items() if fact != "constants")


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _are_broken(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(broken, list)
        and len(broken) == 5
        and all(map(_is_count, broken[:4]))
        and _is_text(broken[4])
        for broken in value
    )


_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_HEADER_TYPES: Mapping[str, Callable[[object], bool]] = {
    "run": _is_text,
    "posts": _is_text,
    "size": _is_count,
    "modified_ns": _is_number,
    "fingerprint": _is_text,
    "license_id": _is_text,
    "purpose": _is_number,
    "format": _is_text,
    "names": _are_names,
    "zone": lambda value: value is None or _is_text(value),
    "batch_size": _is_count,
    "preamble": _is_count,
    "v": _is_count,
}
_ENTRY_TYPES: Mapping[str, Callable[[object], bool]] = {
    "batch": _is_count,
    "round": _is_count,
    "decision_id": _is_text,
    "input": _is_range,
    "next_line": _is_count,
    "output": _is_count,
    "receipts": _is_count,
    "manifest": _is_count,
    "posts": _is_count,
    "delivered": _is_hex,
    "reasons": _are_counts,
    "broken": _are_broken,
    "waits": _is_count,
}


def _check_torn(path: Path, rest: list[bytes]) -> None:
    """A write that was torn is the last one: after it no other batch can have been written."""
    if any(b'"done"' in line for line in rest):
        raise JobRefused("JOURNAL_DAMAGED", f"{path} cannot be read in the middle")


def _whole_length(path: Path) -> int:
    """Bytes up to the end of the last line that can be read. Raises JobRefused."""
    read_header(path)
    length = 0
    with path.open("rb") as file:
        for line in file:
            if _parsed(line) is None:
                _check_torn(path, file.read().split(b"\n"))
                break
            length += len(line)
    return length


def _parsed(line: bytes) -> Fields | None:
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _locked(path: Path) -> AppendFile:
    file = AppendFile.open(path)
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise JobRefused("JOB_RUNNING", f"another job is working on {path}") from error
    return file
