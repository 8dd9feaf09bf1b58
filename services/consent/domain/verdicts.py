"""Why a post may go, or may not: the reason of each contributor, and of a post from these (C6, C7).

One contributor that is denied denies the post. A purpose is allowed only together with the one it also needs.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.choices import Says
from services.consent.domain.halts import HaltScope
from services.consent.domain.policies import Policy, Regime
from services.consent.domain.posts import PostMark, PostState
from services.consent.domain.purposes import PURPOSES
from services.consent.domain.subjects import Facts, Profile, State

EVERYWHERE = frozenset({"*"})
"""The single entry that makes a license cover all jurisdictions; beside others it says nothing."""
WORLDWIDE = frozenset({"XX", "XY"})
"""What platforms write for no country but all of them: withheld by order, or after a notice of copyright."""
NO_HALTS: frozenset[HaltScope] = frozenset()


class Reason(enum.IntEnum):
    """Numbers of `sluice.consent.v1.ConsentReason`. Only ALLOWED allows."""

    ALLOWED = 1
    SUBJECT_UNKNOWN = 2
    SUBJECT_MINOR = 3
    SUBJECT_DEACTIVATED = 4
    SUBJECT_SUSPENDED = 5
    SUBJECT_DELETED = 6
    SUBJECT_PROTECTED = 7
    CHOICE_DENIES = 8
    NOT_OPTED_IN = 9
    NOTICE_NOT_SERVED = 10
    PROHIBITED = 11
    NO_POLICY = 12
    JURISDICTION_NOT_LICENSED = 13
    CONTRIBUTOR_UNNAMED = 14
    HALTED = 15
    POST_DENIED = 16
    POST_DELETED = 17
    WITHHELD = 18


_STATE_REASONS = (
    (State.MINOR, Reason.SUBJECT_MINOR),
    (State.DEACTIVATED, Reason.SUBJECT_DEACTIVATED),
    (State.SUSPENDED, Reason.SUBJECT_SUSPENDED),
    (State.DELETED, Reason.SUBJECT_DELETED),
    (State.PROTECTED, Reason.SUBJECT_PROTECTED),
)


@dataclass(frozen=True)
class Question:
    """May posts go to this licensee for this purpose, under a license that covers these jurisdictions?"""

    licensee: str
    purpose: int
    """A number of the table of purposes."""
    jurisdictions: frozenset[str]
    """Of contributors; {"*"} is all of them."""
    territory: frozenset[str] = EVERYWHERE
    """Countries in which the posts may be used; with "*" or empty, everywhere."""

    def reaches(self, countries: frozenset[str]) -> bool:
        """Whether the territory includes one of the countries; what is everywhere reaches any."""
        if not self.territory or "*" in self.territory:
            return bool(countries)
        named = any(place.partition("-")[0] in countries for place in self.territory)
        return named or not WORLDWIDE.isdisjoint(countries)


def reason_of(
    profile: Profile, question: Question, policy: Policy | None, halts: frozenset[HaltScope] = NO_HALTS
) -> Reason:
    """The reason for one named contributor; the first that applies, in the order of the checks below."""
    if is_halted(question, halts):
        return Reason.HALTED
    if profile.facts is None:
        return Reason.SUBJECT_UNKNOWN
    by_facts = reason_of_facts(profile.facts, question, halts)
    if by_facts is not Reason.ALLOWED:
        return by_facts
    for purpose, asked in purposes_of(question.purpose):
        regime = regime_of(policy, profile.facts.jurisdiction, purpose)
        informed = policy is not None and policy.informed(profile.facts.notices)
        reason = reason_of_choice(regime, profile.standing.says(question.licensee, purpose, asked), informed)
        if reason is not Reason.ALLOWED:
            return reason
    return Reason.ALLOWED


def is_halted(question: Question, halts: frozenset[HaltScope]) -> bool:
    """Whether all releases to this licensee for this purpose are stopped (C12)."""
    return any(halt.stops(question.licensee, question.purpose) for halt in halts)


def reason_of_facts(facts: Facts, question: Question, halts: frozenset[HaltScope] = NO_HALTS) -> Reason:
    """Whether anyone knows who they are; C4 in the order of the states; C12; C5; then the license (L2)."""
    if not facts.jurisdiction:
        return Reason.SUBJECT_UNKNOWN
    for state, reason in _STATE_REASONS:
        if facts.states & state:
            return reason
    if any(halt.covers(facts.jurisdiction) for halt in halts):
        return Reason.HALTED
    if question.reaches(facts.withheld):
        return Reason.WITHHELD
    country = facts.jurisdiction.partition("-")[0]
    licensed = not question.jurisdictions.isdisjoint((facts.jurisdiction, country))
    if not licensed and question.jurisdictions != EVERYWHERE:
        return Reason.JURISDICTION_NOT_LICENSED
    return Reason.ALLOWED


def reason_of_state(state: PostState, question: Question) -> Reason:
    """What a post's own state says, whoever wrote it (C5)."""
    if state.marks & PostMark.DENIED:
        return Reason.POST_DENIED
    if state.marks & PostMark.DELETED:
        return Reason.POST_DELETED
    return Reason.WITHHELD if question.reaches(state.withheld) else Reason.ALLOWED


def purposes_of(purpose: int) -> tuple[tuple[int, int | None], ...]:
    """The purposes that must each be allowed, with the one on whose behalf it is asked (C7).

    Empty for a purpose to which neither regimes nor choices apply.
    """
    traits = PURPOSES[purpose]
    if not traits.choosable:
        return ()
    if traits.needs is None:
        return ((purpose, None),)
    return ((purpose, None), (traits.needs, purpose))


def regime_of(policy: Policy | None, jurisdiction: str, purpose: int) -> Regime:
    """The regime in force; NONE where there is no policy for the purpose."""
    return Regime.NONE if policy is None else policy.regime(jurisdiction, purpose)


def reason_of_choice(regime: Regime, says: Says, informed: bool) -> Reason:
    """C2 and C3 for one purpose: what no choice helps against, then a deny, an allow, the regime."""
    if regime is Regime.NONE:
        return Reason.NO_POLICY
    if regime is Regime.PROHIBITED:
        return Reason.PROHIBITED
    if says is Says.DENIES:
        return Reason.CHOICE_DENIES
    if says is Says.ALLOWS:
        return Reason.ALLOWED
    if regime is Regime.OPT_IN:
        return Reason.NOT_OPTED_IN
    return Reason.ALLOWED if informed else Reason.NOTICE_NOT_SERVED


def reason_of_post(contributors: Sequence[Reason]) -> Reason:
    """The first contributor that is denied gives the reason: author, then embeds in their order (C6)."""
    return next((reason for reason in contributors if reason is not Reason.ALLOWED), Reason.ALLOWED)


def reasons_of_posts(
    authors: NDArray[np.uint8], embeds: NDArray[np.uint8], offsets: NDArray[np.uint32]
) -> NDArray[np.uint8]:
    """`reason_of_post` for columns: N reasons of authors, M of embeds and N + 1 offsets give N."""
    reasons = authors.copy()
    denied = np.flatnonzero(embeds != Reason.ALLOWED)
    if denied.size:
        posts = np.searchsorted(offsets, denied, side="right") - 1
        open_still = authors[posts] == Reason.ALLOWED
        # Of several writes to one place numpy keeps the last, and the first embed is to win: so from the end.
        reasons[posts[open_still][::-1]] = embeds[denied[open_still]][::-1]
    return reasons
