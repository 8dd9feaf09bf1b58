"""Counts of decisions and posts by time, licensee, purpose, outcome and reason.

A cell counts the decisions of one outcome in one stretch of time (its reason is 0), or the posts with one
reason in them. Cells add up: those of an hour are the sums of those of its minutes, in whatever parts they
are made, and those of all licensees and purposes are the sums of those of each.
"""

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from services.licensing.domain.reasons import Reasons
from services.licensing.domain.releases import Outcome

MINUTE_US = 60_000_000
DECISIONS = 0
"""The reason of a cell that counts decisions; no post has it."""


class Stretch(enum.IntEnum):
    """Stretches of time in microseconds; each is a whole number of minutes, in UTC."""

    MINUTE = MINUTE_US
    HOUR = 60 * MINUTE_US
    DAY = 24 * 60 * MINUTE_US

    def begin(self, time_us: int) -> int:
        """The beginning of the stretch that a time lies in."""
        return time_us - time_us % self

    def end(self, time_us: int) -> int:
        """The first beginning of a stretch that is not before a time."""
        return self.begin(time_us + self - 1)


class Place(NamedTuple):
    """What a row of counts is about; rows are in the order of their places."""

    since_us: int
    licensee_id: str
    purpose: int


class Cell(NamedTuple):
    """One thing that is counted."""

    since_us: int
    """The beginning of its stretch of time."""
    licensee_id: str
    purpose: int
    outcome: int
    reason: int
    """A Reason, or DECISIONS."""

    @property
    def place(self) -> Place:
        """The row that it stands in."""
        return Place(self.since_us, self.licensee_id, self.purpose)


Cells = Counter[Cell]


class Counted(NamedTuple):
    """What of a decision is counted."""

    decided_at_us: int
    licensee_id: str
    purpose: int
    outcome: int
    reasons: Reasons


@dataclass
class Row:
    """The counts at one place."""

    place: Place
    decisions: Counter[Outcome] = field(default_factory=Counter)
    posts: Counter[int] = field(default_factory=Counter)
    """By Reason."""


def cells_of(decisions: Iterable[Counted], stretch: Stretch) -> Cells:
    """What decisions add to the cells of their stretches of time."""
    cells: Cells = Counter()
    for decision in decisions:
        place = stretch.begin(decision.decided_at_us), decision.licensee_id, decision.purpose
        cells[Cell(*place, decision.outcome, DECISIONS)] += 1
        posts = np.bincount(decision.reasons, minlength=1)
        for reason in np.flatnonzero(posts).tolist():
            cells[Cell(*place, decision.outcome, reason)] += int(posts[reason])
    return cells


def widened(cells: Cells, stretch: Stretch) -> Cells:
    """The cells of longer stretches, from those of stretches that lie in them whole."""
    wide: Cells = Counter()
    for cell, count in cells.items():
        wide[cell._replace(since_us=stretch.begin(cell.since_us))] += count
    return wide


def put_together(cells: Cells) -> Cells:
    """The cells of all licensees and purposes of each stretch: of the licensee "" and the purpose 0."""
    sums: Cells = Counter()
    for cell, count in cells.items():
        sums[cell._replace(licensee_id="", purpose=0)] += count
    return sums


def rows_of(cells: Cells) -> list[Row]:
    """The counts, row by row, in the order of their places."""
    rows: dict[Place, Row] = {}
    for cell in sorted(cells):
        row = rows.setdefault(cell.place, Row(cell.place))
        if cell.reason == DECISIONS:
            row.decisions[Outcome(cell.outcome)] += cells[cell]
        else:
            row.posts[cell.reason] += cells[cell]
    return list(rows.values())
