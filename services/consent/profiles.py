"""The profiles of subjects as columns, and the answers to questions compiled over them.

Profiles are only ever added, by the one writer, and an added profile is complete before anything points at
its place; so an answer compiled for n profiles stays right, and is extended when a lookup meets a newer one.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.choices import Says, Standing
from services.consent.domain.halts import HaltScope
from services.consent.domain.policies import Policy, Regime
from services.consent.domain.subjects import UNKNOWN, Facts, Profile, State
from services.consent.domain.verdicts import (
    Question,
    Reason,
    purposes_of,
    reason_of_choice,
    reason_of_facts,
    regime_of,
)

REMEMBERED_QUESTIONS = 256
"""Questions are few (licensees times purposes in use); each costs a byte a profile."""

T = TypeVar("T", bound=Hashable)

_OUTCOMES: NDArray[np.uint8] = np.array(
    [
        [[reason_of_choice(regime, says, informed) for informed in (False, True)] for says in Says]
        for regime in Regime
    ],
    np.uint8,
)
"""`reason_of_choice` by [regime, says, informed]; all three enums count from 0."""


@dataclass
class _Column(Generic[T]):
    """One value a profile; equal values are kept once, for most profiles share theirs."""

    values: list[T] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    _place_of: dict[T, int] = field(default_factory=dict)

    def append(self, value: T) -> None:
        place = self._place_of.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        self.places.append(place)

    def at(self, place: int) -> T:
        return self.values[self.places[place]]

    def map(self, span: slice, decide: Callable[[T], int]) -> NDArray[np.uint8]:
        """`decide` of the values of some profiles; called once for each distinct value."""
        distinct, which = np.unique(np.array(self.places[span], np.intp), return_inverse=True)
        return np.array([decide(self.values[place]) for place in distinct], np.uint8)[which]


class Profiles:
    """The columns. Place 0 is the profile of whoever is not known."""

    def __init__(self) -> None:
        self._accounts: _Column[Facts | None] = _Column()  # without notices, which are many
        self._notices: _Column[frozenset[bytes]] = _Column()
        self._standings: _Column[Standing] = _Column()
        self._count = 0
        self._append(UNKNOWN)

    def __len__(self) -> int:
        return self._count

    def add(self, profile: Profile) -> int:
        """Puts a profile at the next place, which it returns."""
        self._append(profile)
        return self._count - 1

    def at(self, place: int) -> Profile:
        """The profile that was put there."""
        account = self._accounts.at(place)
        facts = None if account is None else replace(account, notices=self._notices.at(place))
        return Profile(facts, self._standings.at(place))

    def answer(
        self, question: Question, policy: Policy | None, halts: frozenset[HaltScope], span: slice
    ) -> NDArray[np.uint8]:
        """A `Reason` for each of some profiles; equal to `reason_of` of each, but for halts of all."""

        def by_account(facts: Facts | None) -> int:
            return Reason.SUBJECT_UNKNOWN if facts is None else reason_of_facts(facts, question, halts)

        reasons = self._accounts.map(span, by_account)
        for purpose, asked in purposes_of(question.purpose):
            regimes = self._regimes(policy, purpose, span)
            says = self._standings.map(span, _asking(question.licensee, purpose, asked))
            by_choice = _OUTCOMES[regimes, says, self._informed(policy, span)]
            reasons = np.where(reasons == Reason.ALLOWED, by_choice, reasons)
        return reasons

    def _regimes(self, policy: Policy | None, purpose: int, span: slice) -> NDArray[np.uint8]:
        def regime(facts: Facts | None) -> int:
            return Regime.NONE if facts is None else regime_of(policy, facts.jurisdiction, purpose)

        return self._accounts.map(span, regime)

    def _informed(self, policy: Policy | None, span: slice) -> NDArray[np.uint8]:
        return self._notices.map(span, lambda notices: policy is not None and policy.informed(notices))

    def _append(self, profile: Profile) -> None:
        facts = profile.facts
        account = None if facts is None else replace(facts, states=State(facts.states), notices=frozenset())
        self._accounts.append(account)
        self._notices.append(frozenset() if facts is None else facts.notices)
        self._standings.append(profile.standing)
        # Last: whoever reads the count may read that many places of each column.
        self._count += 1


def _asking(licensee: str, purpose: int, asked: int | None) -> Callable[[Standing], int]:
    return lambda standing: standing.says(licensee, purpose, asked)


class Answers:
    """Answers to the questions asked lately, one byte a profile. For the thread of the event loop only."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._known: OrderedDict[Hashable, NDArray[np.uint8]] = OrderedDict()

    def to(self, question: Question, policy: Policy | None, halts: frozenset[HaltScope]) -> NDArray[np.uint8]:
        """A `Reason` by place, for all profiles there are at the time of the call."""
        # Everything that `Profiles.answer` depends on beside the profiles; a version's content never changes.
        key = (question, 0 if policy is None else policy.version, halts)
        known, end = self._known.get(key), len(self._profiles)
        if known is None:
            known = self._profiles.answer(question, policy, halts, slice(end))
        elif len(known) < end:
            more = self._profiles.answer(question, policy, halts, slice(len(known), end))
            known = np.concatenate((known, more))
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED_QUESTIONS:
            self._known.popitem(last=False)
        return known
