"""A hash table from the ids of subjects or posts to small numbers ("places"), looked up a batch at a time.

Open addressing with linear probing over 8 + 4 bytes a slot. One thread writes while others read, without a
lock: a slot goes from empty to an id once and never back, a reader who finds the id before its place is there
reads MISSING, and a place is replaced by one aligned 4-byte store. So a reader sees each id as before or as
after a write, never as something else. A table does not grow: `with_room` makes a larger one to swap in.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

MISSING = 0
"""The place of an id that is not in the table; the id 0 is never in it."""

SPARSEST = 0.44
"""Share of slots in use after growing: 12 bytes / 0.44 is 27.3 bytes an id, under the 28 allowed."""
FULLEST = 0.55
"""Share of slots in use at which to grow: an absent id then takes 3 probes on average (Knuth 6.4)."""

_SMALLEST = 1_024
_AT_ONCE = 1 << 16
"""Slots that are copied at once, so that growing takes no more memory than the two tables."""
_HALF = np.uint64(32)
# Odd multipliers of splitmix64 (Steele, Lea, Flood 2014).
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class IdTable:
    """Places by id, for up to `room` ids."""

    def __init__(self, ids: int, seed: int) -> None:
        """Makes room for `ids`; `seed` (64 bits) keeps people from choosing ids that collide."""
        self.slots = max(_SMALLEST, int(ids / SPARSEST) + 1)
        self.count = 0
        self._seed = np.uint64(seed)
        self._ids = np.zeros(self.slots, np.uint64)
        self._places = np.zeros(self.slots, np.uint32)

    @property
    def room(self) -> int:
        """Ids that may be in the table before it must grow."""
        return int(self.slots * FULLEST)

    @property
    def bytes(self) -> int:
        """Memory of both columns."""
        return self._ids.nbytes + self._places.nbytes

    def find(self, ids: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Places (n) of ids (n), MISSING where there is none; ids may repeat. Any thread."""
        slots = self._home(ids)
        found = self._ids[slots]
        places = self._places[slots]
        missed = found != ids
        if missed.any():
            places[missed] = MISSING
            self._probe_on(ids, slots, np.flatnonzero(missed & (found != MISSING)), places)
        return places

    def put(self, ids: NDArray[np.uint64], places: NDArray[np.uint32]) -> None:
        """Sets the places (n) of distinct ids (n, none 0). The one writer's; there must be room."""
        slots = self._home(ids)
        pending = np.arange(len(ids))
        while pending.size:
            wanted, at = ids[pending], slots[pending]
            empty = self._ids[at] == MISSING
            # Several may claim one slot; the last one stored has it and the others probe on.
            self._ids[at[empty]] = wanted[empty]
            mine = self._ids[at] == wanted
            self._places[at[mine]] = places[pending[mine]]
            self.count += int(np.count_nonzero(mine & empty))
            pending = pending[~mine]
            slots[pending] = self._after(slots[pending])

    def used(self, places: int) -> NDArray[np.bool_]:
        """Whether some id has it, for each of the first `places` places."""
        return np.bincount(self._places, minlength=places)[:places] > 0

    def with_room(self, more: int) -> Self:
        """Itself, or where `more` ids have no room a larger one with the same in it."""
        return self if self.count + more <= self.room else self._grown(more)

    def renumbered(self, places: NDArray[np.uint32]) -> Self:
        """A table of the same ids, each with `places[place]` for its place. The one writer's.

        Readers may keep the old one, to which nothing is written any more. Both use one column of ids: one
        that is added to the new table has no place in the old one, and so is MISSING there.
        """
        other = type(self)(0, int(self._seed))
        other.slots, other.count, other._ids = self.slots, self.count, self._ids
        other._places = places[self._places]
        return other

    def _grown(self, more: int) -> Self:
        """A copy with room for `more` ids. The one writer's; readers keep the old one meanwhile."""
        larger = type(self)(self.count + more, int(self._seed))
        for start in range(0, self.slots, _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            taken = self._ids[some] != MISSING
            larger.put(self._ids[some][taken], self._places[some][taken])
        return larger

    def _probe_on(
        self,
        ids: NDArray[np.uint64],
        slots: NDArray[np.intp],
        pending: NDArray[np.intp],
        places: NDArray[np.uint32],
    ) -> None:
        """Fills in `places` where the home slot held another id."""
        at, wanted = slots[pending], ids[pending]
        while pending.size:
            at = self._after(at)
            found = self._ids[at]
            hit = found == wanted
            places[pending[hit]] = self._places[at[hit]]
            on = ~hit & (found != MISSING)
            pending, at, wanted = pending[on], at[on], wanted[on]

    def _home(self, ids: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The first slot of each id: a mixed hash, scaled to the number of slots by its upper half."""
        mixed = (ids ^ self._seed) * _MULTIPLIERS[0]
        mixed ^= mixed >> _HALF
        mixed *= _MULTIPLIERS[1]
        mixed >>= _HALF
        mixed *= np.uint64(self.slots)
        mixed >>= _HALF
        # Indexing with anything else than intp would convert it each time.
        return mixed.view(np.intp)

    def _after(self, slots: NDArray[np.intp]) -> NDArray[np.intp]:
        following = slots + 1
        following[following == self.slots] = 0
        return following
