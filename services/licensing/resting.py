"""What keeps failing rests the longer, the oftener it has: it holds up others, and fills the log, less."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from services.chassis.clock import Clock

SECOND_US = 1_000_000
SHORTEST_US = 2 * SECOND_US
LONGEST_US = 300 * SECOND_US

Key = TypeVar("Key", bound=Hashable)


class Resting(Generic[Key]):
    """Who rests until when; for one event loop, and lost with the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults = dict[Key, int]()
        self._until_us = dict[Key, int]()

    def may(self, key: Key) -> bool:
        """Whether it does not rest any more."""
        return self._until_us.get(key, 0) <= self._clock.now_us()

    def rest(self, key: Key) -> None:
        """It has failed: the first time it is tried again at once, and then less and less often."""
        faults = self._faults[key] = self._faults.get(key, 0) + 1
        # Capped before it is computed: a count of faults is no size of a number.
        pause_us = min(SHORTEST_US << min(faults - 2, 20), LONGEST_US) if faults > 1 else 0
        self._until_us[key] = self._clock.now_us() + pause_us

    def forget(self, key: Key) -> None:
        """It has gone on."""
        self._faults.pop(key, None)
        self._until_us.pop(key, None)
