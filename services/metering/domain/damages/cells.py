"""What was counted, in cells of time: hours first, and finer ones only where it matters.

A cell is a stretch of time with the posts counted in it; a point is a cell of one microsecond. Cells are in
order, do not overlap, and none is empty. However they are cut, they hold what was counted, each post once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import Kind, Refusal
from services.metering.domain.windows import HOUR_US, SECOND_US

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Range = tuple[int, int]
"""The times [first, end), microseconds UTC."""
Columns = tuple[Ints, Ints]
"""Times in order, each once, and the posts that belong to each, at least 1."""


class Counted(Protocol):
    """What was counted, always as of the same moment; only times within the ranges asked for."""

    def sums(self, span_us: int, ranges: Sequence[Range]) -> Columns:
        """By hour or second of the calendar: when each begins. The ranges are in order and do not overlap."""
        ...

    def moments(self, ranges: Sequence[Range]) -> Columns:
        """Each time for itself."""
        ...


@dataclass(frozen=True)
class Cells:
    """Columns of n cells."""

    first_us: Ints
    last_us: Ints
    """The last microsecond, which belongs to it."""
    posts: Ints

    @cached_property
    def before(self) -> Ints:
        """n + 1 sums: posts in all cells before each, and in all."""
        return np.concatenate(([0], np.cumsum(self.posts)))

    @cached_property
    def points(self) -> Bools:
        """Which are a single time."""
        return np.asarray(self.first_us == self.last_us)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.posts)

    def begin_before(self, at_us: Ints) -> Ints:
        """How many begin before each time."""
        return np.searchsorted(self.first_us, at_us, side="left")

    def end_before(self, at_us: Ints) -> Ints:
        """How many are over before each time."""
        return np.searchsorted(self.last_us, at_us, side="left")

    def straddling(self, at_us: int) -> Ints:
        """The cell that begins before a time and is not over then, if there is one."""
        times = np.array([at_us])
        return np.arange(self.end_before(times)[0], self.begin_before(times)[0])


def coarse(counted: Counted, since_us: int, until_us: int, window_us: int) -> Cells:
    """The cells of [since, until): hours, or seconds where a window is shorter than an hour."""
    span_us = HOUR_US if window_us >= HOUR_US else SECOND_US
    return _cells(*counted.sums(span_us, [(since_us, until_us)]), span_us, since_us, until_us)


def refined(cells: Cells, chosen: Ints, counted: Counted) -> Cells:
    """With finer cells in place of the chosen ones: seconds for hours, points for seconds.

    Raises Refusal (internal, SUMS_DIFFER) where they do not hold the same posts.
    """
    chosen = np.unique(chosen)
    chosen = chosen[~cells.points[chosen]]
    wide = cells.last_us[chosen] - cells.first_us[chosen] >= SECOND_US
    parts = [_kept(cells, chosen)]
    for some, span_us in ((chosen[wide], SECOND_US), (chosen[~wide], 0)):
        if len(some):
            parts.append(_finer(cells, some, counted, span_us))
    return _joined(parts)


def _kept(cells: Cells, without: Ints) -> Cells:
    kept = np.ones(len(cells), np.bool_)
    kept[without] = False
    return Cells(cells.first_us[kept], cells.last_us[kept], cells.posts[kept])


def _finer(cells: Cells, chosen: Ints, counted: Counted, span_us: int) -> Cells:
    ranges = list(zip(cells.first_us[chosen].tolist(), (cells.last_us[chosen] + 1).tolist(), strict=True))
    asked = _merged(ranges)
    if span_us:
        finer = _cells(*counted.sums(span_us, asked), span_us, ranges[0][0], ranges[-1][1])
    else:
        times, posts = counted.moments(asked)
        finer = Cells(times, times, posts)
    found = np.diff(
        finer.before[finer.end_before(np.append(cells.first_us[chosen], cells.last_us[chosen[-1]] + 1))]
    )
    if not np.array_equal(found, cells.posts[chosen]):
        raise Refusal(Kind.INTERNAL, "SUMS_DIFFER", "the sums are not those of the entries: run an audit")
    return finer


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, end in ranges:
        if merged and merged[-1][1] == first:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((first, end))
    return merged


def _cells(begins_us: Ints, posts: Ints, span_us: int, since_us: int, until_us: int) -> Cells:
    first = np.maximum(begins_us, since_us)
    return Cells(first, np.minimum(begins_us + span_us, until_us) - 1, posts)


def _joined(parts: Sequence[Cells]) -> Cells:
    first = np.concatenate([part.first_us for part in parts])
    order = np.argsort(first, kind="stable")
    last = np.concatenate([part.last_us for part in parts])
    return Cells(first[order], last[order], np.concatenate([part.posts for part in parts])[order])
