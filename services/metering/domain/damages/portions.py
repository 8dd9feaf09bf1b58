"""What was counted in each of many periods at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from services.metering.domain.damages.cells import Counted, Ints, Range
from services.metering.domain.damages.periods import Period
from services.metering.domain.windows import HOUR_US, SECOND_US


def posts_in(counted: Counted, periods: Sequence[Period]) -> Ints:
    """Posts in each of some disjoint periods in order: by hours, by seconds, and single times at the ends."""
    posts = np.zeros(len(periods), np.int64)
    begins = np.array([period.since_us for period in periods], np.int64)
    left = [(period.since_us, period.until_us) for period in periods]
    for span_us in (HOUR_US, SECOND_US):
        whole = [each for first, end in left if (each := _whole(first, end, span_us))]
        if whole:
            _add(posts, begins, *counted.sums(span_us, whole))
        left = [edge for first, end in left for edge in _edges(first, end, span_us)]
    if left:
        _add(posts, begins, *counted.moments(left))
    return posts


def _add(posts: Ints, begins: Ints, times: Ints, counts: Ints) -> None:
    np.add.at(posts, np.searchsorted(begins, times, side="right") - 1, counts)


def _whole(first_us: int, end_us: int, span_us: int) -> Range | None:
    begin_us, stop_us = -(-first_us // span_us) * span_us, end_us // span_us * span_us
    return (begin_us, stop_us) if begin_us < stop_us else None


def _edges(first_us: int, end_us: int, span_us: int) -> Iterator[Range]:
    whole = _whole(first_us, end_us, span_us)
    begin_us, stop_us = whole or (end_us, end_us)
    if first_us < begin_us:
        yield first_us, begin_us
    if stop_us < end_us:
        yield stop_us, end_us
