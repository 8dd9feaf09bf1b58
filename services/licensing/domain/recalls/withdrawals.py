"""A withdrawal as licensing sees it, and which releases it matches (W1)."""

import enum
from dataclasses import dataclass
from typing import NamedTuple

from services.licensing.domain.answers import Revision
from services.licensing.domain.terms import WILDCARD, Purpose

WORLDWIDE = frozenset({"XX", "XY"})
"""What is withheld here is withheld everywhere (C5): a take-down by the rights holder, or at its request."""


class Cause(enum.IntEnum):
    """Why; the numbers of `sluice.consent.v1.WithdrawalCause`. What it matches never rests on it."""

    CHOICE = 1
    SUBJECT_STATE = 2
    SUBJECT_WITHHELD = 3
    SUBJECT_ERASED = 4
    POST_DENIED = 5
    POST_DELETED = 6
    POST_WITHHELD = 7
    POLICY = 8
    HALT = 9


class HaltScope(NamedTuple):
    """What a halt covers, as consent's contract says it: one of its fields, and the value as text."""

    field: str
    value: str


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawal of consent's stream."""

    revision: Revision
    """Its position in the stream."""
    cause: int
    recorded_at_us: int
    """When consent received it."""
    subject_id: int = 0
    """Whose posts; 0 where it is not about one subject."""
    post_id: int = 0
    """Which post, alone or embedded in others; 0 where it is not about one post."""
    licensee_id: str = ""
    """From which licensee; "" is every one."""
    purposes: frozenset[int] = frozenset()
    """For which, closed under C7 by consent; empty is every one."""
    countries: frozenset[str] = frozenset()
    """Only from licenses whose territory has one of these; empty is all of them."""
    halt: HaltScope | None = None
    """Of a halt: consent is asked what it covers, whether it has been lifted since or not."""

    @property
    def needs_recheck(self) -> bool:
        """Whether only consent can say what it takes back: a policy, a halt, or what is not known here."""
        return not self.subject_id and not self.post_id

    def reaches(self, licensee_id: str, purpose: int, territory: frozenset[str], rests_on: Revision) -> bool:
        """Whether it takes back anything of what was released to a licensee for a purpose.

        `territory` is that of the version of the license which the decision was made under, and `rests_on`
        the revision of consent's answer to it: compared as pairs, so that a restored consent is a later one.
        """
        return (
            rests_on < self.revision
            and self.licensee_id in {"", licensee_id}
            and (not self.purposes or purpose in self.purposes)
            and (not self.countries or _includes(territory, self.countries))
        )


def halted_purposes(purpose: int) -> frozenset[int]:
    """The purposes that a halt of one stops: those that need it, too (C7). Empty is every one."""
    if purpose == Purpose.THIRD_PARTY_SHARING:
        return frozenset(Purpose) - {Purpose.VETTED_RESEARCH}
    return frozenset({purpose})


def _includes(territory: frozenset[str], countries: frozenset[str]) -> bool:
    """Whether a territory has one of the countries (one or more), as consent's C5 has it."""
    if not territory or WILDCARD in territory or not WORLDWIDE.isdisjoint(countries):
        return True
    return any(place.partition("-")[0] in countries for place in territory)
