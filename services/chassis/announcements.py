"""Where a program listens, told in a file to whoever started it."""

import os
from pathlib import Path


def announce(path: Path | None, address: str) -> None:
    """Writes the address into `path`, whole or not at all, for whoever started us and waits for it."""
    if path is None:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(address + "\n", encoding="ascii")
    draft.replace(path)
