"""C5: the states of posts as the index has them, against a dict of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.posts import UNMARKED, PostMark, PostState
from services.consent.domain.verdicts import Question, Reason, reason_of_state
from services.consent.post_states import PostStates
from tests.support.consent import a_post_placement, a_post_state, a_question
from tests.support.consent_worlds import post_states, questions

ids = st.one_of(st.integers(1, 20), st.integers(2**64 - 20, 2**64 - 1))
WITHHELD = a_post_state(PostMark(0), ["DE"])


def put(table: PostStates, states: dict[int, PostState]) -> PostStates:
    roomy = table.with_room(len(states))
    roomy.put(a_post_placement(states))
    return roomy


def reasons(table: PostStates, post_ids: list[int], question: Question | None = None) -> list[str] | None:
    found = table.reasons(np.array(post_ids, np.uint64), question or a_question())
    return None if found is None else [Reason(each).name for each in found.tolist()]


@given(st.lists(st.dictionaries(ids, post_states, max_size=8), max_size=5), st.lists(ids), questions)
def test_c5_posts_are_answered_as_a_dict_of_them_would(
    rounds: list[dict[int, PostState]], asked: list[int], question: Question
) -> None:
    table, expected = PostStates(0, seed=7), dict[int, PostState]()
    for states in rounds:
        table = put(table, states)
        expected |= states

    found = reasons(table, asked, question)

    answered = [reason_of_state(expected.get(post_id, UNMARKED), question).name for post_id in asked]
    assert found == answered or (found is None and set(answered) <= {"ALLOWED"})
    assert table.count == len(expected)


def test_c5_a_post_is_denied_deleted_or_withheld_in_this_order() -> None:
    both = PostMark.DENIED | PostMark.DELETED
    states = {
        1: PostState(both, frozenset({"DE"})),
        2: PostState(PostMark.DELETED, frozenset({"DE"})),
        3: WITHHELD,
    }

    found = reasons(put(PostStates(0, seed=7), states), [1, 2, 3, 4])

    assert found == ["POST_DENIED", "POST_DELETED", "WITHHELD", "ALLOWED"]


def test_posts_without_a_state_cost_nothing() -> None:
    table = put(PostStates(0, seed=7), {1: WITHHELD})

    assert reasons(PostStates(0, seed=7), [1, 2]) is None
    assert reasons(table, [2, 3]) is None


def test_c5_what_a_state_says_goes_by_the_territory_also_when_asked_again() -> None:
    table = put(PostStates(0, seed=7), {1: WITHHELD})
    elsewhere, everywhere = a_question(territory=frozenset({"US"})), a_question()

    first = reasons(table, [1], elsewhere), reasons(table, [1], everywhere)
    put(table, {2: a_post_state()})
    again = reasons(table, [1, 2], elsewhere), reasons(table, [1, 2], everywhere)

    assert first == (["ALLOWED"], ["WITHHELD"])
    assert again == (["ALLOWED", "POST_DENIED"], ["WITHHELD", "POST_DENIED"])


def test_a_table_that_grew_knows_every_post_and_leaves_the_smaller_one_alone() -> None:
    table = put(PostStates(0, seed=7), {1: a_post_state()})

    grown = put(table, dict.fromkeys(range(100, 5_000), WITHHELD))

    assert reasons(grown, [1, 100, 4_999, 5_000]) == ["POST_DENIED", "WITHHELD", "WITHHELD", "ALLOWED"]
    assert reasons(table, [1, 100]) == ["POST_DENIED", "ALLOWED"]


def test_states_that_many_posts_share_are_kept_once() -> None:
    table = put(PostStates(0, seed=7), dict.fromkeys(range(1, 101), WITHHELD))

    table = put(table, dict.fromkeys(range(101, 201), WITHHELD))

    assert table._states == [UNMARKED, WITHHELD]


def test_an_id_that_is_not_known_has_no_state() -> None:
    table = put(PostStates(0, seed=7), {1: a_post_state()})

    assert reasons(table, [0, 1]) == ["ALLOWED", "POST_DENIED"]
