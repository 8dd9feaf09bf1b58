"""Segments of the release index: which numbers each covers, and which are due to become one.

A segment of level 0 has the pairs of the decisions of one look, one of level n + 1 those of `FAN_OUT` of
level n: so there are few to look through, and each pair is written once a level.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FAN_OUT = 8
LONGEST_SPAN = 2**32 - 1
"""Numbers are kept in 32 bits, counted from where the segment begins."""


class SegmentState(enum.IntEnum):
    """What a segment is good for."""

    BUILDING = 1
    """Pairs are being merged into it; it is not looked through."""
    LIVE = 2
    DROPPED = 3
    """Another has its pairs; its blocks are removed bit by bit."""


@dataclass(frozen=True)
class Segment:
    """A segment, without its pairs."""

    id: int
    level: int
    after: int
    """It covers the decisions with numbers from the next one ..."""
    last: int
    """... to this one."""
    state: SegmentState


@dataclass(frozen=True)
class Merge:
    """Segments that are due to become one of the next level."""

    level: int
    """Of what they become."""
    after: int
    last: int


def due_merges(segments: Iterable[Segment]) -> list[Merge]:
    """The merges that are due and not begun, at most one into each level."""
    all_segments = list(segments)
    building = {segment.level for segment in all_segments if segment.state is SegmentState.BUILDING}
    due = []
    for level in sorted({segment.level for segment in all_segments}):
        oldest = _live(all_segments, level)[:FAN_OUT]
        if len(oldest) == FAN_OUT and level + 1 not in building and _fits(oldest):
            due.append(Merge(level + 1, oldest[0].after, oldest[-1].last))
    return due


def inputs_of(building: Segment, segments: Iterable[Segment]) -> list[Segment]:
    """The segments whose pairs are merged into one that is being built, in the order of their numbers."""
    below = _live(segments, building.level - 1)
    return [one for one in below if building.after <= one.after and one.last <= building.last]


def _live(segments: Iterable[Segment], level: int) -> list[Segment]:
    live = [one for one in segments if one.level == level and one.state is SegmentState.LIVE]
    return sorted(live, key=lambda one: one.after)


def _fits(segments: Sequence[Segment]) -> bool:
    return segments[-1].last - segments[0].after <= LONGEST_SPAN
