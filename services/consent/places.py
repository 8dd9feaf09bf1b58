"""Where the profiles of the database are in the columns of the index, and how much of those nobody needs.

The database gives an id to another profile once the first one was dropped. In the columns a profile keeps its
place for as long as they live, so the new one gets a place of its own, and the old place is waste until the
columns are made anew.
"""

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.changes import Placement
from services.consent.domain.subjects import Profile
from services.consent.profiles import Profiles
from services.consent.subject_table import SubjectTable

WASTE_ALLOWED = 250_000
"""Scopes in profiles that nobody has, some 250 bytes each, before it is worth making the columns anew. Where
more are in use it takes as many as those, so that the work stays in proportion to that of the choices."""


class Places:
    """Places in `profiles` by profile id. The database writer's."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._places: dict[int, int] = {}
        self._used = 0
        self._wasted = 0

    @property
    def wasteful(self) -> bool:
        """Whether the columns should be made anew."""
        return self._wasted > max(WASTE_ALLOWED, self._used)

    def add(self, profile_id: int, profile: Profile) -> None:
        """Takes in a profile; an id that was there before is now this one's."""
        self.drop(profile_id)
        self._places[profile_id] = self._profiles.add(profile)
        self._used += _cost(profile)

    def drop(self, profile_id: int) -> None:
        """Forgets a profile that no subject has any more."""
        place = self._places.pop(profile_id, None)
        if place is not None:
            cost = _cost(self._profiles.at(place))
            self._used -= cost
            self._wasted += cost

    def put(self, table: SubjectTable, placement: Placement) -> None:
        """Stores the places of subjects; raises ValueError where one has a profile that is not here."""
        distinct, which = np.unique(placement.profile_ids, return_inverse=True)
        try:
            places = np.array([self._places[profile_id] for profile_id in distinct.tolist()], np.uint32)
        except KeyError as error:
            raise ValueError("a subject has a profile that the index does not know") from error
        table.put(placement.subject_ids, places[which])

    def moved_to(self, profiles: Profiles) -> tuple["Places", NDArray[np.uint32]]:
        """The same profiles in columns of their own, which are empty yet; and the new place by old place.

        Places that nobody needs lead to 0, the profile of whoever is not known.
        """
        moved = Places(profiles)
        new_places = np.zeros(len(self._profiles), np.uint32)
        for profile_id, place in self._places.items():
            moved.add(profile_id, self._profiles.at(place))
            new_places[place] = moved._places[profile_id]
        return moved, new_places


def _cost(profile: Profile) -> int:
    return 1 + profile.standing.scopes
