"""What a durable write is acknowledged with: from when on nothing that does not go by it is valid (C9)."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True)
class Acknowledged(Generic[T]):
    """A durable write."""

    outcome: T
    in_force_after_us: int
    """From then on no permit that does not go by it is valid any more (C9), microseconds UTC."""


class Acknowledger:
    """Says when a write is in force, given how long a permit lasts and how far clocks may differ."""

    def __init__(self, clock: Clock, *, permit_us: int, margin_us: int) -> None:
        """`permit_us`: the longest validity of a permit; `margin_us`: how far services' clocks may differ."""
        self.permit_us = permit_us
        self._clock = clock
        self._margin_us = margin_us

    def acknowledge(self, outcome: T, effective_us: int = 0) -> Acknowledged[T]:
        """Acknowledges a write that is committed and takes effect at `effective_us`, if that is later.

        Counted from now, after the commit: a check that began until now, at any replica, may have missed the
        write. Twice the margin, for licensing compares its clock with that of the replica that answered
        alone: that one may be a margin ahead of it, and this one a margin behind. A repeated request is told
        a later time than the first one was, which holds all the more.
        """
        last_us = max(self._clock.now_us() + self.permit_us, effective_us)
        return Acknowledged(outcome, last_us + 2 * self._margin_us)
