"""A clock that tests turn by hand."""

NOON_US = 1_760_000_000_000_000
"""An ordinary day in October 2025, in microseconds UTC."""


class ManualClock:
    """Stands still until it is told to move; satisfies `services.chassis.clock.Clock`."""

    def __init__(self, now_us: int = NOON_US) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """The time it was last set to, in microseconds since the epoch, UTC."""
        return self._now_us

    def advance(self, us: int) -> None:
        """Moves the clock on by `us` microseconds."""
        self._now_us += us
