"""What the choices of many subjects come to, as columns: nine bytes for each scope that is named.

A question is put to all of them at once, and answered as by `choices.Standing.says` of each.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.consent.columns import Column
from services.consent.domain.choices import ALL_PURPOSES, EVERYONE, Says, Scope, Standing

_SCOPE = np.dtype([("place", np.uint32), ("licensee", np.uint32), ("purpose", np.uint8)])
"""One scope: the place of its standing, the number of the licensee, the purpose."""
_EVERYONE = 0
_NOBODY = 2**32 - 1
"""The number of whom no choice names."""

_Row = tuple[int, int, int]


class Standings:
    """One a place. `extend` is for one thread at a time, the rest for any."""

    def __init__(self) -> None:
        self._numbers = {EVERYONE: _EVERYONE}
        # Each ascending by place; the place of a lifter is the number of the deny that it lifts.
        self._allows, self._denies, self._lifters = (Column(_SCOPE) for _ in range(3))
        self._count = 0

    @property
    def scopes(self) -> int:
        """Scopes named in all of them."""
        return self._allows.size + self._denies.size + self._lifters.size

    def extend(self, standings: Sequence[Standing]) -> None:
        """Appends some."""
        allows, denies, lifters = list[_Row](), list[_Row](), list[_Row]()
        for place, standing in enumerate(standings, start=self._count):
            allows.extend(self._row(place, allow) for allow in standing.allows)
            for denied, lifted_by in standing.denies:
                deny = self._denies.size + len(denies)
                lifters.extend(self._row(deny, lifter) for lifter in lifted_by)
                denies.append(self._row(place, denied))
        self._allows.extend(allows)
        self._denies.extend(denies)
        self._lifters.extend(lifters)
        self._count += len(standings)

    def says(self, licensee: str, purpose: int, asked: int | None, span: range) -> NDArray[np.uint8]:
        """What those at some places say to a question: a `Says` each (C2, C7)."""
        number = self._numbers.get(licensee, _NOBODY)
        (allows, _), (denies, first) = _at(self._allows, span), _at(self._denies, span)
        lifters, _ = _at(self._lifters, range(first, first + len(denies)))
        lifted = lifters["place"] - np.uint32(first)
        lift = _cover(lifters, number, purpose, asked) & _within(lifters, denies[lifted], purpose, asked)
        hold = _cover(denies, number, purpose)
        hold[lifted[lift]] = False
        said = np.full(len(span), Says.NOTHING, np.uint8)
        said[allows["place"][_cover(allows, number, purpose, asked)] - np.uint32(span.start)] = Says.ALLOWS
        said[denies["place"][hold] - np.uint32(span.start)] = Says.DENIES
        return said

    def kept(self, used: NDArray[np.bool_]) -> Self:
        """Those at the places that are in use, in their order, and the licensees that these name."""
        kept = type(self)()
        kept._count = int(np.count_nonzero(used))
        allows, _ = _kept(self._allows.read(), used)
        denies, denies_kept = _kept(self._denies.read(), used)
        lifters, _ = _kept(self._lifters.read(), denies_kept)
        names = list(self._numbers)
        numbers = np.zeros(len(names), np.uint32)
        for number in np.unique(np.concatenate([rows["licensee"] for rows in (allows, denies, lifters)])):
            numbers[number] = kept._number(names[number])
        for column, rows in ((kept._allows, allows), (kept._denies, denies), (kept._lifters, lifters)):
            rows["licensee"] = numbers[rows["licensee"]]
            column.extend(rows)
        return kept

    def _row(self, place: int, scope: Scope) -> _Row:
        return place, self._number(scope.licensee), scope.purpose

    def _number(self, licensee: str) -> int:
        return self._numbers.setdefault(licensee, len(self._numbers))


def _at(column: Column, span: range) -> tuple[NDArray[Any], int]:
    """The rows of some places, and the number of the first of them."""
    rows = column.read()
    first = bisect_left(rows["place"], span.start)
    return rows[first : bisect_left(rows["place"], span.stop)], first


def _cover(rows: NDArray[Any], licensee: int, purpose: int, asked: int | None = None) -> NDArray[np.bool_]:
    """`Scope.covers` of each."""
    licensees, purposes = rows["licensee"], rows["purpose"]
    meant: NDArray[np.bool_] = (purposes == ALL_PURPOSES) | (purposes == purpose)
    if asked is not None:
        meant |= purposes == asked
    meant &= (licensees == _EVERYONE) | (licensees == licensee)
    return meant


def _within(rows: NDArray[Any], others: NDArray[Any], purpose: int, asked: int | None) -> NDArray[np.bool_]:
    """`Scope.as_named` and then `Scope.within`, of each in the other at its side."""
    purposes = rows["purpose"]
    named = purposes if asked is None else np.where(purposes == asked, purpose, purposes)
    within: NDArray[np.bool_] = (others["purpose"] == ALL_PURPOSES) | (others["purpose"] == named)
    within &= (others["licensee"] == _EVERYONE) | (others["licensee"] == rows["licensee"])
    return within


def _kept(rows: NDArray[Any], used: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A copy of the rows of the places that are in use, renumbered, and which of the rows they are."""
    places = rows["place"]
    chosen = used[places]
    kept = rows[chosen]
    kept["place"] = (np.cumsum(used) - 1)[kept["place"]]
    return kept, chosen
