"""A lock between processes that share a folder; the kernel lets go of it when the holder dies."""

import fcntl
import time
from typing import TextIO

LOOK_EVERY_SECONDS = 0.01


def take(lock: TextIO, what: str, *, within_seconds: float) -> None:
    """Waits for the lock of an open file, until that is closed, but not for ever.

    Raises TimeoutError, an OSError, which says that another process keeps `what`.
    """
    until = time.monotonic() + within_seconds
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise TimeoutError(f"another process keeps {what}") from error
        time.sleep(LOOK_EVERY_SECONDS)
