"""What a period comes to, in steps of whole numbers; money follows from these, and never decides (D1)."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Rounding(enum.IntEnum):
    """How the posts of a period become what is charged; the numbers are those of `DamagesRounding`."""

    WHOLE_UNITS = 1
    STARTED_UNITS = 2
    PRO_RATA = 3
    EXCESS_ONLY = 4


@dataclass(frozen=True, slots=True)
class Tariff:
    """From posts to worth: units, or posts where each counts for itself."""

    threshold: int
    """A period is a breach if it has strictly more posts."""
    unit: int
    """Posts."""
    rounding: Rounding

    @property
    def in_units(self) -> bool:
        """Whether worth is told in units rather than in posts; with units of one post it is the same."""
        return self.rounding in {Rounding.WHOLE_UNITS, Rounding.STARTED_UNITS} and self.unit > 1

    @property
    def free(self) -> int:
        """Posts of each period that come to nothing, where each of the others counts for itself."""
        return self.threshold if self.rounding is Rounding.EXCESS_ONLY else 0

    def worth(self, posts: Ints) -> Ints:
        """What periods with so many posts are worth: 0 unless they are a breach; never less for more."""
        if self.rounding is Rounding.WHOLE_UNITS:
            worth = posts // self.unit
        elif self.rounding is Rounding.STARTED_UNITS:
            worth = -(-posts // self.unit)
        else:
            worth = posts - self.free
        return np.where(posts > self.threshold, worth, 0)

    def worth_of(self, posts: int) -> int:
        """The same for one period."""
        return int(self.worth(np.array([posts], np.int64))[0])

    def needed(self, units: int) -> int:
        """The fewest posts that are worth so many units, at least one."""
        least = units * self.unit if self.rounding is Rounding.WHOLE_UNITS else (units - 1) * self.unit + 1
        return max(least, self.threshold + 1)
