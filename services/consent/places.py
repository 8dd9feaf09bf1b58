"""Where the profiles of the database are in the columns of the index, and when it is worth to make those
anew.

In the columns a profile keeps its place for as long as they live. The database drops profiles that no subject
has any more and says nothing of it: so from time to time it is looked which are still in use.
"""

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.subjects import Profile
from services.consent.profiles import Profiles

WASTE_ALLOWED = 250_000
"""Scopes that come in, some 250 bytes each, before it is worth to look which are in use. Where more are in
use it takes as many as those, so that the work stays in proportion to that of the choices."""


class Places:
    """Places in `profiles` by profile id. The index writer's."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._places: dict[int, int] = {}
        self._scopes = 0
        self._allowed = WASTE_ALLOWED

    @property
    def wasteful(self) -> bool:
        """Whether so much has come in that the columns should be made anew."""
        return self._scopes > self._allowed

    def add(self, profile_id: int, profile: Profile) -> None:
        """Takes in a profile; the same again changes nothing, for an id is given once."""
        if profile_id not in self._places:
            self._places[profile_id] = self._profiles.add(profile)
            self._scopes += 1 + profile.standing.scopes

    def of(self, profile_ids: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The places (n) of profiles (n); raises ValueError where one is not here."""
        distinct, which = np.unique(profile_ids, return_inverse=True)
        try:
            places = np.array([self._places[profile_id] for profile_id in distinct.tolist()], np.uint32)
        except KeyError as error:
            raise ValueError("a subject has a profile that the index does not know") from error
        return places[which]

    def moved_to(self, profiles: Profiles, used: NDArray[np.bool_]) -> tuple["Places", NDArray[np.uint32]]:
        """Those of the profiles whose place is in use, in columns that are empty yet; the new place by old
        place.

        Places that nobody has lead to 0, the profile of whoever is not known.
        """
        moved = Places(profiles)
        new_places = np.zeros(len(self._profiles), np.uint32)
        for profile_id, place in self._places.items():
            if used[place]:
                moved.add(profile_id, self._profiles.at(place))
                new_places[place] = moved._places[profile_id]
        moved._allowed = moved._scopes + max(WASTE_ALLOWED, moved._scopes)
        return moved, new_places
