"""Files that are there whole or not at all, and stay there: what a process that dies leaves can be read."""

import os
from pathlib import Path


def write_file(path: Path, content: bytes, mode: int, draft: Path) -> None:
    """Writes a file anew by way of `draft`, a path beside it that nobody else writes; raises OSError.

    The content is durable when this returns. That the file is there is, once `sync_folder` was called.
    """
    write_draft(draft, content, mode)
    draft.replace(path)


def write_draft(draft: Path, content: bytes, mode: int, flags: int = os.O_TRUNC) -> None:
    """A durable file with the content that is to be somewhere; removed again where that fails."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Makes durable which files are there and what they are called."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
