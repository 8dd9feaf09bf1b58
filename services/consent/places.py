"""Where the profiles of the database are in the columns of the index, and when it is worth to make those
anew.

In the columns a profile keeps its place for as long as they live. The database drops profiles that no subject
has any more and says nothing of it: so from time to time it is looked which are still in use.
"""

from collections.abc import Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from services.consent.columns import Column
from services.consent.domain.subjects import Profile
from services.consent.profiles import Profiles

WASTE_ALLOWED = 250_000
"""Profiles and scopes that come in, some ten bytes each, before it is worth to look which are in use. Where
more are in use it takes as many as those, so that the work stays in proportion to that of the choices."""
_AT_ONCE = 10_000


class Places:
    """Places in `profiles` by profile id. The index writer's."""

    def __init__(self, profiles: Profiles) -> None:
        self.profiles = profiles
        # Ids, ascending, and the place of each.
        self._ids, self._places = Column(np.int64), Column(np.uint32)
        self._allowed = WASTE_ALLOWED

    @property
    def wasteful(self) -> bool:
        """Whether so much has come in that the columns should be made anew."""
        return self.profiles.work > self._allowed

    def add(self, profiles: Mapping[int, Profile]) -> None:
        """Takes in profiles by id; the same again changes nothing, for an id is given once."""
        ids = np.array(sorted(profiles), np.int64)
        rest = iter(ids[~self._has(ids)].tolist())
        while some := list(islice(rest, _AT_ONCE)):
            first = self.profiles.add(*(profiles[profile_id] for profile_id in some))
            self._insert(np.array(some, np.int64), np.arange(first, first + len(some), dtype=np.uint32))

    def of(self, profile_ids: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The places (n) of profiles (n); raises ValueError where one is not here."""
        if not self._has(profile_ids).all():
            raise ValueError("a subject has a profile that the index does not know")
        return self._places.read()[np.searchsorted(self._ids.read(), profile_ids)]

    def tidied(self, used: NDArray[np.bool_]) -> tuple["Places", NDArray[np.uint32]]:
        """Those of the profiles whose place is in use, in columns of their own; the new place by old place.

        Places that nobody has lead to 0, the profile of whoever is not known.
        """
        used = used.copy()
        used[0] = True
        tidy = Places(self.profiles.kept(used))
        new_places = np.where(used, np.cumsum(used) - 1, 0).astype(np.uint32)
        places = self._places.read()
        kept = used[places]
        tidy._insert(self._ids.read()[kept], new_places[places[kept]])
        tidy._allowed = tidy.profiles.work + max(WASTE_ALLOWED, tidy.profiles.work)
        return tidy, new_places

    def _has(self, profile_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        ids = self._ids.read()
        if not len(ids):
            return np.zeros(len(profile_ids), np.bool_)
        at = np.minimum(np.searchsorted(ids, profile_ids), len(ids) - 1)
        here: NDArray[np.bool_] = ids[at] == profile_ids
        return here

    def _insert(self, ids: NDArray[np.int64], places: NDArray[np.uint32]) -> None:
        """New ids, ascending. Revisions give them, so that mostly they come after all that are here."""
        known, placed = self._ids.read(), self._places.read()
        if known.size and ids.size and ids[0] < known[-1]:
            ids, places = np.concatenate((known, ids)), np.concatenate((placed, places))
            order = np.argsort(ids)
            ids, places = ids[order], places[order]
            self._ids, self._places = Column(np.int64), Column(np.uint32)
        self._ids.extend(ids)
        self._places.extend(places)
