"""The slow truth of consent: the rules as they are written, asked of a whole history."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from services.consent.domain.choices import ALL_PURPOSES, EVERYONE, Choice, Scope, Stance
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Policy, Regime
from services.consent.domain.posts import UNMARKED, PostMark, PostState
from services.consent.domain.purposes import Purpose
from services.consent.domain.state_changes import ChangeKind, StateChange
from services.consent.domain.subjects import Facts, State
from services.consent.domain.verdicts import EVERYWHERE, NO_HALTS, Question, Reason

NEEDED_BY_OTHERS = Purpose.THIRD_PARTY_SHARING


def slow_reason(
    history: Sequence[Choice],
    facts: Facts | None,
    question: Question,
    policy: Policy | None,
    *,
    halts: frozenset[HaltScope] = NO_HALTS,
    post: PostState = UNMARKED,
) -> Reason:
    """C2 to C5, C7 and C12 for one contributor and a post of theirs, from everything they ever chose."""
    if _slow_halt(question, halts):
        return Reason.HALTED
    own = _slow_post_state(post, question)
    if own is not Reason.ALLOWED:
        return own
    if facts is None or facts.jurisdiction == "":
        return Reason.SUBJECT_UNKNOWN
    known = _slow_facts(facts, question, halts)
    if known is not Reason.ALLOWED or question.purpose == Purpose.VETTED_RESEARCH:
        return known
    asked = dict.fromkeys((question.purpose, NEEDED_BY_OTHERS))
    return slow_post(_slow_purpose(history, facts, question, purpose, policy) for purpose in asked)


def slow_post(contributors: Iterable[Reason]) -> Reason:
    """C6: the first contributor that is denied; and of several purposes, the first one."""
    for reason in contributors:
        if reason is not Reason.ALLOWED:
            return reason
    return Reason.ALLOWED


def _slow_halt(question: Question, halts: frozenset[HaltScope]) -> bool:
    purposes = {question.purpose}
    if question.purpose not in {Purpose.VETTED_RESEARCH, NEEDED_BY_OTHERS}:
        purposes.add(NEEDED_BY_OTHERS)
    stopping = {
        HaltScope(HaltKind.EVERYTHING),
        HaltScope(HaltKind.LICENSEE, question.licensee),
        *(HaltScope(HaltKind.PURPOSE, str(int(purpose))) for purpose in purposes),
    }
    return bool(stopping & halts)


def _slow_post_state(post: PostState, question: Question) -> Reason:
    if PostMark.DENIED in post.marks:
        return Reason.POST_DENIED
    if PostMark.DELETED in post.marks:
        return Reason.POST_DELETED
    return Reason.WITHHELD if _slow_reaches(post.withheld, question) else Reason.ALLOWED


def _slow_reaches(countries: frozenset[str], question: Question) -> bool:
    if question.territory <= {"*"} or "*" in question.territory:
        return countries != frozenset()
    return any(country in {"XX", "XY", place[:2]} for place in question.territory for country in countries)


def _slow_facts(facts: Facts, question: Question, halts: frozenset[HaltScope]) -> Reason:
    for bit, reason in enumerate(range(Reason.SUBJECT_MINOR, Reason.SUBJECT_PROTECTED + 1)):
        if facts.states & (1 << bit):
            return Reason(reason)
    places = {facts.jurisdiction, facts.jurisdiction[:2]}
    if any(HaltScope(HaltKind.JURISDICTION, place) in halts for place in places):
        return Reason.HALTED
    if _slow_reaches(facts.withheld, question):
        return Reason.WITHHELD
    if question.jurisdictions != EVERYWHERE and not places & question.jurisdictions:
        return Reason.JURISDICTION_NOT_LICENSED
    return Reason.ALLOWED


def _slow_purpose(
    history: Sequence[Choice], facts: Facts, question: Question, purpose: int, policy: Policy | None
) -> Reason:
    rules = {} if policy is None else {(r.jurisdiction, r.purpose): r.regime for r in policy.draft.rules}
    if not any(named == purpose for _, named in rules):
        return Reason.NO_POLICY
    regime = rules.get(
        (facts.jurisdiction, purpose), rules.get((facts.jurisdiction[:2], purpose), Regime.OPT_IN)
    )
    if regime is Regime.PROHIBITED:
        return Reason.PROHIBITED
    # C7: on behalf of another purpose, an allow that names that one counts as if it named this one.
    seen = [
        replace(choice, scope=Scope(choice.scope.licensee, purpose))
        if choice.stance is Stance.ALLOW and choice.scope.purpose == question.purpose
        else choice
        for choice in history
    ]
    covering = [
        choice
        for choice in seen
        if choice.scope.licensee in {EVERYONE, question.licensee}
        and choice.scope.purpose in {ALL_PURPOSES, purpose}
    ]
    allows = [choice for choice in covering if choice.stance is Stance.ALLOW]
    for deny in covering:
        if deny.stance is Stance.DENY and not any(_slow_lifts(allow, deny) for allow in allows):
            return Reason.CHOICE_DENIES
    if allows:
        return Reason.ALLOWED
    if regime is Regime.OPT_IN:
        return Reason.NOT_OPTED_IN
    assert policy is not None
    return Reason.ALLOWED if facts.notices & policy.draft.notices else Reason.NOTICE_NOT_SERVED


def _slow_lifts(allow: Choice, deny: Choice) -> bool:
    later = allow.stated_us > deny.stated_us and allow.revision > deny.revision
    licensee = deny.scope.licensee in {EVERYONE, allow.scope.licensee}
    purpose = deny.scope.purpose in {ALL_PURPOSES, allow.scope.purpose}
    return later and licensee and purpose


class Told(NamedTuple):
    """What was said of a subject or a post, by its own time: a description or a single change."""

    at_us: int
    said: Facts | StateChange


TURNED_ON = {
    ChangeKind.DELETE: (True, "DELETED"),
    ChangeKind.UNDELETE: (False, "DELETED"),
    ChangeKind.PROTECT: (True, "PROTECTED"),
    ChangeKind.UNPROTECT: (False, "PROTECTED"),
    ChangeKind.SUSPEND: (True, "SUSPENDED"),
    ChangeKind.UNSUSPEND: (False, "SUSPENDED"),
    ChangeKind.DEACTIVATE: (True, "DEACTIVATED"),
    ChangeKind.REACTIVATE: (False, "DEACTIVATED"),
    ChangeKind.MINOR: (True, "MINOR"),
    ChangeKind.ADULT: (False, "MINOR"),
    ChangeKind.DENY: (True, "DENIED"),
    ChangeKind.UNDENY: (False, "DENIED"),
}
"""Which state each kind of change is about, and whether it holds from then on."""


def slow_states(told: Sequence[Told]) -> set[str]:
    """C4 and C5: of each state the latest word holds, and of two of the same time the one that denies."""
    words: dict[str, list[tuple[int, bool]]] = {}
    for at_us, said in told:
        if isinstance(said, Facts):
            for state in State:
                words.setdefault(str(state.name), []).append((at_us, bool(said.states & state)))
        elif said.kind in TURNED_ON:
            on, name = TURNED_ON[said.kind]
            words.setdefault(name, []).append((at_us, on))
    return {name for name, all_of_it in words.items() if max(all_of_it)[1]}


def slow_withheld(told: Sequence[Told]) -> frozenset[str]:
    """C5: the countries that were named last; of two at the same time those of both."""
    words: dict[int, set[str]] = {}
    for at_us, said in told:
        if isinstance(said, Facts):
            words.setdefault(at_us, set()).update(said.withheld)
        elif said.kind is ChangeKind.WITHHELD:
            words.setdefault(at_us, set()).update(said.countries)
    return frozenset(words[max(words)]) if words else frozenset()


def slow_facts(told: Sequence[Told]) -> Facts | None:
    """What is known of a subject after all that was told, in whatever order it came; None for nothing.

    The jurisdiction is that of the latest description; notices are all that were ever named.
    """
    if not told:
        return None
    states = State(sum(State[name] for name in slow_states(told)))
    described = [(-at_us, said.jurisdiction) for at_us, said in told if isinstance(said, Facts)]
    jurisdiction = min(described)[1] if described else ""
    notices = frozenset[bytes]()
    for _, said in told:
        notices |= said.notices if isinstance(said, Facts) else {said.notice} - {b""}
    return Facts(jurisdiction, states, notices, slow_withheld(told))
