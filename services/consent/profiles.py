"""The profiles of subjects as columns, and the answers to questions compiled over them.

Profiles are only ever added, by the one writer, and an added profile is complete before anything points at
its place; so an answer compiled for n profiles stays right, and is extended when a lookup meets a newer one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.consent.columns import Shared
from services.consent.domain.choices import Says
from services.consent.domain.halts import HaltKind, HaltScope
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
from services.consent.standings import Standings

REMEMBERED_QUESTIONS = 256
"""Questions are few (licensees times purposes in use); each costs a byte a profile."""
REMEMBERED_BYTES = 64 << 20
"""Of answers in all: where profiles are very many, fewer questions are remembered."""
COMPILED_AT_ONCE = 1_000_000
"""Profiles and scopes, which take some ten milliseconds. More are compiled in a thread, and other calls go
on."""

_OUTCOMES: NDArray[np.uint8] = np.array(
    [
        [[reason_of_choice(regime, says, informed) for informed in (False, True)] for says in Says]
        for regime in Regime
    ],
    np.uint8,
)
"""`reason_of_choice` by [regime, says, informed]; all three enums count from 0."""


class Profiles:
    """The columns. Place 0 is the profile of whoever is not known."""

    def __init__(self) -> None:
        self._accounts = Shared[Facts | None]()  # without notices, which are many
        self._notices = Shared[frozenset[bytes]]()
        self._standings = Standings()
        self._count = 0
        self.add(UNKNOWN)

    def __len__(self) -> int:
        return self._count

    @property
    def work(self) -> int:
        """Profiles that were added, and scopes named in them: what it costs to keep or to ask them."""
        return self._count - 1 + self._standings.scopes

    def add(self, *profiles: Profile) -> int:
        """Puts profiles at the next places; the first of these."""
        first = self._count
        self._accounts.extend([_account(profile.facts) for profile in profiles])
        self._notices.extend(
            [frozenset() if profile.facts is None else profile.facts.notices for profile in profiles]
        )
        self._standings.extend([profile.standing for profile in profiles])
        # Last: whoever reads the count may read that many places of each column.
        self._count += len(profiles)
        return first

    def kept(self, used: NDArray[np.bool_]) -> Self:
        """Those at the places that are in use, place 0 among them, in their order."""
        kept = type(self).__new__(type(self))
        kept._accounts, kept._notices = self._accounts.kept(used), self._notices.kept(used)
        kept._standings = self._standings.kept(used)
        kept._count = int(np.count_nonzero(used))
        return kept

    def answer(
        self, question: Question, policy: Policy | None, halts: frozenset[HaltScope], span: range
    ) -> NDArray[np.uint8]:
        """A `Reason` for each of some profiles; equal to `reason_of` of each, but for halts of all."""

        def by_account(facts: Facts | None) -> int:
            return Reason.SUBJECT_UNKNOWN if facts is None else reason_of_facts(facts, question, halts)

        reasons = self._accounts.map(span, by_account)
        for purpose, asked in purposes_of(question.purpose):
            regimes = self._regimes(policy, purpose, span)
            says = self._standings.says(question.licensee, purpose, asked, span)
            by_choice = _OUTCOMES[regimes, says, self._informed(policy, span)]
            reasons = np.where(reasons == Reason.ALLOWED, by_choice, reasons)
        return reasons

    def _regimes(self, policy: Policy | None, purpose: int, span: range) -> NDArray[np.uint8]:
        def regime(facts: Facts | None) -> int:
            return Regime.NONE if facts is None else regime_of(policy, facts.jurisdiction, purpose)

        return self._accounts.map(span, regime)

    def _informed(self, policy: Policy | None, span: range) -> NDArray[np.uint8]:
        return self._notices.map(span, lambda notices: policy is not None and policy.informed(notices))


def _account(facts: Facts | None) -> Facts | None:
    return None if facts is None else replace(facts, states=State(facts.states), notices=frozenset())


class Answers:
    """Answers to the questions asked lately, one byte a profile. For the thread of the event loop only."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._known: OrderedDict[Hashable, NDArray[np.uint8]] = OrderedDict()
        self._compiling = asyncio.Lock()

    async def prepare(self, question: Question, policy: Policy | None, halts: frozenset[HaltScope]) -> None:
        """Compiles beside the calls what would hold them up in `to`."""
        key = _key(question, policy, halts)
        if not self._lacks_much(key):
            return
        async with self._compiling:
            # Whoever came before may have asked the same.
            if self._lacks_much(key):
                known = self._known.get(key)
                self._remember(key, await asyncio.to_thread(self._compiled, known, question, policy, halts))

    def to(self, question: Question, policy: Policy | None, halts: frozenset[HaltScope]) -> NDArray[np.uint8]:
        """A `Reason` by place, for all profiles there are at the time of the call."""
        key = _key(question, policy, halts)
        answer = self._compiled(self._known.get(key), question, policy, halts)
        self._remember(key, answer)
        return answer

    def _lacks_much(self, key: Hashable) -> bool:
        known, profiles = self._known.get(key), len(self._profiles)
        lacking = profiles - (0 if known is None else len(known))
        # As if each profile had as many scopes as the others.
        return lacking * self._profiles.work > COMPILED_AT_ONCE * profiles

    def _compiled(
        self,
        known: NDArray[np.uint8] | None,
        question: Question,
        policy: Policy | None,
        halts: frozenset[HaltScope],
    ) -> NDArray[np.uint8]:
        end = len(self._profiles)
        if known is None:
            return self._profiles.answer(question, policy, halts, range(end))
        if len(known) == end:
            return known
        more = self._profiles.answer(question, policy, halts, range(len(known), end))
        return np.concatenate((known, more))

    def _remember(self, key: Hashable, answer: NDArray[np.uint8]) -> None:
        self._known[key] = answer
        self._known.move_to_end(key)
        most = max(1, min(REMEMBERED_QUESTIONS, REMEMBERED_BYTES // len(answer)))
        while len(self._known) > most:
            self._known.popitem(last=False)


def _key(question: Question, policy: Policy | None, halts: frozenset[HaltScope]) -> Hashable:
    """Everything that an answer depends on beside the profiles; a version's content never changes.

    Of halts those of jurisdictions: any other stops the whole batch or concerns it not at all.
    """
    # Mostly there is none, and this is asked for each check.
    of_jurisdictions = halts and frozenset(halt for halt in halts if halt.kind is HaltKind.JURISDICTION)
    return question, 0 if policy is None else policy.version, of_jurisdictions
