"""Time as the services see it: whole microseconds since the epoch, UTC, never going back within a process."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Where the present comes from; passed in, so that tests can say what time it is."""

    def now_us(self) -> int:
        """The present in microseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock, held still while the machine's clock is behind what was already told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest_us = 0

    def now_us(self) -> int:
        """The present in microseconds since the epoch, UTC; never less than any earlier answer."""
        with self._lock:
            self._latest_us = max(self._latest_us, time.time_ns() // 1_000)
            return self._latest_us
