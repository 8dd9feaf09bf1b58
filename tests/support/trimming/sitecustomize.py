"""Has a process say how much memory it uses, without what its allocators only keep for later.

Python imports this by itself where its folder is on the path. It does nothing unless TRIMMED names a folder.
At each SIGUSR1 a line is added to the file there that has the number of the process as its name: bytes.
"""

import os

FOLDER = os.environ.get("TRIMMED")


def _say() -> None:
    import ctypes
    import gc
    from pathlib import Path

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # Without the files that it has mapped.
    kib = Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0]
    with (Path(str(FOLDER)) / str(os.getpid())).open("a") as file:
        file.write(f"{1_024 * int(kib)}\n")


def _begin() -> None:
    import signal
    import threading

    def wait() -> None:
        while signal.sigwait({signal.SIGUSR1}):
            _say()

    # Blocked in all threads to come, too: it is taken by the one that waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    threading.Thread(target=wait, name="trimming", daemon=True).start()


if FOLDER:
    _begin()
