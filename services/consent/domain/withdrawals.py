"""What takes back releases that were made before it, and what it matches (W1)."""

import enum
from dataclasses import dataclass

from services.consent.domain.choices import ALL_PURPOSES, Scope, Stance
from services.consent.domain.halts import HaltScope
from services.consent.domain.posts import PostMark, PostState
from services.consent.domain.purposes import PURPOSES
from services.consent.domain.subjects import NO_STATES, Facts


class Cause(enum.IntEnum):
    """Numbers of `sluice.consent.v1.WithdrawalCause`."""

    CHOICE = 1
    SUBJECT_STATE = 2
    SUBJECT_WITHHELD = 3
    SUBJECT_ERASED = 4
    POST_DENIED = 5
    POST_DELETED = 6
    POST_WITHHELD = 7
    POLICY = 8
    HALT = 9


EVERY_PURPOSE = tuple(sorted(int(purpose) for purpose in PURPOSES))


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawal, before it has a revision."""

    cause: Cause
    subject_id: int = 0
    post_id: int = 0
    licensee: str = ""
    """Empty for every one."""
    purposes: tuple[int, ...] = EVERY_PURPOSE
    """Ascending; closed under C7."""
    countries: tuple[str, ...] = ()
    """Only from licenses whose territory has one of these; empty for all of them."""
    policy_version: int = 0
    halt: HaltScope | None = None


@dataclass(frozen=True)
class Recorded:
    """A withdrawal on record."""

    revision: int
    withdrawal: Withdrawal
    recorded_us: int


def closed(purpose: int) -> tuple[int, ...]:
    """The purposes for which a denied one takes posts back: itself and those that need it (C7)."""
    return tuple(
        number
        for number, traits in sorted(PURPOSES.items())
        if traits.choosable and (purpose in (ALL_PURPOSES, number) or traits.needs == purpose)
    )


def of_choice(subject_id: int, stance: Stance, scope: Scope) -> Withdrawal | None:
    """A deny takes back what it covers; an allow nothing."""
    if stance is Stance.ALLOW:
        return None
    return Withdrawal(Cause.CHOICE, subject_id, licensee=scope.licensee, purposes=closed(scope.purpose))


def of_facts(subject_id: int, before: Facts | None, after: Facts) -> Withdrawal | None:
    """A state that was not there before takes everything back; so do countries, where they are."""
    states, withheld = (NO_STATES, frozenset[str]()) if before is None else (before.states, before.withheld)
    if after.states & ~states:
        return Withdrawal(Cause.SUBJECT_STATE, subject_id)
    if more := after.withheld - withheld:
        return Withdrawal(Cause.SUBJECT_WITHHELD, subject_id, countries=tuple(sorted(more)))
    return None


def of_post(post_id: int, before: PostState, after: PostState) -> Withdrawal | None:
    """The same for one post; a change sets one mark at most."""
    marks = after.marks & ~before.marks
    if marks & PostMark.DENIED:
        return Withdrawal(Cause.POST_DENIED, post_id=post_id)
    if marks & PostMark.DELETED:
        return Withdrawal(Cause.POST_DELETED, post_id=post_id)
    if more := after.withheld - before.withheld:
        return Withdrawal(Cause.POST_WITHHELD, post_id=post_id, countries=tuple(sorted(more)))
    return None
