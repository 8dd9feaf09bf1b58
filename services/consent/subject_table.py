"""A hash table from subject ids to profile ids in two numpy columns, looked up a batch at a time.

Open addressing with linear probing over 8 + 4 bytes a slot. One thread writes while others read, without a
lock: a slot goes from empty to an id once and never back, a reader who finds the id before its profile is
there reads MISSING, and a profile is replaced by one aligned 4-byte store. So a reader sees each subject as
before or as after a write, never as something else. A table does not grow: `grown` makes a larger one to be
swapped in.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

MISSING = 0
"""The profile id of a subject that is not in the table; the id 0 is not a subject either."""

SPARSEST = 0.44
"""Share of slots in use after growing: 12 bytes / 0.44 is 27.3 bytes a subject, under the 28 allowed."""
FULLEST = 0.55
"""Share of slots in use at which to grow: an absent id then takes 3 probes on average (Knuth 6.4)."""

_SMALLEST = 1_024
_HALF = np.uint64(32)
# Odd multipliers of splitmix64 (Steele, Lea, Flood 2014).
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class SubjectTable:
    """Profile ids by subject id, for up to `room` subjects."""

    def __init__(self, subjects: int, seed: int) -> None:
        """Makes room for `subjects`; `seed` (64 bits) keeps people from choosing ids that collide."""
        self.slots = max(_SMALLEST, int(subjects / SPARSEST) + 1)
        self.count = 0
        self._seed = np.uint64(seed)
        self._ids = np.zeros(self.slots, np.uint64)
        self._profiles = np.zeros(self.slots, np.uint32)

    @property
    def room(self) -> int:
        """Subjects that may be in the table before it must grow."""
        return int(self.slots * FULLEST)

    @property
    def bytes(self) -> int:
        """Memory of both columns."""
        return self._ids.nbytes + self._profiles.nbytes

    def find(self, ids: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Profile ids (n) of subjects (n), MISSING where there is none; ids may repeat. Any thread."""
        slots = self._home(ids)
        found = self._ids[slots]
        profiles = self._profiles[slots]
        missed = found != ids
        if missed.any():
            profiles[missed] = MISSING
            self._probe_on(ids, slots, np.flatnonzero(missed & (found != MISSING)), profiles)
        return profiles

    def put(self, ids: NDArray[np.uint64], profiles: NDArray[np.uint32]) -> None:
        """Sets the profile ids (n) of distinct subjects (n, none 0). The one writer's; there must be room."""
        slots = self._home(ids)
        pending = np.arange(len(ids))
        while pending.size:
            wanted, at = ids[pending], slots[pending]
            empty = self._ids[at] == MISSING
            # Several may claim one slot; the last one stored has it and the others probe on.
            self._ids[at[empty]] = wanted[empty]
            mine = self._ids[at] == wanted
            self._profiles[at[mine]] = profiles[pending[mine]]
            self.count += int(np.count_nonzero(mine & empty))
            pending = pending[~mine]
            slots[pending] = self._after(slots[pending])

    def grown(self, more: int) -> Self:
        """A copy with room for `more` subjects. The one writer's; readers keep the old one meanwhile."""
        larger = type(self)(self.count + more, int(self._seed))
        taken = np.flatnonzero(self._ids)
        larger.put(self._ids[taken], self._profiles[taken])
        return larger

    def renumbered(self, profiles: NDArray[np.uint32]) -> Self:
        """A table of the same subjects, each with `profiles[id]` for its id. The one writer's.

        Readers may keep the old one, to which nothing is written any more. Both use one column of subjects: a
        subject that is added to the new table has no profile in the old one, and so is MISSING there.
        """
        other = type(self)(0, int(self._seed))
        other.slots, other.count, other._ids = self.slots, self.count, self._ids
        other._profiles = profiles[self._profiles]
        return other

    def _probe_on(
        self,
        ids: NDArray[np.uint64],
        slots: NDArray[np.intp],
        pending: NDArray[np.intp],
        profiles: NDArray[np.uint32],
    ) -> None:
        """Fills in `profiles` where the home slot held another subject."""
        at, wanted = slots[pending], ids[pending]
        while pending.size:
            at = self._after(at)
            found = self._ids[at]
            hit = found == wanted
            profiles[pending[hit]] = self._profiles[at[hit]]
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
