"""W1: what takes back earlier releases, and what it matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.choices import Choice, Scope, Stance
from services.consent.domain.posts import UNMARKED, PostMark, PostState
from services.consent.domain.purposes import PURPOSES, Purpose
from services.consent.domain.subjects import Facts, State
from services.consent.domain.verdicts import Question, Reason
from services.consent.domain.withdrawals import (
    EVERY_PURPOSE,
    Cause,
    Withdrawal,
    closed,
    of_choice,
    of_facts,
    of_post,
)
from tests.support.consent import GENERATIVE, SHARING, a_policy, a_post_state, a_scope, some_facts
from tests.support.consent_truth import slow_reason
from tests.support.consent_worlds import facts, histories, post_states, questions, scopes

CHOOSABLE = (1, 2, 3, 4, 5, 6, 7)


def test_w1_c7_a_denied_purpose_takes_back_itself_and_those_that_need_it() -> None:
    assert closed(GENERATIVE) == (GENERATIVE,)
    assert closed(SHARING) == closed(0) == CHOOSABLE


def test_w1_choices_take_back_nothing_that_was_released_for_vetted_research() -> None:
    assert all(Purpose.VETTED_RESEARCH not in closed(purpose) for purpose in (0, *PURPOSES))
    assert (*CHOOSABLE, 8) == EVERY_PURPOSE


def test_w1_a_deny_takes_back_what_it_covers_and_an_allow_nothing() -> None:
    scope = a_scope("acme", GENERATIVE)

    assert of_choice(7, Stance.DENY, scope) == Withdrawal(
        Cause.CHOICE, 7, licensee="acme", purposes=(GENERATIVE,)
    )
    assert of_choice(7, Stance.DENY, a_scope()) == Withdrawal(Cause.CHOICE, 7, purposes=CHOOSABLE)
    assert of_choice(7, Stance.ALLOW, scope) is None


@pytest.mark.parametrize("state", list(State))
def test_w1_c4_a_state_that_was_not_there_before_takes_everything_back(state: State) -> None:
    withdrawn = Withdrawal(Cause.SUBJECT_STATE, 7, purposes=EVERY_PURPOSE)
    denied = some_facts(states=state)

    assert of_facts(7, some_facts(), denied) == withdrawn
    assert of_facts(7, None, denied) == withdrawn
    assert of_facts(7, denied, denied) is None
    assert of_facts(7, denied, some_facts()) is None
    assert of_facts(7, some_facts(states=~state & State(31)), some_facts(states=State(31))) == withdrawn


def test_w1_c5_countries_that_were_not_there_before_take_back_what_may_be_used_there() -> None:
    assert of_facts(7, some_facts(withheld=["DE"]), some_facts(withheld=["DE", "FR", "AT"])) == Withdrawal(
        Cause.SUBJECT_WITHHELD, 7, countries=("AT", "FR")
    )
    assert of_facts(7, some_facts(withheld=["DE"]), some_facts()) is None


def test_w1_a_subject_who_moves_or_is_told_takes_nothing_back() -> None:
    assert of_facts(7, some_facts("DE"), some_facts("FR", notices=[])) is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (UNMARKED, a_post_state(PostMark.DENIED), Withdrawal(Cause.POST_DENIED, post_id=9)),
        (UNMARKED, a_post_state(PostMark.DELETED), Withdrawal(Cause.POST_DELETED, post_id=9)),
        (
            a_post_state(PostMark.DENIED),
            a_post_state(PostMark.DENIED | PostMark.DELETED),
            Withdrawal(Cause.POST_DELETED, post_id=9),
        ),
        (
            a_post_state(PostMark(0), ["DE"]),
            a_post_state(PostMark(0), ["FR"]),
            Withdrawal(Cause.POST_WITHHELD, post_id=9, countries=("FR",)),
        ),
        (a_post_state(PostMark.DENIED), a_post_state(PostMark.DENIED), None),
        (a_post_state(PostMark.DENIED, ["DE"]), UNMARKED, None),
    ],
)
def test_w1_c5_a_mark_or_a_country_that_is_new_takes_a_post_back(
    before: PostState, after: PostState, expected: Withdrawal | None
) -> None:
    assert of_post(9, before, after) == expected


def matches(withdrawal: Withdrawal | None, question: Question) -> bool:
    """Whether a release for that question is taken back."""
    if withdrawal is None:
        return False
    reached = not withdrawal.countries or question.reaches(frozenset(withdrawal.countries))
    return (
        withdrawal.licensee in {"", question.licensee} and question.purpose in withdrawal.purposes and reached
    )


@given(histories(), st.sampled_from(Stance), scopes, questions)
def test_w1_a_choice_that_makes_an_answer_a_denial_takes_back_what_was_released_on_it(
    history: list[Choice], stance: Stance, scope: Scope, question: Question
) -> None:
    latest = Choice(stance, scope, 9, len(history) + 1)
    before = slow_reason(history, some_facts(), question, a_policy())
    after = slow_reason([*history, latest], some_facts(), question, a_policy())

    if before is Reason.ALLOWED and after is not Reason.ALLOWED:
        assert matches(of_choice(7, stance, scope), question)


@given(facts, facts, questions)
def test_w1_facts_that_make_an_answer_a_denial_take_back_what_was_released_on_them(
    before: Facts, after: Facts, question: Question
) -> None:
    denying = {Reason.WITHHELD, *range(Reason.SUBJECT_MINOR, Reason.SUBJECT_PROTECTED + 1)}
    research = Question(question.licensee, Purpose.VETTED_RESEARCH, frozenset({"*"}), question.territory)

    if (
        slow_reason((), before, research, None) is Reason.ALLOWED
        and slow_reason((), after, research, None) in denying
    ):
        assert matches(of_facts(7, before, after), research)


@given(post_states, post_states, questions)
def test_w1_a_state_that_makes_an_answer_a_denial_takes_back_the_post(
    before: PostState, after: PostState, question: Question
) -> None:
    # A change sets one mark at most, or names other countries.
    step = (
        after if after.marks == before.marks else PostState(after.marks & ~PostMark.DELETED, before.withheld)
    )

    def reason(state: PostState) -> Reason:
        return slow_reason((), some_facts(), question, None, post=state)

    own = {Reason.POST_DENIED, Reason.POST_DELETED, Reason.WITHHELD}
    if reason(before) not in own and reason(step) in own:
        assert matches(of_post(9, before, step), question)
