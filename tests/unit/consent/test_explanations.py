"""C11: an explanation comes to the same as a check, and names the record that decided."""

from dataclasses import replace

import pytest
from hypothesis import given

from services.consent.domain.choices import Stance, standing_of, still_standing
from services.consent.domain.explanations import Known, Step, explain
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Regime
from services.consent.domain.posts import UNMARKED, PostMark
from services.consent.domain.purposes import PURPOSES, Purpose
from services.consent.domain.subjects import Profile, State
from services.consent.domain.verdicts import Question, Reason, is_halted, reason_of, reason_of_state
from tests.support.consent import (
    EVERYTHING,
    GENERATIVE,
    SHARING,
    a_deny,
    a_post_state,
    a_question,
    an_allow,
    some_facts,
)
from tests.support.consent_known import OF_FACTS, OF_HALTS, OF_POST, facts_of, knowledge, known, ordinary
from tests.support.consent_truth import slow_reason
from tests.support.consent_worlds import questions


def last(told: Known, question: Question | None = None) -> Step:
    return explain(told, question or a_question())[-1]


@given(knowledge(), questions)
def test_c11_the_last_step_is_the_answer_of_a_check(told: Known, question: Question) -> None:
    choices = [record.choice for record in told.choices]
    scopes = frozenset(halt.order.scope for halt in told.halts)
    profile = Profile(facts_of(told), standing_of(still_standing(choices)))
    own = reason_of_state(told.post, question)

    reason = last(told, question).reason

    assert reason is slow_reason(choices, facts_of(told), question, told.policy, halts=scopes, post=told.post)
    if own is Reason.ALLOWED or is_halted(question, scopes):
        assert reason is reason_of(profile, question, told.policy, scopes)
    else:
        assert reason is own


@given(knowledge(), questions)
def test_c11_choices_after_which_one_of_the_scope_was_stated_later_are_not_needed(
    told: Known, question: Question
) -> None:
    lasting = tuple(
        each
        for each in told.choices
        if not any(
            later.scope == each.scope and later.revision > each.revision and later.stated_us > each.stated_us
            for later in told.choices
        )
    )

    assert explain(replace(told, choices=lasting), question) == explain(told, question)


@given(knowledge(), questions)
def test_c11_every_step_but_the_last_allows_and_names_a_record_that_there_is(
    told: Known, question: Question
) -> None:
    revisions = {0, *(record.revision for record in told.choices), *(halt.halt_id for halt in told.halts)}
    revisions |= {OF_FACTS} if told.facts else set()
    revisions |= {OF_POST} if told.post != UNMARKED else set()
    if told.policy is not None and told.policy.activation is not None:
        revisions.add(told.policy.activation.revision)

    steps = explain(told, question)

    assert all(step.reason is Reason.ALLOWED for step in steps[:-1])
    assert {step.revision for step in steps} <= revisions
    assert all(step.message for step in steps)


@given(knowledge(), questions)
def test_c11_a_deny_that_is_named_denies_on_its_own(told: Known, question: Question) -> None:
    step = last(told, question)
    if step.reason is not Reason.CHOICE_DENIES:
        return
    (named,) = [record.choice for record in told.choices if record.revision == step.revision]
    allows = [record.choice for record in told.choices if record.stance is Stance.ALLOW]

    alone = known(named, *allows, told=facts_of(told), policy=told.policy)

    assert named.stance is Stance.DENY
    assert last(alone, question) == step


def test_c11_the_deny_that_holds_is_named_and_not_one_that_was_lifted() -> None:
    told = ordinary(a_deny(1, 1), a_deny(2, 2, "acme"), an_allow(3, 3, "acme"), a_deny(4, 4, "other"))

    assert last(told).reason is Reason.ALLOWED
    assert last(told).revision == 3
    assert last(told, a_question("other")) == Step(
        "C2", Reason.CHOICE_DENIES, "the subject denied it, and has not lifted that", GENERATIVE, 4
    )


def test_c7_a_denied_purpose_that_is_needed_is_named() -> None:
    step = last(ordinary(a_deny(1, 1, purpose=SHARING)))

    assert (step.rule, step.reason, step.purpose, step.revision) == (
        "C2", Reason.CHOICE_DENIES, SHARING, 1,
    )  # fmt: skip


def test_c7_an_allow_of_the_asked_purpose_is_named_for_the_one_that_is_needed() -> None:
    steps = explain(ordinary(an_allow(1, 5, purpose=GENERATIVE), regime=Regime.OPT_IN), a_question())

    assert [(step.purpose, step.revision) for step in steps if step.rule == "C2"] == [
        (GENERATIVE, 5),
        (SHARING, 5),
    ]


@pytest.mark.parametrize(
    ("told", "rule", "reason", "revision"),
    [
        (ordinary(regime=Regime.OPT_IN), "C3", Reason.NOT_OPTED_IN, 50),
        (ordinary(regime=Regime.PROHIBITED), "C3", Reason.PROHIBITED, 50),
        (ordinary(policy=None), "C3", Reason.NO_POLICY, 0),
        (ordinary(told=some_facts(notices=[])), "C3", Reason.NOTICE_NOT_SERVED, OF_FACTS),
        (ordinary(), "C3", Reason.ALLOWED, 50),
        (ordinary(told=None), "C4", Reason.SUBJECT_UNKNOWN, 0),
        (ordinary(told=some_facts("")), "C4", Reason.SUBJECT_UNKNOWN, 0),
        (ordinary(told=some_facts(states=State.MINOR)), "C4", Reason.SUBJECT_MINOR, OF_FACTS),
        (ordinary(told=some_facts(withheld=["DE"])), "C5", Reason.WITHHELD, OF_FACTS),
        (ordinary(post=a_post_state()), "C5", Reason.POST_DENIED, OF_POST),
        (ordinary(post=a_post_state(PostMark.DELETED)), "C5", Reason.POST_DELETED, OF_POST),
        (ordinary(stopped=[EVERYTHING]), "C12", Reason.HALTED, OF_HALTS),
        (ordinary(stopped=[HaltScope(HaltKind.JURISDICTION, "US")]), "C12", Reason.HALTED, OF_HALTS),
    ],
)
def test_c11_the_rule_and_the_record_that_decided_are_named(
    told: Known, rule: str, reason: Reason, revision: int
) -> None:
    step = last(told)

    assert (step.rule, step.reason, step.revision) == (rule, reason, revision)


def test_c7_c12_the_purpose_that_is_halted_is_named() -> None:
    told = ordinary(stopped=[HaltScope(HaltKind.PURPOSE, str(int(SHARING)))])

    assert [(step.rule, step.reason, step.purpose) for step in explain(told, a_question())] == [
        ("C12", Reason.HALTED, SHARING)
    ]


def test_a_license_that_does_not_cover_the_jurisdiction_is_named() -> None:
    step = last(ordinary(), a_question(jurisdictions=frozenset({"DE"})))

    assert (step.rule, step.reason) == ("L2", Reason.JURISDICTION_NOT_LICENSED)


def test_vetted_research_is_allowed_by_no_choice() -> None:
    steps = explain(ordinary(a_deny(1, 1)), a_question(purpose=Purpose.VETTED_RESEARCH))

    assert [step.rule for step in steps] == ["C12", "C5", "C4", "C12", "C5", "L2", "C2"]
    assert (steps[-1].reason, steps[-1].revision) == (Reason.ALLOWED, 0)


def test_a_purpose_outside_the_table_is_explained_too() -> None:
    assert 99 not in PURPOSES
    assert last(ordinary(), a_question(purpose=99)).reason is Reason.NO_POLICY
