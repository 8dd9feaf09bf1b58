"""Who may change what lies in the folder of an installation: one process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from services.chassis.refusals import precondition
from services.console.installation import StateFolder


@contextlib.contextmanager
def only_one(folder: StateFolder) -> Iterator[None]:
    """Holds the state folder; raises Refusal (precondition, STATE_IN_USE) while another process does.

    The kernel lets go of it when the process ends, however it ends.
    """
    with folder.lock().open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise precondition(
                "STATE_IN_USE", f"process {owner} already runs the services of {folder.root}"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
