"""Changes of state as a platform's compliance stream tells them: late, repeated and out of order.

Of the changes of one state the latest by its source's own time holds, and of two at the same time the one
that denies: so the same changes in any order come to the same, those of somebody not yet described too. What
has no time of its own is of now, and it counts also where it says what is so already: an older change that
comes later must not undo it. A change from the future that denies is of now, and one that frees is refused,
as with choices (C1).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from services.chassis.refusals import Refusal, invalid
from services.consent.domain.choices import DIGEST_BYTES
from services.consent.domain.posts import Post, PostMark, PostState
from services.consent.domain.subjects import (
    MOST_NOTICES,
    NO_STATES,
    Facts,
    State,
    Subject,
    check_countries,
    check_not_erased,
)

WITHHELD_KEY = 0
"""Where the time of the last change of countries is kept, beside those of the flags."""


class ChangeKind(enum.IntEnum):
    """Numbers of `sluice.consent.v1.StateChangeKind`; 0 in a record is a description of the whole subject."""

    DELETE = 1
    UNDELETE = 2
    PROTECT = 3
    UNPROTECT = 4
    SUSPEND = 5
    UNSUSPEND = 6
    DEACTIVATE = 7
    REACTIVATE = 8
    MINOR = 9
    ADULT = 10
    WITHHELD = 11
    NOTICE_SERVED = 12
    DENY = 13
    UNDENY = 14


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change, of a subject or a post."""

    kind: ChangeKind
    occurred_us: int | None = None
    """By the source's clock, microseconds UTC; None is now."""
    countries: frozenset[str] = frozenset()
    """Of WITHHELD: all in which it is withheld from then on."""
    notice: bytes = b""
    """Of NOTICE_SERVED: SHA-256."""


class StateRow(NamedTuple):
    """A line of an import about a subject or a post."""

    line: int
    subject_id: int
    """0 where it is about a post."""
    post_id: int
    """0 where it is about a subject."""
    change: StateChange


class _Toggle(NamedTuple):
    flag: int
    on: bool


_SaidT = TypeVar("_SaidT", int, State, frozenset[str])

_OF_SUBJECTS: Mapping[ChangeKind, _Toggle] = {
    ChangeKind.DELETE: _Toggle(State.DELETED, True),
    ChangeKind.UNDELETE: _Toggle(State.DELETED, False),
    ChangeKind.PROTECT: _Toggle(State.PROTECTED, True),
    ChangeKind.UNPROTECT: _Toggle(State.PROTECTED, False),
    ChangeKind.SUSPEND: _Toggle(State.SUSPENDED, True),
    ChangeKind.UNSUSPEND: _Toggle(State.SUSPENDED, False),
    ChangeKind.DEACTIVATE: _Toggle(State.DEACTIVATED, True),
    ChangeKind.REACTIVATE: _Toggle(State.DEACTIVATED, False),
    ChangeKind.MINOR: _Toggle(State.MINOR, True),
    ChangeKind.ADULT: _Toggle(State.MINOR, False),
}
_OF_POSTS: Mapping[ChangeKind, _Toggle] = {
    ChangeKind.DELETE: _Toggle(PostMark.DELETED, True),
    ChangeKind.UNDELETE: _Toggle(PostMark.DELETED, False),
    ChangeKind.DENY: _Toggle(PostMark.DENIED, True),
    ChangeKind.UNDENY: _Toggle(PostMark.DENIED, False),
}


def check_subject_change(change: StateChange) -> None:
    """Raises Refusal CHANGE_NOT_OF_SUBJECT, COUNTRY_INVALID, NOTICE_DIGEST_INVALID."""
    if change.kind not in (ChangeKind.WITHHELD, ChangeKind.NOTICE_SERVED, *_OF_SUBJECTS):
        raise invalid("CHANGE_NOT_OF_SUBJECT", "an account has no such state")
    check_countries(change.countries)
    if change.kind is ChangeKind.NOTICE_SERVED and len(change.notice) != DIGEST_BYTES:
        raise invalid("NOTICE_DIGEST_INVALID", "a notice is named by its SHA-256 digest, 32 bytes")


def check_post_change(change: StateChange) -> None:
    """Raises Refusal CHANGE_NOT_OF_POST, COUNTRY_INVALID."""
    if change.kind not in (ChangeKind.WITHHELD, *_OF_POSTS):
        raise invalid("CHANGE_NOT_OF_POST", "a post has no such state")
    check_countries(change.countries)


def subject_after(subject: Subject, change: StateChange, now_us: int) -> Subject | None:
    """The subject after a change that has passed `check_subject_change`; None where it changes nothing.

    Changes of someone not known are kept, to hold when they appear.
    Raises Refusal SUBJECT_ERASED, OCCURRED_IN_THE_FUTURE, TOO_MANY_NOTICES.
    """
    check_not_erased(subject)
    facts = subject.facts or Facts("")
    if change.kind is ChangeKind.NOTICE_SERVED:
        return _informed(subject, facts, change, now_us)
    flag = WITHHELD_KEY if change.kind is ChangeKind.WITHHELD else _OF_SUBJECTS[change.kind].flag
    last_us = _last_us(subject, flag)
    if flag == WITHHELD_KEY:
        after = replace(facts, withheld=_withheld_after(facts.withheld, last_us, change, now_us))
    else:
        states = _flags_after(facts.states, _OF_SUBJECTS[change.kind], last_us, change, now_us)
        after = replace(facts, states=State(states))
    times_us = _times_after(subject.times_us, flag, last_us, change, now_us)
    if after == facts and times_us == subject.times_us:
        return None
    return replace(subject, facts=after, times_us=times_us)


def post_after(post: Post, change: StateChange, now_us: int) -> Post | None:
    """The post after a change that has passed `check_post_change`; None where it changes nothing.

    Raises Refusal OCCURRED_IN_THE_FUTURE.
    """
    flag = WITHHELD_KEY if change.kind is ChangeKind.WITHHELD else _OF_POSTS[change.kind].flag
    last_us = post.times_us.get(flag)
    if flag == WITHHELD_KEY:
        state = PostState(post.state.marks, _withheld_after(post.state.withheld, last_us, change, now_us))
    else:
        marks = _flags_after(post.state.marks, _OF_POSTS[change.kind], last_us, change, now_us)
        state = PostState(PostMark(marks), post.state.withheld)
    times_us = _times_after(post.times_us, flag, last_us, change, now_us)
    return None if (state, times_us) == (post.state, post.times_us) else Post(state, times_us)


def subject_described(subject: Subject, facts: Facts, as_of_us: int | None, now_us: int) -> Subject | None:
    """The subject after a description of the whole that has passed `check_facts`; None if that is not new.

    What single changes have said later than the description stays, and so do notices. `as_of_us` None is now.
    Of a description from the future only what denies is taken.
    Raises Refusal SUBJECT_ERASED, OCCURRED_IN_THE_FUTURE.
    """
    check_not_erased(subject)
    if as_of_us is not None and as_of_us > now_us:
        return _foretold(subject, facts, now_us)
    at_us = now_us if as_of_us is None else as_of_us
    before = subject.facts or Facts("")
    if subject.seen_us is not None and at_us < subject.seen_us:
        after = replace(before, notices=_served(before, facts.notices))
        return None if after == before else replace(subject, facts=after)
    # Of two places at the same time either would do, as long as it is the same one in any order.
    same_time = at_us == subject.seen_us
    after = Facts(
        min(before.jurisdiction, facts.jurisdiction) if same_time else facts.jurisdiction,
        _states_described(subject, facts.states, at_us),
        _served(before, facts.notices),
        _later(before.withheld, facts.withheld, _last_us(subject, WITHHELD_KEY), at_us),
    )
    if same_time and after == before:
        return None
    times_us = {flag: changed_us for flag, changed_us in subject.times_us.items() if changed_us >= at_us}
    return replace(subject, facts=after, seen_us=at_us, times_us=times_us)


def _foretold(subject: Subject, facts: Facts, now_us: int) -> Subject | None:
    """Each state and country of a description from the future, as single changes would say them now.

    Where none of that is new, the rest could only free.
    """
    before = subject.facts or Facts("")
    states, withheld = before.states | facts.states, before.withheld | facts.withheld
    after = replace(before, states=states, withheld=withheld)
    if after == before and facts != before:
        raise _in_the_future()
    denied = [*facts.states, *([WITHHELD_KEY] if facts.withheld else [])]
    times_us = {**subject.times_us, **{flag: max(now_us, _last_us(subject, flag) or 0) for flag in denied}}
    if after == before and times_us == subject.times_us:
        return None
    return replace(subject, facts=after, times_us=times_us)


def _states_described(subject: Subject, described: State, at_us: int) -> State:
    before = NO_STATES if subject.facts is None else subject.facts.states
    return State(
        sum(_later(before & flag, described & flag, _last_us(subject, flag), at_us) for flag in State)
    )


def _informed(subject: Subject, facts: Facts, change: StateChange, now_us: int) -> Subject | None:
    """A notice that was served stays served, whenever that was."""
    _at_us(change, now_us, frees=True)
    notices = facts.notices | {change.notice}
    if len(notices) > MOST_NOTICES:
        raise invalid("TOO_MANY_NOTICES", f"at most {MOST_NOTICES} notices are kept for a subject")
    return None if notices == facts.notices else replace(subject, facts=replace(facts, notices=notices))


def _served(before: Facts, described: frozenset[bytes]) -> frozenset[bytes]:
    """With the notices of a description, which is not refused for them: it may be one that denies.

    Where they are more than are kept, those of the description are: to forget a notice frees nobody (C3).
    """
    notices = before.notices | described
    return notices if len(notices) <= MOST_NOTICES else described


def _last_us(subject: Subject, flag: int) -> int | None:
    """When a state was last spoken of, on its own or with the whole."""
    times = [time_us for time_us in (subject.times_us.get(flag), subject.seen_us) if time_us is not None]
    return max(times, default=None)


def _flags_after(flags: int, toggle: _Toggle, last_us: int | None, change: StateChange, now_us: int) -> int:
    flag, on = toggle
    at_us = _at_us(change, now_us, frees=not on)
    return flags & ~flag | _later(flags & flag, flag if on else 0, last_us, at_us)


def _withheld_after(
    withheld: frozenset[str], last_us: int | None, change: StateChange, now_us: int
) -> frozenset[str]:
    at_us = _at_us(change, now_us, frees=not withheld <= change.countries)
    return _later(withheld, change.countries, last_us, at_us)


def _later(before: _SaidT, said: _SaidT, last_us: int | None, at_us: int) -> _SaidT:
    """Which holds, what was last said at `last_us` or what is said of `at_us`; of the same time both."""
    if last_us is None or at_us > last_us:
        return said
    return before | said if at_us == last_us else before


def _at_us(change: StateChange, now_us: int, *, frees: bool) -> int:
    if change.occurred_us is None:
        return now_us
    if change.occurred_us > now_us and frees:
        raise _in_the_future()
    return min(change.occurred_us, now_us)


def _times_after(
    times_us: Mapping[int, int], flag: int, last_us: int | None, change: StateChange, now_us: int
) -> Mapping[int, int]:
    """The times with that of this change, where it is the last; also beside a description of the same time,
    which may come again."""
    at_us = now_us if change.occurred_us is None else min(change.occurred_us, now_us)
    if last_us is not None and at_us < last_us:
        return times_us
    return {**times_us, flag: at_us}


def _in_the_future() -> Refusal:
    return invalid("OCCURRED_IN_THE_FUTURE", "what frees cannot have happened in the future")
