"""What follows for a subject is what a check says and what is explained, for each licensee and purpose."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.changes import Revision
from services.consent.domain.choices import MOST_LICENSEES, standing_of, still_standing
from services.consent.domain.explanations import Known, explain
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Regime, Rule
from services.consent.domain.posts import UNMARKED
from services.consent.domain.purposes import PURPOSES, Purpose
from services.consent.domain.subject_standings import PurposeStanding, standing_of_subject
from services.consent.domain.subjects import Profile, State
from services.consent.domain.verdicts import Reason
from services.consent.index import Index
from tests.support.consent import (
    EVERYTHING,
    GENERATIVE,
    SHARING,
    a_batch,
    a_deny,
    a_policy,
    a_question,
    a_whole,
    an_allow,
    some_facts,
)
from tests.support.consent_known import OF_FACTS, OF_HALTS, facts_of, knowledge, known, ordinary

CHOOSABLE = tuple(sorted(set(PURPOSES) - {Purpose.VETTED_RESEARCH}))
NOBODY = "nobody-names-them"
ASKED = ("acme", "third")


def of(told: Known, licensee: str = NOBODY, purpose: int = GENERATIVE) -> PurposeStanding:
    """One of what follows; of whoever is not listed, what follows for anyone."""
    standing = standing_of_subject(told)
    by_purpose = standing.licensees.get(licensee, standing.anyone)
    return next(each for each in by_purpose if each.purpose == purpose)


def decided(told: Known, licensee: str = NOBODY, purpose: int = GENERATIVE) -> tuple[object, ...]:
    """Reason, whether a choice decided, the record, and the needed purpose that denies."""
    each = of(told, licensee, purpose)
    return each.reason, each.by_choice, each.revision, each.denied_by


def checked(told: Known, licensee: str) -> list[int]:
    """What the index answers about a post of the subject, by purpose."""
    choices = still_standing(record.choice for record in told.choices)
    profile = Profile(facts_of(told), standing_of(choices))
    policies = () if told.policy is None else (told.policy,)
    stopped = frozenset(halt.order.scope for halt in told.halts)
    index = Index(seed=7)
    index.apply(a_whole(Revision(1, 10), {1: profile}, {7: 1}, policies, halts=stopped))
    batch = a_batch((7,))
    questions = (a_question(licensee, purpose) for purpose in CHOOSABLE)
    return [int(index.view().reasons(question, batch)[0]) for question in questions]


@given(knowledge(), st.lists(st.sampled_from(["acme", "other", "third", "fourth"])))
def test_c11_for_every_licensee_and_purpose_a_check_and_an_explanation_say_the_same(
    told: Known, asked: Sequence[str]
) -> None:
    told = replace(told, post=UNMARKED)
    standing = standing_of_subject(told, asked)

    for licensee, by_purpose in {NOBODY: standing.anyone, **standing.licensees}.items():
        assert [each.purpose for each in by_purpose] == list(CHOOSABLE)
        assert [each.reason for each in by_purpose] == checked(told, licensee)
        for each in by_purpose:
            step = explain(told, a_question(licensee, each.purpose))[-1]
            assert (each.reason, each.revision, each.by_choice) == (
                step.reason, step.revision, step.rule == "C2",
            )  # fmt: skip


@given(knowledge(), st.lists(st.sampled_from(["acme", "fourth"])))
def test_c11_those_are_listed_that_are_asked_for_or_that_a_choice_or_a_halt_names(
    told: Known, asked: Sequence[str]
) -> None:
    named = {record.licensee for record in told.choices if record.licensee}
    named |= {halt.order.scope.value for halt in told.halts if halt.order.scope.kind is HaltKind.LICENSEE}

    assert list(standing_of_subject(told, asked).licensees) == sorted(named | set(asked))


@given(knowledge())
def test_c11_choices_that_matter_no_more_are_not_needed(told: Known) -> None:
    kept = {choice.revision for choice in still_standing(record.choice for record in told.choices)}
    lasting = replace(told, choices=tuple(each for each in told.choices if each.revision in kept))

    assert standing_of_subject(lasting, ASKED) == standing_of_subject(told, ASKED)


@given(knowledge())
def test_c7_a_choice_that_denies_by_need_names_the_needed_purpose_and_no_other_choice_does(
    told: Known,
) -> None:
    standing = standing_of_subject(told)
    purposes = {record.revision: record.purpose for record in told.choices}

    for each in (each for by in (standing.anyone, *standing.licensees.values()) for each in by):
        assert each.denied_by in {0, PURPOSES[each.purpose].needs}
        assert not (each.denied_by and each.reason is Reason.ALLOWED)
        if each.reason is Reason.CHOICE_DENIES:
            named = {each.denied_by} if each.denied_by else {0, each.purpose}
            assert purposes[each.revision] in named


def test_c2_who_has_opted_out_is_denied_to_everyone_by_that_choice() -> None:
    told = ordinary(a_deny(1, 5))

    assert standing_of_subject(told).licensees == {}
    assert decided(told) == (Reason.CHOICE_DENIES, True, 5, 0)
    assert of(told).regime is Regime.OPT_OUT
    assert decided(told, purpose=SHARING) == (Reason.CHOICE_DENIES, True, 5, 0)


def test_c2_one_licensee_is_allowed_by_the_choice_that_names_it_and_all_others_stay_denied() -> None:
    told = ordinary(a_deny(1, 5), an_allow(2, 6, "acme"))

    assert decided(told, "acme") == (Reason.ALLOWED, True, 6, 0)
    assert decided(told) == (Reason.CHOICE_DENIES, True, 5, 0)


def test_c2_a_later_allow_for_everyone_leaves_the_one_licensee_denied_that_a_deny_names() -> None:
    told = ordinary(a_deny(1, 5, "acme"), an_allow(2, 6))

    assert decided(told, "acme") == (Reason.CHOICE_DENIES, True, 5, 0)
    assert decided(told) == (Reason.ALLOWED, True, 6, 0)


def test_c7_a_deny_of_sharing_denies_training_by_need_until_an_allow_names_training() -> None:
    gpc = a_deny(1, 5, purpose=SHARING)
    lifted = ordinary(gpc, an_allow(2, 6, "acme", GENERATIVE))

    assert decided(ordinary(gpc)) == (Reason.CHOICE_DENIES, True, 5, SHARING)
    assert decided(ordinary(gpc), purpose=SHARING) == (Reason.CHOICE_DENIES, True, 5, 0)
    assert decided(lifted, "acme") == (Reason.ALLOWED, True, 6, 0)
    assert decided(lifted, "acme", SHARING) == (Reason.CHOICE_DENIES, True, 5, 0)
    assert decided(lifted) == (Reason.CHOICE_DENIES, True, 5, SHARING)


def test_c3_what_the_policy_prohibits_no_allow_allows_and_the_policy_decided() -> None:
    told = ordinary(an_allow(1, 5, "acme"), regime=Regime.PROHIBITED)

    assert decided(told, "acme") == (Reason.PROHIBITED, False, 50, 0)
    assert of(told, "acme").regime is Regime.PROHIBITED


def test_c7_a_needed_purpose_that_the_policy_prohibits_is_named_beside_the_regime_of_the_asked_one() -> None:
    rules = (Rule("US", GENERATIVE, Regime.OPT_OUT), Rule("US", SHARING, Regime.PROHIBITED))
    told = ordinary(policy=a_policy(Regime.OPT_OUT, *rules, version=50))

    assert decided(told) == (Reason.PROHIBITED, False, 50, SHARING)
    assert of(told).regime is Regime.OPT_OUT


@pytest.mark.parametrize(
    ("told", "expected", "regime"),
    [
        (ordinary(), (Reason.ALLOWED, False, 50, 0), Regime.OPT_OUT),
        (ordinary(regime=Regime.OPT_IN), (Reason.NOT_OPTED_IN, False, 50, 0), Regime.OPT_IN),
        (ordinary(policy=None), (Reason.NO_POLICY, False, 0, 0), Regime.NONE),
        (
            ordinary(told=some_facts(notices=[])),
            (Reason.NOTICE_NOT_SERVED, False, OF_FACTS, 0),
            Regime.OPT_OUT,
        ),
        (ordinary(told=some_facts("JP")), (Reason.NOT_OPTED_IN, False, 50, 0), Regime.OPT_IN),
        (
            ordinary(told=some_facts(states=State.MINOR)),
            (Reason.SUBJECT_MINOR, False, OF_FACTS, 0),
            Regime.OPT_OUT,
        ),
        (
            ordinary(told=some_facts(withheld=["DE"])),
            (Reason.WITHHELD, False, OF_FACTS, 0),
            Regime.OPT_OUT,
        ),
        (ordinary(told=None), (Reason.SUBJECT_UNKNOWN, False, 0, 0), Regime.NONE),
        (ordinary(told=some_facts("")), (Reason.SUBJECT_UNKNOWN, False, 0, 0), Regime.NONE),
        (ordinary(an_allow(1, 5), told=None), (Reason.SUBJECT_UNKNOWN, False, 0, 0), Regime.NONE),
        (known(), (Reason.SUBJECT_UNKNOWN, False, 0, 0), Regime.NONE),
    ],
)
def test_c3_c4_what_no_choice_decided_is_told_with_its_record_and_the_regime(
    told: Known, expected: tuple[object, ...], regime: Regime
) -> None:
    assert decided(told) == expected
    assert of(told).regime is regime


@pytest.mark.parametrize(
    ("scope", "halted", "open_still"),
    [
        (EVERYTHING, {("acme", GENERATIVE): 0, (NOBODY, SHARING): 0}, []),
        (
            HaltScope(HaltKind.LICENSEE, "acme"),
            {("acme", GENERATIVE): 0, ("acme", SHARING): 0},
            [(NOBODY, GENERATIVE)],
        ),
        (
            HaltScope(HaltKind.PURPOSE, str(int(GENERATIVE))),
            {(NOBODY, GENERATIVE): 0},
            [(NOBODY, SHARING)],
        ),
        (
            HaltScope(HaltKind.PURPOSE, str(int(SHARING))),
            {(NOBODY, SHARING): 0, (NOBODY, GENERATIVE): SHARING},
            [],
        ),
        (HaltScope(HaltKind.JURISDICTION, "US"), {(NOBODY, GENERATIVE): 0, (NOBODY, SHARING): 0}, []),
        (HaltScope(HaltKind.JURISDICTION, "DE"), {}, [(NOBODY, GENERATIVE), (NOBODY, SHARING)]),
    ],
)
def test_c12_a_halt_is_named_whatever_was_chosen(
    scope: HaltScope, halted: dict[tuple[str, int], int], open_still: list[tuple[str, int]]
) -> None:
    told = ordinary(an_allow(1, 5), stopped=[scope])

    for (licensee, purpose), needed in halted.items():
        assert decided(told, licensee, purpose) == (Reason.HALTED, False, OF_HALTS, needed)
    for licensee, purpose in open_still:
        assert decided(told, licensee, purpose) == (Reason.ALLOWED, True, 5, 0)


def test_a_licensee_that_nobody_names_is_answered_as_anyone_and_at_no_cost() -> None:
    standing = standing_of_subject(ordinary(a_deny(1, 5, "acme")), ["third", "fourth"])

    assert standing.licensees["third"] is standing.licensees["fourth"] is standing.anyone
    assert standing.licensees["acme"] != standing.anyone


def test_as_many_licensees_as_choices_can_name_are_answered_for() -> None:
    names = [f"licensee-{number:03}" for number in range(MOST_LICENSEES)]

    standing = standing_of_subject(ordinary(*(a_deny(n, n, name) for n, name in enumerate(names, 1))))

    assert list(standing.licensees) == names
    assert {each.revision for by_purpose in standing.licensees.values() for each in by_purpose} >= set(
        range(1, MOST_LICENSEES + 1)
    )
