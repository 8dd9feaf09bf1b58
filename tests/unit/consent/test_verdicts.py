"""C3 to C7: the reason of one contributor, and of a post from its contributors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.choices import Choice, standing_of
from services.consent.domain.policies import Policy, Regime, Rule
from services.consent.domain.purposes import PURPOSES, Purpose
from services.consent.domain.subjects import UNKNOWN, Facts, Profile, State
from services.consent.domain.verdicts import Reason, reason_of, reason_of_post, reasons_of_posts
from tests.support.consent import (
    GENERATIVE,
    OTHER_NOTICE,
    SHARING,
    a_deny,
    a_policy,
    a_question,
    an_allow,
    some_facts,
)
from tests.support.consent_truth import slow_post


def reason(
    *history: Choice,
    facts: Facts | None = None,
    policy: Policy | None = None,
    purpose: int = GENERATIVE,
    jurisdictions: frozenset[str] = frozenset({"*"}),
) -> Reason:
    profile = Profile(facts or some_facts(), standing_of(history))
    return reason_of(profile, a_question(purpose=purpose, jurisdictions=jurisdictions), policy or a_policy())


def test_c3_opt_out_allows_whoever_was_served_a_notice_and_did_not_deny() -> None:
    assert reason() is Reason.ALLOWED


def test_c3_opt_out_denies_whoever_was_not_served_a_listed_notice() -> None:
    assert reason(facts=some_facts(notices=[OTHER_NOTICE])) is Reason.NOTICE_NOT_SERVED


def test_c3_opt_out_asks_for_no_notice_of_whoever_allowed() -> None:
    assert reason(an_allow(1, 1), facts=some_facts(notices=[])) is Reason.ALLOWED


def test_c3_opt_in_denies_whoever_said_nothing() -> None:
    assert reason(policy=a_policy(Regime.OPT_IN)) is Reason.NOT_OPTED_IN


def test_c3_opt_in_allows_whoever_allowed() -> None:
    assert reason(an_allow(1, 1), policy=a_policy(Regime.OPT_IN)) is Reason.ALLOWED


def test_c3_prohibited_beats_any_allow() -> None:
    assert reason(an_allow(1, 1), policy=a_policy(Regime.PROHIBITED)) is Reason.PROHIBITED


def test_c3_without_a_policy_nothing_goes() -> None:
    profile = Profile(some_facts(), standing_of([an_allow(1, 1)]))

    assert reason_of(profile, a_question(), None) is Reason.NO_POLICY


def test_c2_a_deny_denies() -> None:
    assert reason(a_deny(1, 1)) is Reason.CHOICE_DENIES


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.MINOR, Reason.SUBJECT_MINOR),
        (State.DEACTIVATED, Reason.SUBJECT_DEACTIVATED),
        (State.SUSPENDED, Reason.SUBJECT_SUSPENDED),
        (State.DELETED, Reason.SUBJECT_DELETED),
        (State.PROTECTED, Reason.SUBJECT_PROTECTED),
    ],
)
def test_c4_a_state_denies_whatever_was_chosen(state: State, expected: Reason) -> None:
    assert reason(an_allow(1, 1), facts=some_facts(states=state)) is expected


def test_c4_of_several_states_the_first_in_the_order_of_the_contract_is_named() -> None:
    states = State.PROTECTED | State.DEACTIVATED

    assert reason(facts=some_facts(states=states)) is Reason.SUBJECT_DEACTIVATED


def test_c4_an_unknown_subject_is_denied_even_with_an_allow_on_record() -> None:
    profile = Profile(None, standing_of([an_allow(1, 1)]))

    assert reason_of(profile, a_question(), a_policy()) is Reason.SUBJECT_UNKNOWN
    assert reason_of(UNKNOWN, a_question(), a_policy()) is Reason.SUBJECT_UNKNOWN


@pytest.mark.parametrize(
    ("jurisdiction", "licensed", "expected"),
    [
        ("US-CA", {"US"}, Reason.ALLOWED),
        ("US-CA", {"US-CA"}, Reason.ALLOWED),
        ("US", {"US-CA"}, Reason.JURISDICTION_NOT_LICENSED),
        ("DE", {"US"}, Reason.JURISDICTION_NOT_LICENSED),
        ("DE", {"*"}, Reason.ALLOWED),
        ("DE", {"*", "US"}, Reason.JURISDICTION_NOT_LICENSED),
        ("DE", set(), Reason.JURISDICTION_NOT_LICENSED),
    ],
)
def test_a_license_covers_the_jurisdictions_it_lists_with_their_subdivisions(
    jurisdiction: str, licensed: set[str], expected: Reason
) -> None:
    assert reason(facts=some_facts(jurisdiction), jurisdictions=frozenset(licensed)) is expected


def test_a_state_is_named_before_the_jurisdiction_and_that_before_a_choice() -> None:
    minor = some_facts("FR", states=State.MINOR)

    assert reason(a_deny(1, 1), facts=minor, jurisdictions=frozenset({"US"})) is Reason.SUBJECT_MINOR
    assert (
        reason(a_deny(1, 1), facts=some_facts("FR"), jurisdictions=frozenset({"US"}))
        is Reason.JURISDICTION_NOT_LICENSED
    )


def test_c7_a_purpose_is_allowed_only_with_the_one_it_needs() -> None:
    assert reason(a_deny(1, 1, purpose=SHARING)) is Reason.CHOICE_DENIES


def test_c7_the_regime_of_the_needed_purpose_applies_unchanged() -> None:
    policy = a_policy(
        Regime.OPT_OUT, Rule("US", GENERATIVE, Regime.OPT_OUT), Rule("US", SHARING, Regime.PROHIBITED)
    )

    assert reason(an_allow(1, 1), policy=policy) is Reason.PROHIBITED


def test_c7_a_needed_purpose_without_a_policy_denies() -> None:
    assert reason(policy=a_policy(Regime.OPT_OUT, Rule("US", GENERATIVE, Regime.OPT_OUT))) is Reason.NO_POLICY


def test_c7_an_allow_for_the_asked_purpose_is_enough_where_both_are_opt_in() -> None:
    assert reason(an_allow(1, 1, purpose=GENERATIVE), policy=a_policy(Regime.OPT_IN)) is Reason.ALLOWED


def test_vetted_research_asks_for_no_policy_and_no_choice() -> None:
    profile = Profile(some_facts(), standing_of([a_deny(1, 1)]))

    assert reason_of(profile, a_question(purpose=Purpose.VETTED_RESEARCH), None) is Reason.ALLOWED


def test_c4_vetted_research_does_not_get_the_posts_of_minors() -> None:
    assert (
        reason(facts=some_facts(states=State.MINOR), purpose=Purpose.VETTED_RESEARCH) is Reason.SUBJECT_MINOR
    )


def test_every_purpose_of_the_table_but_two_needs_sharing() -> None:
    free = {purpose for purpose, traits in PURPOSES.items() if traits.needs is None}

    assert free == {Purpose.THIRD_PARTY_SHARING, Purpose.VETTED_RESEARCH}
    assert PURPOSES.keys() == set(Purpose)


def test_c6_the_author_gives_the_reason_before_any_embed() -> None:
    assert reason_of_post([Reason.SUBJECT_MINOR, Reason.CHOICE_DENIES]) is Reason.SUBJECT_MINOR


def test_c6_one_denied_embed_denies_the_post() -> None:
    contributors = [Reason.ALLOWED, Reason.ALLOWED, Reason.CHOICE_DENIES, Reason.SUBJECT_MINOR]

    assert reason_of_post(contributors) is Reason.CHOICE_DENIES


@given(st.lists(st.lists(st.sampled_from(Reason), min_size=1, max_size=5), max_size=20))
def test_c6_the_reasons_of_a_batch_are_those_of_its_posts(posts: list[list[Reason]]) -> None:
    offsets = np.cumsum([0, *(len(post) - 1 for post in posts)], dtype=np.uint32)
    embeds = [reason for post in posts for reason in post[1:]]

    reasons = reasons_of_posts(
        np.array([post[0] for post in posts], np.uint8), np.array(embeds, np.uint8), offsets
    )

    assert reasons.tolist() == [slow_post(post) for post in posts]


@pytest.mark.parametrize(
    ("countries", "territory", "reached"),
    [
        (["XX"], ["DE"], True),
        (["XY", "FR"], ["US-CA"], True),
        (["XX"], [], True),
        (["FR"], ["DE"], False),
        ([], ["DE"], False),
    ],
)
def test_c5_what_is_withheld_worldwide_is_withheld_in_every_territory(
    countries: list[str], territory: list[str], reached: bool
) -> None:
    question = a_question(territory=frozenset(territory))

    assert question.reaches(frozenset(countries)) is reached
