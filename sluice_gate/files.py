"""Files that only grow, except when what was not accounted for is cut off again."""

import os
from pathlib import Path

PRIVATE = 0o600
"""For the owner alone: the files hold posts, authors, and what opens salted digests."""


class AppendFile:
    """One file, written at its end."""

    def __init__(self, fd: int, path: Path) -> None:
        self._fd = fd
        self.path = path
        self.length = os.fstat(fd).st_size
        """Bytes, those not yet durable included."""

    @classmethod
    def create(cls, path: Path) -> "AppendFile":
        """A new file. Raises FileExistsError: nothing is ever overwritten."""
        return cls(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, PRIVATE), path
        )

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> "AppendFile":
        """A file that may have content; made if it is not there and `create` says so. Raises OSError."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        return cls(os.open(path, flags, PRIVATE), path)

    def append(self, data: bytes) -> None:
        """Writes all of `data` at the end; durable only after `sync`. Raises OSError."""
        rest = memoryview(data)
        while rest:
            written = os.write(self._fd, rest)
            self.length += written
            rest = rest[written:]

    def sync(self) -> None:
        """Returns when everything appended is durable. Raises OSError."""
        os.fsync(self._fd)

    def cut(self, length: int) -> None:
        """Cuts off, durably, what stands after `length` bytes. Raises OSError."""
        os.ftruncate(self._fd, length)
        os.fsync(self._fd)
        self.length = length

    def fileno(self) -> int:
        """The descriptor, for locks."""
        return self._fd

    def close(self) -> None:
        """Lets the file go."""
        os.close(self._fd)


def sync_folder(folder: Path) -> None:
    """Makes the names of new files in `folder` durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
