"""C1 and C2: how choices are stamped, and what a history of them comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.consent.domain.choices import (
    Choice,
    Says,
    Stance,
    check_claimed_time,
    check_content,
    check_subject,
    stamp_import,
    stamp_live,
    standing_of,
    still_standing,
)
from services.consent.domain.purposes import Purpose
from services.consent.domain.subjects import Profile
from services.consent.domain.verdicts import reason_of
from tests.support.clock import NOON_US
from tests.support.consent import (
    GENERATIVE,
    SHARING,
    a_deny,
    a_draft,
    a_policy,
    a_question,
    a_scope,
    an_allow,
    some_facts,
)
from tests.support.consent_truth import slow_reason


def says(*history: Choice, licensee: str = "acme", purpose: int = SHARING, asked: int | None = None) -> Says:
    return standing_of(still_standing(history)).says(licensee, purpose, asked)


def test_c1_a_live_choice_is_stamped_now() -> None:
    assert stamp_live(NOON_US, None) == NOON_US


def test_c1_a_live_choice_is_later_than_the_last_one_even_when_the_clock_went_back() -> None:
    assert stamp_live(NOON_US, NOON_US + 5) == NOON_US + 6


def test_c1_a_deny_from_the_future_is_clamped_to_now() -> None:
    draft = a_draft(claimed_us=NOON_US + 1)

    check_claimed_time(draft, NOON_US)

    assert stamp_import(draft, NOON_US) == NOON_US


def test_c1_a_deny_without_a_time_is_one_of_now() -> None:
    draft = a_draft(claimed_us=None)

    check_claimed_time(draft, NOON_US)

    assert stamp_import(draft, NOON_US) == NOON_US


@pytest.mark.parametrize(
    ("claimed_us", "reason"), [(NOON_US + 1, "STATED_IN_THE_FUTURE"), (None, "STATED_TIME_MISSING")]
)
def test_c1_an_allow_needs_a_time_that_has_come(claimed_us: int | None, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_claimed_time(a_draft(Stance.ALLOW, claimed_us=claimed_us), NOON_US)

    assert refused.value.reason == reason


def test_c1_an_allow_needs_the_digest_of_its_notice() -> None:
    with pytest.raises(Refusal) as refused:
        check_content(a_draft(Stance.ALLOW, notice_digest=b""))

    assert refused.value.reason == "NOTICE_DIGEST_MISSING"


def test_c1_a_deny_is_taken_without_a_digest() -> None:
    check_content(a_draft(Stance.DENY, notice_digest=b""))


@pytest.mark.parametrize("stance", list(Stance))
def test_a_choice_about_vetted_research_is_refused(stance: Stance) -> None:
    with pytest.raises(Refusal) as refused:
        check_content(a_draft(stance, purpose=Purpose.VETTED_RESEARCH))

    assert refused.value.reason == "PURPOSE_NOT_CHOOSABLE"


def test_a_choice_about_a_purpose_outside_the_table_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        check_content(a_draft(purpose=99))

    assert refused.value.reason == "PURPOSE_UNKNOWN"


def test_a_deny_of_an_unknown_subject_is_taken_and_an_allow_is_not() -> None:
    check_subject(a_draft(Stance.DENY), known=False)

    with pytest.raises(Refusal) as refused:
        check_subject(a_draft(Stance.ALLOW), known=False)

    assert refused.value.reason == "SUBJECT_UNKNOWN"


def test_c2_nothing_said_says_nothing() -> None:
    assert says() is Says.NOTHING


def test_c2_deny_everyone_beats_an_older_allow_for_one_licensee() -> None:
    assert says(an_allow(1, 1, "acme"), a_deny(2, 2)) is Says.DENIES


def test_c2_a_later_allow_everyone_does_not_undo_a_deny_for_one_licensee() -> None:
    history = a_deny(1, 1, "acme"), an_allow(2, 2)

    assert says(*history) is Says.DENIES
    assert says(*history, licensee="other") is Says.ALLOWS


def test_c2_an_allow_for_one_licensee_lifts_deny_everyone_for_that_one_only() -> None:
    history = a_deny(1, 1), an_allow(2, 2, "acme")

    assert says(*history) is Says.ALLOWS
    assert says(*history, licensee="other") is Says.DENIES


def test_c2_an_allow_for_one_purpose_lifts_deny_all_purposes_for_that_one_only() -> None:
    history = a_deny(1, 1), an_allow(2, 2, purpose=SHARING)

    assert says(*history) is Says.ALLOWS
    assert says(*history, purpose=Purpose.SEARCH_INDEX) is Says.DENIES


def test_c2_an_old_allow_imported_today_lifts_nothing_newer() -> None:
    assert says(a_deny(5, 1), an_allow(4, 2)) is Says.DENIES


def test_c2_an_old_deny_imported_today_bites_on_a_newer_allow() -> None:
    assert says(an_allow(5, 1), a_deny(4, 2)) is Says.DENIES


def test_c2_an_allow_of_the_same_microsecond_does_not_lift() -> None:
    assert says(a_deny(5, 1), an_allow(5, 2)) is Says.DENIES


def test_c2_a_broader_licensee_with_a_narrower_purpose_does_not_lift() -> None:
    assert says(a_deny(1, 1, "acme"), an_allow(2, 2, purpose=SHARING)) is Says.DENIES


def test_c2_two_denies_of_one_scope_can_be_lifted_by_different_allows_and_must_both_be() -> None:
    # Stated later but recorded earlier, and the other way round: neither stands for the other.
    denies = a_deny(9, 1), a_deny(3, 3)
    first_lifted = an_allow(10, 2, "acme", SHARING)
    second_lifted = an_allow(4, 4, "acme")

    assert says(*denies, first_lifted) is Says.DENIES
    assert says(*denies, second_lifted) is Says.DENIES
    assert says(*denies, first_lifted, second_lifted) is Says.ALLOWS


def test_c7_an_allow_that_names_the_asked_purpose_counts_for_the_one_it_needs() -> None:
    allow = an_allow(1, 1, purpose=GENERATIVE)

    assert says(allow, purpose=SHARING, asked=GENERATIVE) is Says.ALLOWS
    assert says(allow, purpose=SHARING, asked=Purpose.AI_INDEX) is Says.NOTHING
    assert says(allow, purpose=SHARING) is Says.NOTHING


def test_c7_an_allow_that_names_the_asked_purpose_lifts_a_deny_of_the_one_it_needs() -> None:
    history = a_deny(1, 1, purpose=SHARING), an_allow(2, 2, "acme", GENERATIVE)

    assert says(*history, purpose=SHARING, asked=GENERATIVE) is Says.ALLOWS
    assert says(*history, purpose=SHARING) is Says.DENIES


def test_c7_a_deny_that_names_the_asked_purpose_is_not_one_of_the_purpose_it_needs() -> None:
    assert says(a_deny(1, 1, purpose=GENERATIVE), purpose=SHARING, asked=GENERATIVE) is Says.NOTHING


def test_of_a_toggled_choice_only_the_last_is_kept() -> None:
    history = a_deny(1, 1), an_allow(2, 2), a_deny(3, 3), an_allow(4, 4)

    assert still_standing(history) == (an_allow(4, 4),)


def test_subjects_who_came_to_the_same_by_different_ways_stand_alike() -> None:
    straight = still_standing([a_deny(1, 1)])
    winding = still_standing([a_deny(3, 4), an_allow(5, 7), a_deny(8, 9)])

    assert standing_of(straight) == standing_of(winding)


def test_a_scope_is_within_itself_and_within_all_that_is_broader() -> None:
    narrow = a_scope("acme", GENERATIVE)

    assert narrow.within(narrow)
    assert narrow.within(a_scope())
    assert not a_scope("acme").within(a_scope(purpose=GENERATIVE))


licensees = st.sampled_from(["", "acme", "other"])
purposes = st.sampled_from([0, SHARING, GENERATIVE, Purpose.SEARCH_INDEX])


@st.composite
def histories(draw: st.DrawFn) -> list[Choice]:
    count = draw(st.integers(0, 9))
    return [
        Choice(
            draw(st.sampled_from(Stance)),
            a_scope(draw(licensees), draw(purposes)),
            draw(st.integers(0, 6)),
            revision,
        )
        for revision in range(1, count + 1)
    ]


@given(histories(), st.sampled_from(["acme", "other", "third"]), purposes.filter(bool))
def test_c2_c7_what_is_kept_of_a_history_answers_as_the_whole_history(
    history: list[Choice], licensee: str, purpose: int
) -> None:
    question, policy = a_question(licensee, purpose), a_policy()
    kept: tuple[Choice, ...] = ()
    for choice in history:
        kept = still_standing((*kept, choice))

    reason = reason_of(Profile(some_facts(), standing_of(kept)), question, policy)

    assert reason is slow_reason(history, some_facts(), question, policy)


@given(histories())
def test_what_is_kept_of_a_history_does_not_depend_on_when_it_was_reduced(history: list[Choice]) -> None:
    step_by_step: tuple[Choice, ...] = ()
    for choice in history:
        step_by_step = still_standing((*step_by_step, choice))

    assert step_by_step == still_standing(history)
