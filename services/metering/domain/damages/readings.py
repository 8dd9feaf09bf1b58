"""Ways to read the clause: which periods are claimed, and what they are worth (D1)."""

import enum
from dataclasses import dataclass
from functools import partial

from services.metering.domain.damages import breaches, disjoint, shorter
from services.metering.domain.damages.cells import Counted, coarse
from services.metering.domain.damages.periods import GoOn, Period, Search, settled
from services.metering.domain.damages.tariffs import Rounding, Tariff
from services.metering.domain.damages.weights import check_size


class Overlap(enum.IntEnum):
    """How windows that overlap are treated; the numbers are those of `DamagesOverlap`."""

    DISJOINT = 1
    SHORTER_ALLOWED = 2
    CALENDAR_DAYS = 3
    ONE_PER_BREACH = 4


@dataclass(frozen=True, order=True, slots=True)
class Reading:
    """One way to read it."""

    overlap: Overlap
    rounding: Rounding


EVERY_READING = tuple(Reading(overlap, rounding) for overlap in Overlap for rounding in Rounding)


@dataclass(frozen=True, slots=True)
class Clause:
    """What does not depend on how it is read."""

    threshold: int
    unit: int
    """Posts."""
    window_us: int
    """Whole seconds."""

    def tariff(self, rounding: Rounding) -> Tariff:
        """What periods come to."""
        return Tariff(self.threshold, self.unit, rounding)


class Claims:
    """Finds the periods under one reading after another, over what was counted in [since, until)."""

    def __init__(
        self, clause: Clause, counted: Counted, since_us: int, until_us: int, go_on: GoOn = lambda: None
    ) -> None:
        """`go_on` may raise between two steps. Raises Refusal (precondition, TOO_MANY_POSTS)."""
        self._go_on = go_on
        self.cells = 0
        """How many there were at most."""
        self._clause = clause
        self._counted = counted
        self._cells = coarse(counted, since_us, until_us, clause.window_us)
        check_size(int(self._cells.before[-1]))

    @property
    def posts(self) -> int:
        """All that was counted."""
        return int(self._cells.before[-1])

    def periods(self, reading: Reading) -> list[Period]:
        """The periods that are claimed, in order."""
        # Each reading begins with the first cells again: what the others needed would only be in its way.
        periods, cells = settled(self._search(reading), self._cells, self._counted, self._go_on)
        self.cells = max(self.cells, cells)
        return periods

    def _search(self, reading: Reading) -> Search:
        tariff, window_us = self._clause.tariff(reading.rounding), self._clause.window_us
        if reading.overlap is Overlap.DISJOINT:
            return partial(disjoint.search, tariff=tariff, window_us=window_us)
        if reading.overlap is Overlap.SHORTER_ALLOWED:
            return partial(shorter.search, tariff=tariff, window_us=window_us, go_on=self._go_on)
        if reading.overlap is Overlap.CALENDAR_DAYS:
            return partial(breaches.search_days, tariff=tariff)
        return partial(breaches.search_breaches, tariff=tariff, window_us=window_us)
