"""What a period comes to (D1): worth in whole units or posts, and amounts in whole minor units.

Worth alone decides which periods are claimed; money is Python's integers, which never overflow or round.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

WHOLE_UNITS, STARTED_UNITS, PRO_RATA, EXCESS_ONLY = (
    "WHOLE_UNITS",
    "STARTED_UNITS",
    "PRO_RATA",
    "EXCESS_ONLY",
)
ROUNDINGS = (EXCESS_ONLY, PRO_RATA, STARTED_UNITS, WHOLE_UNITS)
"""All of them, in order of words, as readings are listed."""
NANO_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Tariff:
    """From the posts of a period to its worth."""

    threshold: int
    """A period is worth something only with strictly more posts."""
    unit: int
    """Posts, at least 1."""
    rounding: str
    """One of `ROUNDINGS`."""

    @property
    def is_in_units(self) -> bool:
        """Whether worth is told in units; else in posts."""
        return self.rounding in {WHOLE_UNITS, STARTED_UNITS}

    @property
    def fewest_posts(self) -> int:
        """Of a period that is worth anything."""
        return int(self.posts_for(np.array([1], np.int64))[0])

    def posts_for(self, units: Ints) -> Ints:
        """The fewest posts of periods that are worth so many units each (at least 1)."""
        if self.rounding == WHOLE_UNITS:
            return np.maximum(self.threshold + 1, units * self.unit)
        if self.rounding == STARTED_UNITS:
            return np.maximum(self.threshold + 1, (units - 1) * self.unit + 1)
        return np.full_like(units, self.threshold + 1)

    def worth(self, posts: Ints) -> Ints:
        """Of each of some periods with so many posts (int64, none below 0)."""
        if self.rounding == WHOLE_UNITS:
            worth = posts // self.unit
        elif self.rounding == STARTED_UNITS:
            worth = posts // self.unit + (posts % self.unit > 0)
        elif self.rounding == PRO_RATA:
            worth = posts
        else:
            worth = posts - self.threshold
        return np.where(posts > self.threshold, worth, 0)

    def worth_of(self, posts: int) -> int:
        """Of one period."""
        return int(self.worth(np.array([posts], np.int64))[0])

    def most(self, posts: int, periods: int) -> int:
        """No number of disjoint periods up to this one, with so many posts in all, is worth more."""
        return posts // self.unit + periods if self.is_in_units else posts


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a unit of posts."""

    nanos: int
    """Billionths of the currency's unit."""
    decimals: int
    """Of the currency: a minor unit is 10^-decimals of its unit. At most 9."""

    def amount(self, tariff: Tariff, posts: int) -> int:
        """What a period with so many posts comes to, in minor units, rounded once, half up."""
        price = tariff.worth_of(posts) * self.nanos * int(10**self.decimals)
        divisor: int = 10**NANO_DIGITS * (1 if tariff.is_in_units else tariff.unit)
        return (2 * price + divisor) // (2 * divisor)
