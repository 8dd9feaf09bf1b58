"""Periods of a claim, and how the cells that hold them are made fine enough to be sure of them (D1).

A search over cells is hopeful: it takes every doubt within a cell for the best. So what it finds is worth at
least what there is, and once the cells that its answer rests on leave no doubt, it is exactly that.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.metering.domain.damages.cells import Cells, Counted, Ints, refined


@dataclass(frozen=True, slots=True)
class Period:
    """The times [since, until) with the posts that were counted in them."""

    since_us: int
    until_us: int
    posts: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and the cells that leave a doubt about it."""

    periods: list[Period]
    doubtful: Ints


Search = Callable[[Cells], Found]
GoOn = Callable[[], object]
"""Is called now and then while it is searched, and may raise where nobody waits for the answer any more."""


def settled(search: Search, cells: Cells, counted: Counted, go_on: GoOn) -> tuple[list[Period], int]:
    """The periods without a doubt, and how many cells that took.

    Each round also makes twice as many neighbours finer as the round before, so that there are few rounds
    where many periods are nearly as good as the best.
    """
    reach = 1
    while True:
        go_on()
        found = search(cells)
        doubtful = found.doubtful[~cells.points[found.doubtful]]
        if not len(doubtful):
            return found.periods, len(cells)
        near = np.unique((doubtful[:, None] + np.arange(-reach, reach + 1)).clip(0, len(cells) - 1))
        cells = refined(cells, near, counted)
        reach *= 2


def doubts(cells: Cells, starts: Ints, window_us: int) -> Ints:
    """The cells that make it unsure what whole windows from some cells on hold."""
    begins = cells.end_before(cells.first_us[starts] + window_us)
    ends = cells.begin_before(cells.last_us[starts] + window_us)
    edges = np.zeros(len(cells) + 1, np.int64)
    np.add.at(edges, begins, 1)
    np.add.at(edges, ends, -1)
    found = np.append(np.flatnonzero(np.cumsum(edges[:-1])), starts)
    return found[~cells.points[found]]
