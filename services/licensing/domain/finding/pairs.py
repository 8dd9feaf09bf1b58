"""Pairs of a key and the number of a decision, in order; cut into blocks, and merged piece by piece."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.licensing.domain.posts import Ids
from services.licensing.domain.released import Contents, KeyKind

BLOCK_PAIRS = 376
"""Pairs of a full block, of which a lookup reads at least one from each segment: 4.5 KB, which SQLite keeps
in one whole page and a little beside. (Of 512 it would need two, and leave a quarter empty.)"""

Numbers = NDArray[np.int64]


class Pairs(NamedTuple):
    """N pairs, each once, ascending by key and then by number."""

    keys: Ids
    """N."""
    numbers: Numbers
    """N."""

    def part(self, start: int, end: int) -> "Pairs":
        """Those at [start, end)."""
        return Pairs(self.keys[start:end], self.numbers[start:end])


class Place(NamedTuple):
    """Where a merge stands: all pairs up to this one are merged, and those of the kinds before."""

    kind: KeyKind
    key: int
    number: int
    """From 1; 0 is before the first pair of the key."""


class Run(NamedTuple):
    """Pairs of one segment that follow each other, all of one kind."""

    pairs: Pairs
    more: bool
    """Whether others of the kind follow in the segment."""


START = Place(KeyKind.CONTRIBUTOR, 0, 0)


def pairs_of(decisions: Sequence[tuple[int, Contents]], kind: KeyKind) -> Pairs:
    """All pairs of these decisions; `decisions` are in the order of their numbers."""
    keys = [contents.keys(kind) for _, contents in decisions]
    numbers = np.array([number for number, _ in decisions], np.int64)
    return _in_order(keys, [np.repeat(numbers, [len(some) for some in keys])])


def blocks_of(pairs: Pairs) -> list[Pairs]:
    """The pairs cut into blocks, all of them full but the last."""
    return [pairs.part(at, at + BLOCK_PAIRS) for at in range(0, len(pairs.keys), BLOCK_PAIRS)]


def merged(runs: Sequence[Run], key: int, number: int) -> tuple[Pairs, bool]:
    """The pairs after (key, number) that are known to be the next ones; and whether none follow.

    The runs are of segments of ascending numbers. Where others follow, only full blocks are given: at least
    one, if the run that ends first has `BLOCK_PAIRS` pairs after (key, number).
    """
    ends = [(int(run.pairs.keys[-1]), int(run.pairs.numbers[-1])) for run in runs if run.more]
    parts = [
        run.pairs.part(
            _first_after(run.pairs, key, number),
            _first_after(run.pairs, *min(ends)) if ends else len(run.pairs.keys),
        )
        for run in runs
    ]
    pairs = _in_order([part.keys for part in parts], [part.numbers for part in parts])
    if not ends:
        return pairs, True
    return pairs.part(0, len(pairs.keys) // BLOCK_PAIRS * BLOCK_PAIRS), False


def numbers_by_key(pairs: Pairs, keys: Ids) -> list[Numbers]:
    """For each of the keys, in their order, the numbers that go with it, ascending."""
    starts = np.searchsorted(pairs.keys, keys, side="left").tolist()
    ends = np.searchsorted(pairs.keys, keys, side="right").tolist()
    return [pairs.numbers[start:end] for start, end in zip(starts, ends, strict=True)]


def only_with(pairs: Pairs, keys: Ids) -> Pairs:
    """The pairs whose key is one of `keys`, which ascend, each once; in the order in which they were."""
    starts = np.searchsorted(pairs.keys, keys, side="left")
    counts = np.searchsorted(pairs.keys, keys, side="right") - starts
    # Places, not a mask: what is looked through is far more than what is found.
    places = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    return Pairs(pairs.keys[places], pairs.numbers[places])


def together(parts: Sequence[Pairs]) -> Pairs:
    """All pairs of some parts, which may overlap anyhow."""
    keys = np.concatenate([part.keys for part in parts] or [np.empty(0, np.uint64)])
    numbers = np.concatenate([part.numbers for part in parts] or [np.empty(0, np.int64)])
    order = np.lexsort((numbers, keys))
    keys, numbers = keys[order], numbers[order]
    distinct = np.ones(len(keys), np.bool_)
    distinct[1:] = (keys[1:] != keys[:-1]) | (numbers[1:] != numbers[:-1])
    return Pairs(keys[distinct], numbers[distinct])


def _in_order(keys: Sequence[Ids], numbers: Sequence[Numbers]) -> Pairs:
    """The pairs of parts, each in order, whose numbers ascend from part to part."""
    all_keys = np.concatenate([*keys, np.empty(0, np.uint64)])
    all_numbers = np.concatenate([*numbers, np.empty(0, np.int64)])
    # Stable, so that equal keys stay in the order of their numbers; and quick, for the parts are in order.
    order = np.argsort(all_keys, kind="stable")
    return Pairs(all_keys[order], all_numbers[order])


def _first_after(pairs: Pairs, key: int, number: int) -> int:
    """How many pairs are up to (key, number)."""
    start = int(np.searchsorted(pairs.keys, np.uint64(key), side="left"))
    end = int(np.searchsorted(pairs.keys, np.uint64(key), side="right"))
    return start + int(np.searchsorted(pairs.numbers[start:end], number, side="right"))
