"""Files of lines as they stand, compressed (.gz) or not: each line as its bytes, one after the other.

Whatever a file holds, no more than one line of bounded length is in memory.
"""

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

LONGEST_LINE = 256 * 1024
"""In bytes. A web server writes none that is longer, for it takes no request that long."""
COMPRESSED = ".gz"


class LineFile:
    """Iterates over (line, its bytes without the line end or what is wrong), once; lines count from 1.

    Blank lines are passed over. Compressed data that breaks off is a fault of the line that it breaks off in.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._raw = path.open("rb")
        is_compressed = path.suffix.lower() == COMPRESSED
        self._file = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw)) if is_compressed else self._raw

    @property
    def position(self) -> int:
        """Bytes of the file, as it is stored, that were read."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[tuple[int, bytes | str]]:
        """Raises OSError."""
        number = 0
        with self._raw, self._file:
            while True:
                number += 1
                try:
                    line = self._next()
                except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                    yield number, f"the compressed data breaks off: {error}"
                    return
                if line is None:
                    return
                if isinstance(line, bytes):
                    line = _without_end(line.removeprefix(BOM_UTF8) if number == 1 else line)
                if line:
                    yield number, line

    def _next(self) -> bytes | str | None:
        """The next line, what is wrong with it, or None at the end."""
        line = self._file.readline(LONGEST_LINE)
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            return line or None
        while (more := self._file.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
            pass
        return f"the line is longer than {LONGEST_LINE:,} bytes"


def _without_end(line: bytes) -> bytes:
    # By hand: bytes.splitlines knows line ends that stand within lines, and a lone \r is one of them.
    return line.removesuffix(b"\n").removesuffix(b"\r")
