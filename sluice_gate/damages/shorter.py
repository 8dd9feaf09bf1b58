"""SHORTER_ALLOWED: the set of disjoint periods [s, e), e at most s+W, that is worth most.

Longer is never worth less, so a period ends at s+W or where the next one starts. It needs a number of posts
to be worth anything: starts with fewer posts between them never follow each other, and are swept together.
"""

from collections.abc import Iterator

import numpy as np

from sluice_gate.damages.counting import Counted, Period
from sluice_gate.damages.maxima import Maxima
from sluice_gate.damages.sweeping import Progress, Scale, Values, blocks, settle
from sluice_gate.damages.tariffs import EXCESS_ONLY, Ints, Tariff

_STEP = "shorter periods"
_FIRST_LOOK = 1024
"""Starts among which the next one is looked for at first; each further look takes in twice as many."""
_BATCH = 1 << 18
"""Ways to end periods that are tried at once: so much memory, whatever there is to try."""


def shorter_periods(counted: Counted, tariff: Tariff, window_us: int, progress: Progress) -> list[Period]:
    """The periods in order: worth most, of equals the fewest, of equals the earliest starts."""
    sweep = _Sweep(counted, tariff, window_us)
    if not len(sweep.starts):
        return []
    sweep.run(progress)
    since = [int(at_us) for at_us in sweep.at_us[sweep.chosen()]]
    until = [min(at_us + window_us, after) for at_us, after in zip(since, [*since[1:], 2**63], strict=True)]
    return [counted.period(*stretch) for stretch in zip(since, until, strict=True)]


class _Sweep:
    """All arrays are of the starts whose whole window is worth anything; no other can be of use."""

    def __init__(self, counted: Counted, tariff: Tariff, window_us: int) -> None:
        ends = counted.window_ends(window_us)
        whole = counted.before[ends] - counted.before[:-1]
        self.tariff = tariff
        self.starts = np.flatnonzero(tariff.worth(whole))
        self.at_us = counted.at_us[self.starts]
        self.whole = whole[self.starts]
        self.before = counted.before[self.starts]
        # The first start that can follow, and the first that can follow the whole window.
        self.nearest = np.searchsorted(self.before, self.before + tariff.fewest_posts)
        self.farthest = np.searchsorted(self.starts, ends[self.starts])
        most_periods = min(len(self.starts), counted.posts // tariff.fewest_posts)
        self.scale = Scale(tariff.most(counted.posts, most_periods), most_periods)
        self.taken = self.scale.values(tariff.worth(self.whole))
        self.best = np.zeros(len(self.starts) + 1, self.taken.dtype)

    def run(self, progress: Progress) -> None:
        """Finds what the best set from each start on is worth."""
        by_post = not self.tariff.is_in_units or self.tariff.unit == 1
        maxima = Maxima(self.taken) if by_post and self.tariff.rounding != EXCESS_ONLY else None
        for low, high in blocks(self.nearest):
            block = slice(low, high)
            self.taken[block] += self.best[self.farthest[block]]
            if maxima is not None:
                self._cut_anywhere(block, maxima)
            elif self.tariff.is_in_units:
                self._cut_at_units(block, progress)
            # EXCESS_ONLY gains nothing by a cut: what the next period would get more of, this one loses.
            settle(self.best, low, self.taken[block])
            if maxima is not None:
                maxima.put(low, self.scale.of_posts(self.before[block]) + self.best[block])
            progress(_STEP, len(self.starts) - low, len(self.starts))

    def _cut_anywhere(self, block: slice, maxima: Maxima) -> None:
        """Where each post counts: posts up to the cut and what follows it, in one maximum."""
        cut = maxima.over(self.nearest[block], self.farthest[block])
        cut = cut - self.scale.of_posts(self.before[block]) - 1
        self.taken[block] = np.maximum(self.taken[block], cut)

    def _cut_at_units(self, block: slice, progress: Progress) -> None:
        """A cut is best just where a unit is full: later ones leave less to what follows.

        Where more units fit in than there are starts to cut at, each of those is tried instead: the posts of
        a row are a stranger's number, and do not say how long this takes.
        """
        fewest = self.tariff.worth_of(self.tariff.fewest_posts)
        units = self.tariff.worth(self.whole[block]) - fewest + 1
        cuts = self.farthest[block] - self.nearest[block]
        starts = np.arange(block.start, block.stop)
        done, of = len(self.starts) - block.stop, len(self.starts)
        for by_unit in (True, False):
            chosen = (units < cuts) == by_unit
            own = starts[chosen]
            for each, steps in _batches(own, (units if by_unit else cuts)[chosen]):
                if by_unit:
                    self._try_units(each, steps + fewest)
                else:
                    self._try_cuts(each, self.nearest[each] + steps)
                progress(_STEP, done + int(np.searchsorted(own, each[-1])), of)
            done += len(own)

    def _try_units(self, starts: Ints, units: Ints) -> None:
        cuts = np.searchsorted(self.before, self.before[starts] + self.tariff.posts_for(units))
        self._offer(starts, units, np.minimum(cuts, self.farthest[starts]))

    def _try_cuts(self, starts: Ints, cuts: Ints) -> None:
        self._offer(starts, self.tariff.worth(self.before[cuts] - self.before[starts]), cuts)

    def _offer(self, starts: Ints, worth: Ints, cuts: Ints) -> None:
        """To each of some starts, which do not descend, a period that is worth so much up to a cut."""
        values = self.scale.values(worth) + self.best[cuts]
        firsts = np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))
        starts = starts[firsts]
        self.taken[starts] = np.maximum(self.taken[starts], np.maximum.reduceat(values, firsts))

    def chosen(self) -> list[int]:
        """Indices of the starts of the best set."""
        candidates = np.flatnonzero(self.taken == self.best[:-1])
        found: list[int] = []
        start = 0
        while (next_one := int(np.searchsorted(candidates, start))) < len(candidates):
            found.append(int(candidates[next_one]))
            start = self._cut(found[-1])
        return found

    def _cut(self, start: int) -> int:
        """The first start at which the period from `start` may end and lose nothing of what can be had."""
        low, farthest, look = int(self.nearest[start]), int(self.farthest[start]), _FIRST_LOOK
        while low < farthest:
            high = min(low + look, farthest)
            if len(hits := np.flatnonzero(self._cuts(start, low, high) == self.taken[start])):
                return low + int(hits[0])
            low, look = high, 2 * look
        return farthest

    def _cuts(self, start: int, low: int, high: int) -> Values:
        """What is had from `start` on with its period cut at each of some starts."""
        posts: Ints = self.before[low:high] - self.before[start]
        return self.scale.values(self.tariff.worth(posts)) + self.best[low:high]


def _batches(starts: Ints, counts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Each start so many times, with 0, 1, and so on beside it: all of that in pieces of one size."""
    ends = np.cumsum(counts)
    for low in range(0, int(ends[-1]) if len(ends) else 0, _BATCH):
        high = min(low + _BATCH, int(ends[-1]))
        first, last = np.searchsorted(ends, [low, high - 1], side="right")
        inside = slice(first, last + 1)
        begins = ends[inside] - counts[inside]
        times = np.minimum(ends[inside], high) - np.maximum(begins, low)
        yield np.repeat(starts[inside], times), np.arange(low, high) - np.repeat(begins, times)
