"""What subjects say, and what it comes to (C1, C2).

A deny bites as soon as it arrives and holds until a later allow of the same or a narrower scope lifts it.
Of a history only the choices that can still matter are kept (`still_standing`); of those, `standing_of` keeps
what decides and drops the times, so that subjects who stand alike share one value.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.chassis.refusals import Refusal, invalid, not_found, precondition
from services.consent.domain.purposes import PURPOSES

EVERYONE = ""
"""The licensee of a scope that covers every licensee."""
ALL_PURPOSES = 0
"""The purpose of a scope that covers every purpose to which choices apply."""
DIGEST_BYTES = 32
MOST_LICENSEES = 128
"""Licensees that one subject's choices can name. Consent does not know who is one, so anyone could name new
ones for ever, and each choice is kept with all that still matter. A platform has some dozens."""
_LONGEST_AGO_US = -(2**62)


class Stance(enum.IntEnum):
    """Numbers of `sluice.consent.v1.Stance`."""

    ALLOW = 1
    DENY = 2


class Says(enum.IntEnum):
    """What a subject's choices say to one question."""

    NOTHING = 0
    ALLOWS = 1
    DENIES = 2


@dataclass(frozen=True, order=True, slots=True)
class Scope:
    """For whom and for what a choice was made."""

    licensee: str = EVERYONE
    purpose: int = ALL_PURPOSES

    def covers(self, licensee: str, purpose: int, asked: int | None = None) -> bool:
        """Whether a question falls under this scope; `asked` is a purpose on whose behalf it is put (C7)."""
        return self.licensee in (EVERYONE, licensee) and self.purpose in (ALL_PURPOSES, purpose, asked)

    def within(self, other: "Scope") -> bool:
        """Whether licensee and purpose are each the same as the other's, or narrower."""
        return other.licensee in (EVERYONE, self.licensee) and other.purpose in (ALL_PURPOSES, self.purpose)

    def as_named(self, purpose: int, asked: int | None) -> "Scope":
        """The scope of an allow in a question on behalf of `asked`: as if it named `purpose` (C7)."""
        return replace(self, purpose=purpose) if self.purpose == asked else self


@dataclass(frozen=True, slots=True)
class Draft:
    """A choice as it was handed in, before it has a time and a revision of ours."""

    subject_id: int
    stance: Stance
    scope: Scope
    method: int
    """A `sluice.consent.v1.ChoiceMethod`: how it was made."""
    notice_digest: bytes = b""
    """SHA-256 of the notice shown; empty where there is none."""
    claimed_us: int | None = None
    """When the source says it was stated, microseconds UTC; None if live, or where it does not say."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The part of a recorded choice that decides."""

    stance: Stance
    scope: Scope
    stated_us: int
    revision: int

    def is_later_than(self, other: "Choice") -> bool:
        """Later in both stated time and revision (C2)."""
        return self.stated_us > other.stated_us and self.revision > other.revision


@dataclass(frozen=True)
class Standing:
    """What a subject's choices come to, without times: equal for all who stand alike."""

    allows: tuple[Scope, ...] = ()
    denies: tuple[tuple[Scope, tuple[Scope, ...]], ...] = ()
    """Scopes denied, each with the scopes of the later allows that lift a part of it."""

    def says(self, licensee: str, purpose: int, asked: int | None = None) -> Says:
        """The answer to one question by C2; `asked` is set where `purpose` is asked on its behalf (C7)."""
        for denied, lifters in self.denies:
            if denied.covers(licensee, purpose) and not any(
                lifter.covers(licensee, purpose, asked) and lifter.as_named(purpose, asked).within(denied)
                for lifter in lifters
            ):
                return Says.DENIES
        allowed = any(scope.covers(licensee, purpose, asked) for scope in self.allows)
        return Says.ALLOWS if allowed else Says.NOTHING

    @property
    def scopes(self) -> int:
        """Scopes named in it: what it costs to keep."""
        return len(self.allows) + sum(1 + len(lifters) for _, lifters in self.denies)


NOTHING_SAID = Standing()


def stamp_live(now_us: int, last_stated_us: int | None) -> int:
    """The stated time of a live choice: never before nor at the subject's last one (C1)."""
    return now_us if last_stated_us is None else max(now_us, last_stated_us + 1)


def stamp_import(draft: Draft, now_us: int) -> int:
    """The stated time of an imported choice; a deny from the future, or without one, is of now (C1)."""
    if draft.claimed_us is None:
        return now_us
    return max(min(draft.claimed_us, now_us), _LONGEST_AGO_US)


def stamp_repeated(draft: Draft, recorded_us: int, choices: Iterable[Choice], now_us: int) -> int | None:
    """The stated time of an imported choice that is on record already; None if it is to change nothing.

    `recorded_us`: the latest stated time that it was given. `choices`: the subject's, as of now. A choice
    that was given the time that its source claims is the same one again. A deny without a time, or from the
    future, was stated when it came (C1): here it comes once more, and bites again (C2) if it was lifted.
    """
    if draft.claimed_us is not None and draft.claimed_us <= recorded_us:
        return None
    if (draft.scope, ()) in standing_of(choices).denies:
        return None
    # Later than before, for it is another one, even where the clock has not moved on.
    return max(stamp_import(draft, now_us), recorded_us + 1)


def check_content(draft: Draft) -> None:
    """Refuses what cannot be a choice: an allow without its notice, a purpose on which nobody can choose.

    Raises Refusal NOTICE_DIGEST_MISSING, PURPOSE_NOT_CHOOSABLE, PURPOSE_UNKNOWN.
    """
    purpose = draft.scope.purpose
    if purpose != ALL_PURPOSES and purpose not in PURPOSES:
        raise invalid(
            "PURPOSE_UNKNOWN", "the purpose is not in the table of purposes", field="choice.purpose"
        )
    if purpose != ALL_PURPOSES and not PURPOSES[purpose].choosable:
        raise invalid("PURPOSE_NOT_CHOOSABLE", "choices do not apply to this purpose", field="choice.purpose")
    if draft.stance is Stance.ALLOW and len(draft.notice_digest) != DIGEST_BYTES:
        message = "an allow needs the SHA-256 digest of the notice that was shown"
        raise invalid("NOTICE_DIGEST_MISSING", message, field="choice.notice_digest")


def check_claimed_time(draft: Draft, now_us: int) -> None:
    """An imported allow needs a stated time, not in the future; a deny is never refused for its time (C1).

    Raises Refusal STATED_TIME_MISSING, STATED_IN_THE_FUTURE.
    """
    if draft.stance is Stance.DENY:
        return
    if draft.claimed_us is None:
        raise invalid("STATED_TIME_MISSING", "an allow needs the time at which it was stated")
    if draft.claimed_us > now_us:
        raise invalid("STATED_IN_THE_FUTURE", "an allow cannot have been stated in the future")


def check_subject(draft: Draft, *, known: bool) -> None:
    """A deny for a subject not seen yet is kept, to hold when they appear; an allow has no one to allow.

    Raises Refusal SUBJECT_UNKNOWN.
    """
    if not known and draft.stance is Stance.ALLOW:
        raise subject_unknown()


def check_room(draft: Draft, choices: Iterable[Choice]) -> None:
    """Refuses to name one licensee too many; a choice for everyone always has room.

    `choices`: the subject's that still matter. Raises Refusal TOO_MANY_SCOPES.
    """
    named = {choice.scope.licensee for choice in choices} - {EVERYONE}
    licensee = draft.scope.licensee
    if licensee != EVERYONE and licensee not in named and len(named) >= MOST_LICENSEES:
        message = f"the choices of a subject name at most {MOST_LICENSEES} licensees; everyone can be denied"
        raise precondition("TOO_MANY_SCOPES", message)


def subject_unknown() -> Refusal:
    """The refusal for a subject that is not there, or not the caller's own: both look alike."""
    return not_found("SUBJECT_UNKNOWN", "there is no such subject")


def still_standing(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """Drops every choice that another of the same scope has made irrelevant for good; ordered by revision.

    Only the same scope can do that: a broader allow does not lift a narrower deny, nor a narrower one all of
    a broader one.
    """
    by_scope: dict[Scope, list[Choice]] = {}
    for choice in choices:
        by_scope.setdefault(choice.scope, []).append(choice)
    kept = (
        choice
        for rivals in by_scope.values()
        for choice in rivals
        if not any(_supersedes(rival, choice) for rival in rivals)
    )
    return tuple(sorted(kept, key=lambda choice: choice.revision))


def _supersedes(rival: Choice, choice: Choice) -> bool:
    """Whether `rival`, of the same scope, decides everything that `choice` could, now and ever after."""
    if rival.revision <= choice.revision:
        return False
    if rival.stance is Stance.ALLOW:
        # It lifts that deny wherever the deny applies, and whatever that older allow lifts. At the same
        # stated time it replaces an allow but lifts no deny.
        same = choice.stance is Stance.ALLOW and rival.stated_us == choice.stated_us
        return same or rival.is_later_than(choice)
    # What lifts the later deny lifts the earlier one, and the allow counts for nothing until that is lifted.
    return rival.stated_us >= choice.stated_us


def standing_of(choices: Iterable[Choice]) -> Standing:
    """What the choices come to; expects those of `still_standing`, and is right for any history."""
    history = tuple(choices)
    allows = [choice for choice in history if choice.stance is Stance.ALLOW]
    # What lifts a deny for one licensee names that licensee: most need not be compared with each other.
    candidates: dict[str, list[Choice]] = {EVERYONE: allows}
    for allow in allows:
        if allow.scope.licensee != EVERYONE:
            candidates.setdefault(allow.scope.licensee, []).append(allow)
    denies: dict[Scope, set[frozenset[Scope]]] = {}
    for deny in history:
        if deny.stance is Stance.DENY:
            lifters = frozenset(
                allow.scope
                for allow in candidates.get(deny.scope.licensee, ())
                if allow.is_later_than(deny) and _can_lift(allow.scope, deny.scope)
            )
            if deny.scope not in lifters:
                denies.setdefault(deny.scope, set()).add(lifters)
    return Standing(
        tuple(sorted({allow.scope for allow in allows})),
        tuple(
            sorted((scope, tuple(sorted(least))) for scope, many in denies.items() for least in _least(many))
        ),
    )


def _can_lift(allow: Scope, deny: Scope) -> bool:
    """Whether the allow lifts a part of the deny in some question, on behalf of another purpose or not."""
    if allow.within(deny):
        return True
    traits = PURPOSES.get(allow.purpose)
    # C7: an allow that names a purpose counts as one for the purpose which that needs.
    return (
        traits is not None
        and traits.needs == deny.purpose
        and replace(allow, purpose=deny.purpose).within(deny)
    )


def _least(many: set[frozenset[Scope]]) -> list[frozenset[Scope]]:
    """Of the denies of one scope, those that are lifted least: where they are lifted, so are the others."""
    return [lifters for lifters in many if not any(other < lifters for other in many)]
