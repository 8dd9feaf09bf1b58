"""Why a post of one contributor may go or not: which record decided, by which rule (C11).

Worked out from the records themselves, one rule after the other, and from nothing that answers checks: so it
can show that those are right, and a check never depends on it. Equal to `verdicts.reason_of` by test.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.consent.domain.choices import Choice, Stance
from services.consent.domain.dossiers import ChoiceRecord, FactsRecord
from services.consent.domain.halts import Halt, HaltKind
from services.consent.domain.policies import Policy, Regime
from services.consent.domain.posts import UNMARKED, PostState
from services.consent.domain.purposes import PURPOSES
from services.consent.domain.subjects import Facts
from services.consent.domain.verdicts import (
    EVERYWHERE,
    Question,
    Reason,
    purposes_of,
    reason_of_facts,
    reason_of_state,
)


@dataclass(frozen=True)
class Known:
    """What was on record at some time."""

    facts: FactsRecord | None = None
    choices: tuple[ChoiceRecord, ...] = ()
    """Of one scope, those are enough after which none came that was stated later."""
    policy: Policy | None = None
    """The one in force."""
    halts: tuple[Halt, ...] = ()
    """Those in force."""
    post: PostState = UNMARKED
    post_revision: int = 0
    """Of the record that made it so."""


@dataclass(frozen=True)
class Step:
    """One thing that was looked at."""

    rule: str
    reason: Reason
    message: str
    purpose: int = 0
    """The one it is about; 0 where it is about none."""
    revision: int = 0
    """Of the record that decided; 0 where it was the absence of one."""


def explain(known: Known, question: Question) -> tuple[Step, ...]:
    """What was looked at, in order; the last one decides, and only if it is ALLOWED the post may go."""
    steps: list[Step] = []
    for step in _steps(known, question):
        steps.append(step)
        if step.reason is not Reason.ALLOWED:
            break
    return tuple(steps)


def _steps(known: Known, question: Question) -> Iterator[Step]:
    if question.purpose not in PURPOSES:
        yield Step("C3", Reason.NO_POLICY, "the purpose is not in the table of purposes", question.purpose)
        return
    yield _halt_of_all(known, question)
    yield _own_state(known, question)
    yield _account(known, question)
    if known.facts is None:
        return
    yield _jurisdiction_halt(known, known.facts)
    yield _withheld(known.facts, question)
    yield _licensed(known.facts, question)
    purposes = purposes_of(question.purpose)
    if not purposes:
        yield Step(
            "C2", Reason.ALLOWED, "neither regimes nor choices apply to this purpose", question.purpose
        )
    for purpose, asked in purposes:
        yield _choice(known, known.facts, question, purpose, asked)


def _halt_of_all(known: Known, question: Question) -> Step:
    for halt in known.halts:
        scope = halt.order.scope
        if scope.stops(question.licensee, question.purpose):
            # The asked purpose, or the one that it needs (C7).
            halted = int(scope.value) if scope.kind is HaltKind.PURPOSE else 0
            return Step("C12", Reason.HALTED, "an operator has halted it", halted, halt.halt_id)
    return Step("C12", Reason.ALLOWED, "no halt covers the licensee or the purpose")


def _own_state(known: Known, question: Question) -> Step:
    reason = reason_of_state(known.post, question)
    if reason is Reason.ALLOWED:
        return Step(
            "C5", reason, "nothing is on record against the post itself", revision=known.post_revision
        )
    return Step("C5", reason, "the post itself is denied, deleted or withheld", revision=known.post_revision)


def _account(known: Known, question: Question) -> Step:
    facts = known.facts
    if facts is None or not facts.jurisdiction:
        return Step("C4", Reason.SUBJECT_UNKNOWN, "nobody has said who the subject is")
    # Asked about the states alone: everything that the rest of it looks at is wide open.
    states = Facts(facts.jurisdiction, facts.states)
    reason = reason_of_facts(states, Question(question.licensee, question.purpose, EVERYWHERE))
    said = "in good standing" if reason is Reason.ALLOWED else "not in good standing"
    return Step("C4", reason, f"the account is {said}", revision=facts.revision)


def _jurisdiction_halt(known: Known, facts: FactsRecord) -> Step:
    for halt in known.halts:
        if halt.order.scope.covers(facts.jurisdiction):
            return Step("C12", Reason.HALTED, "the jurisdiction is halted", revision=halt.halt_id)
    return Step("C12", Reason.ALLOWED, "no halt covers the jurisdiction")


def _withheld(facts: FactsRecord, question: Question) -> Step:
    if question.reaches(facts.withheld):
        message = "the account is withheld in a country of the territory"
        return Step("C5", Reason.WITHHELD, message, revision=facts.revision)
    return Step("C5", Reason.ALLOWED, "the account is withheld nowhere in the territory")


def _licensed(facts: FactsRecord, question: Question) -> Step:
    country = facts.jurisdiction.partition("-")[0]
    if question.jurisdictions == EVERYWHERE or {facts.jurisdiction, country} & question.jurisdictions:
        return Step("L2", Reason.ALLOWED, "the license covers the jurisdiction")
    message = "the license does not cover the jurisdiction"
    return Step("L2", Reason.JURISDICTION_NOT_LICENSED, message, revision=facts.revision)


def _choice(known: Known, facts: FactsRecord, question: Question, purpose: int, asked: int | None) -> Step:
    """C2 and C3 for one purpose."""
    policy = known.policy
    regime = Regime.NONE if policy is None else policy.regime(facts.jurisdiction, purpose)
    if regime in (Regime.NONE, Regime.PROHIBITED):
        return _forbidden(policy, regime, purpose)
    if deny := _unlifted(known, question.licensee, purpose, asked):
        message = "the subject denied it, and has not lifted that"
        return Step("C2", Reason.CHOICE_DENIES, message, purpose, deny.revision)
    if allow := _allowing(known, question.licensee, purpose, asked):
        return Step("C2", Reason.ALLOWED, "the subject allowed it", purpose, allow.revision)
    return _without_choice(policy, regime, facts, purpose)


def _forbidden(policy: Policy | None, regime: Regime, purpose: int) -> Step:
    """C3 where no choice helps."""
    if regime is Regime.NONE:
        return Step("C3", Reason.NO_POLICY, "no policy for the purpose is in effect", purpose)
    return Step("C3", Reason.PROHIBITED, "the policy prohibits it", purpose, _activation(policy))


def _without_choice(policy: Policy | None, regime: Regime, facts: FactsRecord, purpose: int) -> Step:
    """C3 where the subject has said nothing."""
    if regime is Regime.OPT_IN:
        message = "the policy asks for an allow, and there is none"
        return Step("C3", Reason.NOT_OPTED_IN, message, purpose, _activation(policy))
    if policy is None or not policy.informed(facts.notices):
        message = "the subject was served none of the policy's notices"
        return Step("C3", Reason.NOTICE_NOT_SERVED, message, purpose, facts.revision)
    return Step("C3", Reason.ALLOWED, "the policy allows what is not denied", purpose, _activation(policy))


def _activation(policy: Policy | None) -> int:
    return 0 if policy is None or policy.activation is None else policy.activation.revision


def _unlifted(known: Known, licensee: str, purpose: int, asked: int | None) -> Choice | None:
    """The latest deny that covers the question and that no later allow lifts (C2, C7)."""
    choices = [record.choice for record in known.choices]
    for deny in sorted(choices, key=lambda choice: choice.revision, reverse=True):
        if deny.stance is Stance.DENY and deny.scope.covers(licensee, purpose):
            lifted = any(
                choice.stance is Stance.ALLOW
                and choice.is_later_than(deny)
                and choice.scope.covers(licensee, purpose, asked)
                and choice.scope.as_named(purpose, asked).within(deny.scope)
                for choice in choices
            )
            if not lifted:
                return deny
    return None


def _allowing(known: Known, licensee: str, purpose: int, asked: int | None) -> Choice | None:
    """The latest allow that covers the question."""
    allows = [
        record.choice
        for record in known.choices
        if record.stance is Stance.ALLOW and record.scope.covers(licensee, purpose, asked)
    ]
    return max(allows, key=lambda choice: choice.revision, default=None)
