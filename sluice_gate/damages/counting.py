"""What counts at which time: the ground that periods are found on."""

from dataclasses import dataclass, field

import numpy as np

from sluice_gate.damages.tariffs import Ints


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch [since, until) that is claimed."""

    since_us: int
    until_us: int
    """Microseconds since 1970 UTC, as all times here."""
    posts: int


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The times at which something counts, ascending and each once."""

    at_us: Ints
    before: Ints
    """Posts before each time, and at the end all of them: one more than there are times."""
    _ends: dict[int, Ints] = field(default_factory=dict)
    """By length of windows: every reading asks for the same ones."""

    @property
    def posts(self) -> int:
        """All of them."""
        return int(self.before[-1])

    def window_ends(self, window_us: int) -> Ints:
        """For each time s the index of the first that is not before s + W."""
        if window_us not in self._ends:
            self._ends[window_us] = np.searchsorted(self.at_us, self.at_us + window_us)
        return self._ends[window_us]

    def period(self, since_us: int, until_us: int) -> Period:
        """The period of a stretch."""
        first, end = np.searchsorted(self.at_us, [since_us, until_us])
        return Period(since_us, until_us, int(self.before[end] - self.before[first]))


def counted(at_us: Ints, posts: Ints) -> Counted:
    """Adds up posts at the same time; times where nothing is left do not count. Times must not descend."""
    if len(at_us):
        firsts = np.flatnonzero(np.concatenate(([True], at_us[1:] != at_us[:-1])))
        sums = np.add.reduceat(posts, firsts)
        at_us, posts = at_us[firsts][sums != 0], sums[sums != 0]
    before = np.zeros(len(at_us) + 1, np.int64)
    np.cumsum(posts, out=before[1:])
    return Counted(at_us, before)
