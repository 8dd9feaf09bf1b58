"""The folder of a bundle, as a stranger packed it: which files are there, and whether they are as summed up.

Only plain files in their places are ever opened: no links, no devices, and no path that a file names.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from sluice_gate.damages.differences import MISSING, Difference, shown
from sluice_gate.damages.sweeping import Progress
from sluice_gate.errors import VerificationError

ASSESSMENT, SUMS, README, PLOT = "assessment.json", "SHA256SUMS", "README.md", "window.svg"
EVIDENCE = "evidence"
MOST_BYTES = 2**28
"""Of files that are read as a whole: the document and the sums."""
_LINE = re.compile(rb"([0-9a-f]{64})  ([^\n]+)")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Folder:
    """The plain files of a bundle, by their path within it."""

    files: dict[str, Path]
    strays: tuple[Difference, ...]
    """What is in the folder and no plain file in its place."""

    def read(self, name: str) -> bytes | None:
        """The whole file; None where it is not there."""
        path = self.files.get(name)
        return path.read_bytes() if path is not None else None


def part_name(index: int) -> str:
    """The path of a chunk's file within a bundle."""
    return f"{EVIDENCE}/part-{index:05}.parquet"


def open_folder(bundle: Path) -> Folder:
    """Looks at what is there. Raises VerificationError (NOT_A_BUNDLE) and OSError."""
    if not bundle.is_dir():
        raise VerificationError("NOT_A_BUNDLE", f"{bundle} is not a folder")
    files: dict[str, Path] = {}
    strays: list[Difference] = []
    for prefix in ("", f"{EVIDENCE}/"):
        # A link in place of the folder of evidence leads outside.
        if prefix and not _is_folder(bundle / EVIDENCE):
            continue
        for path in sorted((bundle / prefix).iterdir()):
            name = f"{prefix}{path.name}"
            if stat.S_ISREG(path.lstat().st_mode):
                if name in {ASSESSMENT, SUMS} and path.lstat().st_size > MOST_BYTES:
                    strays.append(Difference(name, "a file too large", f"at most {MOST_BYTES} bytes"))
                else:
                    files[name] = path
            elif name != EVIDENCE or not _is_folder(path):
                strays.append(Difference(shown(name), _kind(path), "a plain file, or not there"))
    if ASSESSMENT not in files and not strays:
        raise VerificationError("NOT_A_BUNDLE", f"{bundle} holds no {ASSESSMENT}")
    return Folder(files, tuple(strays))


def name_faults(folder: Folder, parts: int | None) -> Iterator[Difference]:
    """Files that are missing, and those that do not belong; `parts`: how many hold rows, None: unknown."""
    needed = {ASSESSMENT, SUMS, README, PLOT}
    # One more than there are files shows that some are missing, however many a document claims.
    needed |= {part_name(index) for index in range(min(parts or 0, len(folder.files) + 1))}
    for name in sorted(needed - folder.files.keys()):
        yield Difference(name, MISSING, "a file that must be there")
    for name in sorted(folder.files.keys() - needed):
        if parts is not None or not name.startswith(f"{EVIDENCE}/"):
            yield Difference(shown(name), "a file", f"{MISSING}: it is no part of the bundle")


def sum_faults(folder: Folder, progress: Progress) -> Iterator[Difference]:
    """Whether SHA256SUMS says of each file what its bytes are, and nothing else. Raises OSError."""
    data = folder.read(SUMS)
    if data is None:
        return
    said: dict[str, str] = {}
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        if match := _LINE.fullmatch(line):
            said[os.fsdecode(match[2])] = match[1].decode()
        else:
            yield Difference(f"{SUMS}: line {number}", shown(os.fsdecode(line)), "a sum, two spaces, a path")
    names = sorted(folder.files.keys() - {SUMS})
    computed = {}
    for done, name in enumerate(names):
        progress("sums of files", done, len(names))
        computed[name] = file_digest(folder.files[name])
    for name in sorted(said.keys() | computed.keys()):
        if said.get(name) != computed.get(name):
            place = f"{SUMS}: {shown(name)}"
            yield Difference(place, said.get(name, MISSING), computed.get(name, f"{MISSING}: no such file"))
    if said == computed and data != sums_text(computed):
        yield Difference(SUMS, "lines in another form", "a line for each file, in order of names")


def text_faults(folder: Folder, name: str, text: str) -> Iterator[Difference]:
    """The first line in which a file is not what it should hold; a file that is missing is none here."""
    path = folder.files.get(name)
    if path is None:
        return
    expected = text.encode()
    with path.open("rb") as file:
        # As much as could be right, and a byte that shows that there is more.
        data = file.read(len(expected) + 1)
    if data != expected:
        lines = zip_longest(data.split(b"\n"), expected.split(b"\n"))
        pairs = enumerate(lines, start=1)
        number, (said, line) = next((number, pair) for number, pair in pairs if pair[0] != pair[1])
        yield Difference(f"{name}: line {number}", _line(said), _line(line))


def sums_text(digests: dict[str, str]) -> bytes:
    """What SHA256SUMS holds for files with such digests (hex)."""
    return b"".join(f"{digests[name]}  ".encode() + os.fsencode(name) + b"\n" for name in sorted(digests))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _line(line: bytes | None) -> str:
    return MISSING if line is None else shown(line.decode(errors="replace"))


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _kind(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "a link"
    return "a folder" if stat.S_ISDIR(mode) else "no plain file"
