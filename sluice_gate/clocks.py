"""The two clocks of a gate: what time it is, and how much time has passed.

Validity is only ever measured by the second one, on this machine alone, so that a clock that is set anew
neither lengthens nor shortens a permit.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time, passed in; tests turn it by hand."""

    def now_us(self) -> int:
        """The time of day in microseconds since the epoch, UTC."""
        ...

    def elapsed_us(self) -> int:
        """Microseconds since some fixed moment; never set, never goes back."""
        ...

    async def sleep_us(self, us: int) -> None:
        """Returns after `us` microseconds."""
        ...


class SystemClock:
    """The clocks of this machine."""

    # CLOCK_MONOTONIC stands still while a machine is suspended; a permit does not. BOOTTIME counts on.
    _ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now_us(self) -> int:
        """The time of day in microseconds since the epoch, UTC."""
        return time.time_ns() // 1_000

    def elapsed_us(self) -> int:
        """Microseconds since the machine was started, suspended time included where the system says."""
        return time.clock_gettime_ns(self._ELAPSED) // 1_000

    async def sleep_us(self, us: int) -> None:
        """Returns after `us` microseconds."""
        await asyncio.sleep(us / 1_000_000)
