"""Worth and number of periods as one number to compare: more worth first, then fewer periods."""

import numpy as np

from services.chassis.refusals import precondition
from services.metering.domain.damages.cells import Ints

COST = 1
"""Of one period."""
SCALE = 2**20
"""More periods than there can be: so worth always outweighs them."""
MOST_WORTH = 2**42
"""So that all of it fits into 64 bits."""
_SLICE = 65_536


def check_size(posts: int) -> None:
    """Raises Refusal (precondition, TOO_MANY_POSTS) where sums would not fit."""
    if posts >= MOST_WORTH:
        raise precondition("TOO_MANY_POSTS", f"at most {MOST_WORTH:,} posts can be assessed together")


def gain_of(worth: Ints) -> Ints:
    """What a period of each worth adds."""
    return worth * SCALE - COST


def first_where(values: Ints, value: int, begin: int) -> int:
    """The first place from `begin` on that holds a value, which is there."""
    while True:
        found = np.flatnonzero(values[begin : begin + _SLICE] == value)
        if len(found):
            return begin + int(found[0])
        begin += _SLICE
