"""Whose time it is: stretches of parties, for many rows at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sluice_gate.damages.tariffs import Ints


class Stretches:
    """The stretches [since, until) of members, which do not meet for the same party."""

    def __init__(self, members: Sequence[Mapping[str, Any]]) -> None:
        """`members`: objects with `party`, `since_us` and `until_us`."""
        self.parties = sorted({member["party"] for member in members})
        """Each once, in order of their bytes in UTF-8, which is also that of their characters."""
        ranks = {party: rank for rank, party in enumerate(self.parties)}
        ordered = sorted((ranks[each["party"]], each["since_us"], each["until_us"]) for each in members)
        columns = np.array(ordered, np.int64).reshape(-1, 3)
        self._party, self._since_us, self._until_us = columns.T
        self._begins = np.unique(self._since_us)
        self._keys = self._key(self._party, self._since_us)

    def _key(self, party: Ints, at_us: Ints) -> Ints:
        """In order of parties, then times as far as stretches begin at them."""
        begun = np.searchsorted(self._begins, at_us, side="right")
        return party.astype(np.int64) * (len(self._begins) + 1) + begun

    def hold(self, party: Ints, at_us: Ints) -> np.ndarray:
        """For each row whether its time is in a stretch of its party; of an unknown one (-1) it never is."""
        if not len(self._keys):
            return np.zeros(len(party), np.bool_)
        last_begun = np.searchsorted(self._keys, self._key(party, at_us), side="right") - 1
        held: np.ndarray = (last_begun >= 0) & (self._party[last_begun] == party)
        held &= (at_us >= self._since_us[last_begun]) & (at_us < self._until_us[last_begun])
        return held

    def meeting(self, since_us: int, until_us: int) -> list[int]:
        """Ranks of the parties one of whose stretches shares a moment with [since, until), in order."""
        meets = (self._since_us < until_us) & (since_us < self._until_us)
        return [int(rank) for rank in np.unique(self._party[meets])]
