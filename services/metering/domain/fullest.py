"""The fullest windows, found without looking at every moment (M1).

Sums by hour say for each hour how full a window that ends in it can be at most, and how full one of them is
at least. Where the most is below what is certain elsewhere in the same part, nobody looks closer; what is
left is looked at by minute, by second and by microsecond, at both ends of its windows alone. What comes out
is what `peaks` finds in all moments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from services.metering.domain.peaks import Ints, Peak
from services.metering.domain.projections import SPANS_US

STEPS_US = (*SPANS_US, 1)
"""Lengths of the spans that are looked at, one after the other; the last are the moments themselves."""
FIRST_AT_ONCE = 64
"""Candidates that are looked at first, those that may be fullest: what they hold rules out most others."""
MOST_AT_ONCE = 4_096
"""Candidates that are looked at together; each is some 180 spans at most of the next length."""
POSTS_AT_ONCE = 1_000_000
"""Posts in the spans whose moments are read together: no fewer than there are moments."""
POSTS_A_SPAN = 4
"""With no more posts for each span of the next length, sums would save little: the moments are read."""


class Counted(Protocol):
    """What was counted, as times in order, each once, with the posts of each (never less than 0)."""

    def sums(self, span_us: int, since_us: Ints, until_us: Ints) -> tuple[Ints, Ints]:
        """Whole spans in the ranges [since, until), and perhaps some that are not; by their beginnings.

        The ranges are in order, apart, and begin and end with a span.
        """
        ...

    def moments(self, since_us: Ints, until_us: Ints) -> tuple[Ints, Ints]:
        """Moments in the ranges [since, until), likewise."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Where a window may end that is the fullest of its part; columns of equal length.

    The window holds all of the middle, [tail end, head), and more or less of the tail and of the head.
    """

    parts: Ints
    heads_us: Ints
    """Where the span begins in which the window ends."""
    firsts_us: Ints
    """The window ends at this time or later,"""
    lasts_us: Ints
    """and at this time at the latest: all of the span that is in the part."""
    tails_us: Ints
    """From here to `tail_ends_us` are the spans in which such a window begins, as far as before the head."""
    tail_ends_us: Ints
    middles: Ints
    """Posts of the middle."""
    at_most: Ints
    """Posts that no such window exceeds."""
    weights: Ints
    """Posts of the tail and the head, which are to be looked at."""

    def __len__(self) -> int:
        return len(self.parts)

    def take(self, which: Ints) -> "_Candidates":
        return _Candidates(*(getattr(self, name)[which] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Best:
    """What is certain of each part: that a window of so many posts ends in it, at a time or before."""

    posts: Ints
    at_us: Ints
    firsts_us: Ints
    """The very beginning of each part."""

    def raise_to(self, parts: Ints, posts: Ints, at_us: Ints) -> None:
        """Takes over what is more, or as much and earlier."""
        some = np.flatnonzero(posts >= self.posts[parts])
        parts, posts, at_us = parts[some], posts[some], at_us[some]
        order = np.lexsort((at_us, -posts, parts))
        named, places = np.unique(parts[order], return_index=True)
        chosen = order[places]
        most, when = posts[chosen], at_us[chosen]
        better = (most > self.posts[named]) | ((most == self.posts[named]) & (when < self.at_us[named]))
        self.posts[named[better]], self.at_us[named[better]] = most[better], when[better]

    def allows(self, found: _Candidates) -> Ints:
        """Which candidates may hold more, or as much and earlier; nothing is no peak."""
        least, at_us = self.posts[found.parts], self.at_us[found.parts]
        more = (found.at_most > least) | ((found.at_most == least) & (found.firsts_us <= at_us))
        return np.flatnonzero(more & (found.at_most > 0))


def reach_us(window_us: int, bounds_us: Ints) -> tuple[int, int]:
    """The times (since, until] that `fullest` looks at: whole hours, so that no sum is cut through."""
    span_us = STEPS_US[0]
    since_us = (int(bounds_us[0]) - window_us + 1) // span_us * span_us
    return since_us - 1, -(-(int(bounds_us[-1]) + 1) // span_us) * span_us - 1


def fullest(counted: Counted, window_us: int, bounds_us: Ints) -> list[Peak]:
    """As `peaks` of all moments of `reach_us`: a peak for each part (bounds[i], bounds[i + 1]]."""
    firsts, lasts = bounds_us[:-1] + 1, bounds_us[1:]
    begin_us = reach_us(window_us, bounds_us)[0] + 1
    begins, nothing = np.full_like(firsts, begin_us), np.zeros_like(firsts)
    whole = _Candidates(
        np.arange(len(firsts)), begins, firsts, lasts, begins, begins, nothing, nothing, nothing
    )
    best = _Best(np.zeros_like(firsts), lasts.copy(), firsts)
    _look_closer(counted, window_us, whole, best, STEPS_US)
    return [
        Peak(first - 1, last, posts, at if posts else None)
        for first, last, posts, at in zip(
            *(column.tolist() for column in (firsts, lasts, best.posts, best.at_us)), strict=True
        )
    ]


def _look_closer(
    counted: Counted, window_us: int, wide: _Candidates, best: _Best, steps_us: tuple[int, ...]
) -> None:
    """Looks at each candidate by spans of the next length, and so on down to the moments.

    Each handful is followed down to its end before the next is begun: so memory is bounded, and what is
    certain by then spares the others.
    """
    span_us, *shorter = steps_us
    read = _read(counted, wide, span_us)
    found = _narrowed(read, window_us, wide, best, span_us)
    if not shorter:
        return
    # Those that may be fullest first; of equal ones the earliest.
    found = found.take(np.argsort(-found.at_most, kind="stable"))
    is_sparse = int(found.weights.sum()) <= POSTS_A_SPAN * len(found) * (span_us // shorter[0])
    following = STEPS_US[-1:] if is_sparse else tuple(shorter)
    for handful in _handfuls(found, by_weight=len(following) == 1):
        left = found.take(handful)
        left = left.take(best.allows(left))
        if len(left):
            _look_closer(counted, window_us, left, best, following)


def _handfuls(found: _Candidates, *, by_weight: bool) -> Iterator[Ints]:
    begin, most = 0, FIRST_AT_ONCE
    weights = np.cumsum(found.weights)
    while begin < len(found):
        end = min(begin + most, len(found))
        if by_weight:
            before = int(weights[begin - 1]) if begin else 0
            fitting = int(np.searchsorted(weights, before + POSTS_AT_ONCE, side="right"))
            end = min(end, max(begin + 1, fitting))
        yield np.arange(begin, end)
        begin, most = end, MOST_AT_ONCE


def _read(counted: Counted, wide: _Candidates, span_us: int) -> tuple[Ints, Ints]:
    """The heads and tails, by spans of this length."""
    head_ends = _up(wide.lasts_us + 1, span_us)
    since_us = np.concatenate((wide.tails_us, wide.heads_us))
    until_us = np.concatenate((wide.tail_ends_us, head_ends))
    ranges = union(since_us, until_us)
    return counted.moments(*ranges) if span_us == 1 else counted.sums(span_us, *ranges)


def union(since_us: Ints, until_us: Ints) -> tuple[Ints, Ints]:
    """The same times as ranges [since, until) that are in order and apart."""
    some = since_us < until_us
    order = np.argsort(since_us[some], kind="stable")
    since_us, until_us = since_us[some][order], np.maximum.accumulate(until_us[some][order])
    apart = np.flatnonzero(since_us[1:] > until_us[:-1])
    return since_us[np.append(0, apart + 1)[: len(since_us)]], until_us[np.append(apart, -1)[: len(since_us)]]


class _Axis:
    """Posts before a time, for each of some candidates: over its tail, its middle and its head."""

    def __init__(self, read: tuple[Ints, Ints], of: _Candidates) -> None:
        self._times, posts = read
        self._sums = np.concatenate(([0], np.cumsum(posts)))
        self._heads_us = of.heads_us
        self._tails = self._before(of.tails_us)
        self._jump = self._before(of.tail_ends_us) - self._tails + of.middles - self._before(of.heads_us)

    def before(self, at_us: Ints, which: Ints) -> Ints:
        """Posts before times that lie in the tail or the head of the candidates that are named."""
        in_head = at_us >= self._heads_us[which]
        return self._before(at_us) + np.where(in_head, self._jump[which], -self._tails[which])

    def _before(self, at_us: Ints) -> Ints:
        return self._sums[np.searchsorted(self._times, at_us, side="left")]


def _narrowed(
    read: tuple[Ints, Ints], window_us: int, wide: _Candidates, best: _Best, span_us: int
) -> _Candidates:
    """The spans of this length that may hold the end of a fullest window, in order of candidates and time."""
    which, spans = _occupied(read[0], wide, best, span_us)
    axis = _Axis(read, wide)
    parts, ends = wide.parts[which], spans + span_us
    firsts, lasts = np.maximum(wide.firsts_us[which], spans), np.minimum(wide.lasts_us[which], ends - 1)
    at_end, at_begin = axis.before(ends, which), axis.before(spans, which)
    # All of every span that such a window has any of; and the spans that the last of them has all of.
    at_most = at_end - axis.before(_down(firsts - window_us + 1, span_us), which)
    begun = _up(lasts - window_us + 1, span_us)
    at_least = np.where(lasts == ends - 1, at_end, at_begin) - axis.before(np.minimum(begun, ends), which)
    if span_us > window_us:
        # So many windows one after the other hold all of a span: one has its share, if all end in the part.
        windows = -(-span_us // window_us)
        share = -((at_begin - at_end) // windows)
        at_least = np.where((firsts == spans) & (lasts == ends - 1), share, 0)
    best.raise_to(parts, np.maximum(at_least, 0), lasts)
    tails = _down(firsts - window_us + 1, span_us)
    tail_ends = np.minimum(_down(lasts - window_us, span_us) + span_us, spans)
    at_tail_end = axis.before(tail_ends, which)
    middles = at_begin - at_tail_end
    weights = at_end - at_begin + at_tail_end - axis.before(tails, which)
    found = _Candidates(parts, spans, firsts, lasts, tails, tail_ends, middles, at_most, weights)
    return found.take(best.allows(found))


def _occupied(times: Ints, wide: _Candidates, best: _Best, span_us: int) -> tuple[Ints, Ints]:
    """(candidate, beginning of a span) where a fullest window may end first.

    That is where something is counted, and at the very beginning of a part.
    """
    since, until = _down(wide.firsts_us, span_us), wide.lasts_us
    begin, end = np.searchsorted(times, since, side="left"), np.searchsorted(times, until, side="right")
    counts = end - begin
    which = np.repeat(np.arange(len(wide)), counts)
    offsets = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    spans = times[np.repeat(begin, counts) + offsets]
    is_counted = np.append(times, np.iinfo(np.int64).max)[begin] == since
    bare = np.flatnonzero(~is_counted & (wide.firsts_us == best.firsts_us[wide.parts]))
    return np.concatenate((bare, which)), np.concatenate((since[bare], spans))


def _down(at_us: Ints, span_us: int) -> Ints:
    return at_us // span_us * span_us


def _up(at_us: Ints, span_us: int) -> Ints:
    return -(-at_us // span_us) * span_us
