"""How the wall stands, as this process knows it: read again four times a second, and not believed for longer
than one.

Too old, it can only shut out: who knows nothing new lets no stranger in. Its age counts from the beginning of
the read, for one that begins after a change was acknowledged finds it; and on two clocks, of which the higher
counts: the clock may be set back, and the ticks may stand still while a machine sleeps.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

import structlog

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal, unavailable
from services.licensing.domain.doors.walls import WallChange

PERIOD_SECONDS = 0.25
BELIEVED_SECONDS = 1.0
"""From the acknowledgement of a change on nobody acts on what was before it for longer."""
SECOND_US = 1_000_000
RETRY_AFTER_US = SECOND_US

T = TypeVar("T")

_log = structlog.get_logger("wall")


class Rows(Protocol):
    """The wall inside one transaction."""

    def last_wall_change(self) -> WallChange | None: ...


class Store(Protocol):
    """Where the wall is."""

    async def read(self, query: Callable[[Rows], T]) -> T: ...


class WallWatch:
    """Reads until it is cancelled."""

    name = "wall"

    def __init__(self, store: Store, clock: Clock, tick: Callable[[], float]) -> None:
        """`tick` is a time in seconds that nobody sets, such as `time.monotonic`."""
        self._store = store
        self._clock = clock
        self._tick = tick
        self._last: WallChange | None = None
        self._read_at: tuple[float, int] | None = None
        """When the read began that found it, on both clocks; None before the first, and if not believed."""

    def last(self) -> WallChange | None:
        """The change that says how the wall stands, None before the first; raises Refusal WALL_UNKNOWN."""
        # Spelt so that an age that is no number is too old as well.
        if not self.age_seconds() <= BELIEVED_SECONDS:
            message = "whether anonymous callers may come in cannot be learnt now"
            raise unavailable("WALL_UNKNOWN", message, retry_after_us=RETRY_AFTER_US)
        return self._last

    def age_seconds(self) -> float:
        """How old it is that is known; infinite where nothing is."""
        if self._read_at is None:
            return float("inf")
        tick, at_us = self._read_at
        return max(self._tick() - tick, (self._clock.now_us() - at_us) / SECOND_US)

    async def run(self) -> None:
        """Reads on."""
        while True:
            began = self._tick()
            try:
                await self.refresh()
            except Exception as error:
                _report(error)
            await asyncio.sleep(max(0.0, PERIOD_SECONDS - (self._tick() - began)))

    async def refresh(self) -> None:
        """Reads once; raises what the database raises."""
        began = self._tick(), self._clock.now_us()
        found = await self._store.read(lambda rows: rows.last_wall_change())
        # Reads overlap: one that began early may come late, and tell of before.
        if _number(found) >= _number(self._last):
            self._last = found
            self._read_at = began if self._read_at is None else max(began, self._read_at)

    async def hold(self) -> None:
        """Reads what was changed just now; where it cannot be read, nothing is believed until it can."""
        try:
            await self.refresh()
        except Refusal as refusal:
            self._read_at = None
            _report(refusal)


def _number(change: WallChange | None) -> int:
    return 0 if change is None else change.number


def _report(error: Exception) -> None:
    if isinstance(error, Refusal):
        _log.warning("the wall cannot be read", reason=error.reason, message=error.message)
    else:
        _log.error("the wall cannot be read", exc_info=error)
