"""Tells whether a file is another one than when it was last read, for what is replaced while we run."""

from pathlib import Path

FileVersion = tuple[int, int, int]


def version_of(path: Path) -> FileVersion:
    """Differs from an earlier answer if the file was replaced or rewritten since; raises OSError."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
