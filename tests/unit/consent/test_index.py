"""The index against the slow truth: the same answers, whatever the batch and however it came to be."""

import random
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Change, Contents, Revision
from services.consent.domain.choices import Choice, Scope, Stance, standing_of, still_standing
from services.consent.domain.policies import Policy, PolicyBook, Regime, Rule
from services.consent.domain.purposes import Purpose
from services.consent.domain.subjects import Facts, Profile, State
from services.consent.domain.verdicts import Question, Reason, reason_of
from services.consent.index import GapError, Index
from services.consent.places import WASTE_ALLOWED
from services.consent.profiles import REMEMBERED_QUESTIONS, Answers, Profiles
from tests.support.consent import (
    GENERATIVE,
    NOTICE,
    OTHER_NOTICE,
    SHARING,
    a_batch,
    a_deny,
    a_placement,
    a_policy,
    a_question,
    a_scope,
    an_allow,
    names,
    slow_post,
    slow_reason,
    some_facts,
)

ALLOWING, DENYING = Profile(some_facts()), Profile(some_facts(), standing_of([a_deny(1, 1)]))
SUSPENDED = Profile(some_facts(states=State.SUSPENDED))


def an_index(profiles: dict[int, Profile], placed: dict[int, int], *policies: Policy) -> Index:
    index = Index(seed=7)
    book = PolicyBook(policies or (a_policy(),))
    index.replace(Contents(Revision(1, 10), a_placement(placed), profiles, book))
    return index


def a_change(placed: dict[int, int], profiles: dict[int, Profile] | None = None, before: int = 10) -> Change:
    return Change(Revision(1, before), Revision(1, before + 1), a_placement(placed), profiles)


def reasons(index: Index, *posts: tuple[int, ...], question: Question | None = None) -> list[str]:
    return names(index.view().reasons(question or a_question(), a_batch(*posts)))


def test_c6_every_contributor_of_a_post_counts() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1, 200: 2})

    answered = reasons(index, (100,), (200,), (100, 100), (100, 100, 200), (100, 300))

    assert answered == ["ALLOWED", "CHOICE_DENIES", "ALLOWED", "CHOICE_DENIES", "SUBJECT_UNKNOWN"]


def test_c6_an_unnamed_contributor_denies() -> None:
    index = an_index({1: ALLOWING}, {100: 1})

    assert reasons(index, (0,), (100, 0)) == ["CONTRIBUTOR_UNNAMED", "CONTRIBUTOR_UNNAMED"]


def test_a_purpose_outside_the_table_is_answered_with_no_policy_for_every_post() -> None:
    index = an_index({1: ALLOWING}, {100: 1})

    answered = reasons(index, (100,), (0,), (300,), question=a_question(purpose=99))

    assert answered == ["NO_POLICY"] * 3


def test_an_empty_batch_gets_an_empty_answer() -> None:
    assert reasons(an_index({1: ALLOWING}, {100: 1})) == []


def test_a_change_moves_a_subject_and_no_other() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1, 101: 1})

    index.apply(a_change({100: 2}))

    assert reasons(index, (100,), (101,)) == ["CHOICE_DENIES", "ALLOWED"]
    assert index.revision == Revision(1, 11)


def test_an_answer_compiled_before_a_profile_appeared_knows_that_profile_too() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    before = reasons(index, (100,))

    index.apply(a_change({100: 2}, {2: DENYING}))

    assert before == ["ALLOWED"]
    assert reasons(index, (100,)) == ["CHOICE_DENIES"]


def test_a_policy_that_takes_effect_is_answered_by_from_then_on() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    before = reasons(index, (100,))
    prohibiting = PolicyBook((a_policy(), a_policy(Regime.PROHIBITED, version=2)))

    index.apply(Change(Revision(1, 10), Revision(1, 11), policies=prohibiting))

    assert before == ["ALLOWED"]
    assert reasons(index, (100,)) == ["PROHIBITED"]


def test_a_table_that_grows_keeps_every_subject() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1})
    many = dict.fromkeys(range(1000, 5000), 2)

    index.apply(a_change(many))

    assert set(reasons(index, *((subject_id,) for subject_id in many))) == {"CHOICE_DENIES"}
    assert reasons(index, (100,)) == ["ALLOWED"]


def test_a_profile_whose_id_was_dropped_and_given_again_is_the_new_one() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 2, 101: 1})
    before = reasons(index, (100,))

    index.apply(replace(a_change({100: 1}), dropped=(2,)))
    index.apply(a_change({101: 2}, {2: SUSPENDED}, before=11))

    assert before == ["CHOICE_DENIES"]
    assert reasons(index, (100,), (101,)) == ["ALLOWED", "SUBJECT_SUSPENDED"]


def test_a_dropped_profile_is_known_no_more() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 2})
    index.apply(replace(a_change({100: 1}), dropped=(2,)))

    with pytest.raises(ValueError, match="does not know"):
        index.apply(a_change({100: 2}, before=11))


def test_profiles_that_nobody_has_are_given_up_in_time() -> None:
    index = an_index({1: ALLOWING}, {100: 1, 101: 1})
    # As much as one subject can make of their choices, a thousand times over.
    wide = [a_deny(1, number, f"licensee-{number}") for number in range(1, 1001)]
    kept = []

    for number in range(1_000):
        profile = Profile(some_facts(), standing_of([*wide, a_deny(1, 2000 + number, f"turn-{number}")]))
        change = a_change({100: number + 2}, {number + 2: profile}, before=10 + number)
        index.apply(replace(change, dropped=(number + 1,) if number else ()))
        kept.append(len(index.view().profiles))

    assert max(kept) < WASTE_ALLOWED / 1000 + 5
    assert reasons(index, (100,), (101,)) == ["ALLOWED", "ALLOWED"]
    assert reasons(index, (100,), question=a_question("turn-999")) == ["CHOICE_DENIES"]
    assert reasons(index, (100,), question=a_question("turn-998")) == ["ALLOWED"]


def test_a_reader_keeps_a_whole_view_while_profiles_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.consent.places.WASTE_ALLOWED", 0)
    index = an_index({1: ALLOWING, 2: DENYING, 3: SUSPENDED}, {100: 2, 101: 3, 102: 1})
    earlier, batch = index.view(), a_batch((100,), (101,), (102,), (103,))

    index.apply(replace(a_change({100: 1, 101: 1}), dropped=(2, 3)))
    index.apply(a_change({103: 1}, before=11))

    assert len(index.view().profiles) == 2
    assert names(index.view().reasons(a_question(), batch)) == ["ALLOWED"] * 4
    # Of the first change it sees both subjects, each as before or as after; of the next, nobody.
    assert names(earlier.reasons(a_question(), batch)) == ["ALLOWED"] * 3 + ["SUBJECT_UNKNOWN"]


def test_a_change_that_does_not_follow_on_the_last_is_a_gap() -> None:
    index = an_index({1: ALLOWING}, {100: 1})

    with pytest.raises(GapError):
        index.apply(a_change({100: 1}, before=11))


def test_a_change_with_a_profile_that_was_never_told_is_refused() -> None:
    index = an_index({1: ALLOWING}, {100: 1})

    with pytest.raises(ValueError, match="does not know"):
        index.apply(a_change({100: 5}))


def test_c10_a_distrusted_index_gives_no_answers_until_it_is_replaced() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    index.distrust()

    with pytest.raises(Refusal) as refused:
        index.view()
    index.apply(a_change({100: 1}))
    still = index.revision
    index.replace(Contents(Revision(1, 12), a_placement({100: 1}), {1: ALLOWING}, PolicyBook((a_policy(),))))

    assert refused.value.reason == "INDEX_STALE"
    assert still is None
    assert reasons(index, (100,)) == ["ALLOWED"]


def test_an_answer_is_kept_apart_for_every_input_of_a_question() -> None:
    profiles = Profiles()
    profiles.add(Profile(some_facts("US"), standing_of([a_deny(1, 1, "other"), an_allow(2, 2, "acme")])))
    answers, policy = Answers(profiles), a_policy()

    answered = [
        Reason(answers.to(question, in_force)[1]).name
        for question, in_force in [
            (a_question(), policy),
            (a_question(licensee="other"), policy),
            (a_question(jurisdictions=frozenset({"DE"})), policy),
            (a_question(purpose=Purpose.SEARCH_INDEX), policy),
            (a_question(), a_policy(Regime.PROHIBITED, version=2)),
            (a_question(), None),
            (a_question(), policy),
        ]
    ]

    assert answered == [
        "ALLOWED",
        "CHOICE_DENIES",
        "JURISDICTION_NOT_LICENSED",
        "NO_POLICY",
        "PROHIBITED",
        "NO_POLICY",
        "ALLOWED",
    ]


def test_questions_asked_long_ago_are_forgotten_and_answered_again() -> None:
    profiles = Profiles()
    profiles.add(ALLOWING)
    answers = Answers(profiles)

    for number in range(2 * REMEMBERED_QUESTIONS):
        answers.to(a_question(f"licensee-{number}"), a_policy())

    assert answers.to(a_question("licensee-0"), a_policy()).tolist() == [
        Reason.SUBJECT_UNKNOWN,
        Reason.ALLOWED,
    ]


choices = st.builds(
    lambda stance, licensee, purpose, at: (stance, a_scope(licensee, purpose), at),
    st.sampled_from(Stance),
    st.sampled_from(["", "acme", "other"]),
    st.sampled_from([0, SHARING, GENERATIVE, Purpose.AI_INDEX]),
    st.integers(0, 5),
)
facts = st.builds(
    Facts,
    st.sampled_from(["US", "US-CA", "DE", "FR"]),
    st.builds(State, st.sampled_from([0, 0, 0, 1, 2, 4, 8, 16, 31])),
    st.frozensets(st.sampled_from([NOTICE, OTHER_NOTICE])),
)
people = st.dictionaries(
    st.integers(1, 2**64 - 1), st.tuples(st.none() | facts, st.lists(choices, max_size=4)), max_size=8
)
policies = st.none() | st.builds(
    lambda regimes: a_policy(Regime.OPT_OUT, *(Rule(j, p, regime) for (j, p), regime in regimes.items())),
    st.dictionaries(
        st.tuples(st.sampled_from(["US", "US-CA", "DE"]), st.sampled_from([SHARING, GENERATIVE])),
        st.sampled_from([Regime.OPT_IN, Regime.OPT_OUT, Regime.OPT_OUT, Regime.PROHIBITED]),
        min_size=1,
    ),
)
questions = st.builds(
    Question,
    st.sampled_from(["acme", "other", "third"]),
    st.sampled_from([SHARING, GENERATIVE, Purpose.AI_INDEX, Purpose.VETTED_RESEARCH]),
    st.sampled_from([frozenset({"*"}), frozenset({"US"}), frozenset({"US-CA", "DE"}), frozenset()]),
)


Said = tuple[Stance, Scope, int]
Known = dict[int, tuple[Facts | None, list[Choice]]]


class World(NamedTuple):
    """People with what they chose, a policy, a question, and posts by their contributors."""

    known: Known
    policy: Policy | None
    question: Question
    posts: list[list[int]]


def history_of(said: list[Said]) -> list[Choice]:
    return [Choice(stance, scope, at, number) for number, (stance, scope, at) in enumerate(said, 1)]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    known = {who: (fact, history_of(said)) for who, (fact, said) in draw(people).items()}
    contributor = st.sampled_from([*known, 0, 2**63])
    posts = draw(st.lists(st.lists(contributor, min_size=1, max_size=4), max_size=12))
    return World(known, draw(policies), draw(questions), posts)


def index_of(known: Known, policy: Policy | None) -> Index:
    profiles = [Profile(fact, standing_of(still_standing(said))) for fact, said in known.values()]
    index = Index(seed=7)
    index.replace(
        Contents(
            Revision(1, 10),
            a_placement(dict(zip(known, range(1, len(known) + 1), strict=True))),
            dict(enumerate(profiles, 1)),
            PolicyBook(() if policy is None else (policy,)),
        )
    )
    return index


@given(worlds())
def test_the_index_answers_as_the_rules_are_written(world: World) -> None:
    known, policy, question, posts = world

    def of_contributor(subject_id: int) -> Reason:
        fact, said = known.get(subject_id, (None, []))
        return slow_reason(said, fact, question, policy) if subject_id else Reason.CONTRIBUTOR_UNNAMED

    answered = index_of(known, policy).view().reasons(question, a_batch(*posts))

    assert answered.tolist() == [slow_post([of_contributor(who) for who in post]) for post in posts]


@given(worlds(), st.randoms(use_true_random=False))
def test_a_batch_is_answered_as_its_posts_one_by_one_and_in_any_order(
    world: World, chance: random.Random
) -> None:
    known, policy, question, posts = world
    view = index_of(known, policy).view()
    order = list(range(len(posts)))
    chance.shuffle(order)

    together = view.reasons(question, a_batch(*posts)).tolist()

    assert together == [view.reasons(question, a_batch(post)).tolist()[0] for post in posts]
    shuffled = view.reasons(question, a_batch(*(posts[place] for place in order))).tolist()
    assert shuffled == [together[place] for place in order]


@given(st.lists(st.tuples(facts, st.lists(choices, max_size=4)), max_size=12), questions, policies)
def test_an_answer_by_profile_is_that_of_the_pure_rule(
    crowd: list[tuple[Facts, list[Said]]], question: Question, policy: Policy | None
) -> None:
    profiles, expected = Profiles(), [Reason.SUBJECT_UNKNOWN]
    for fact, said in crowd:
        profile = Profile(fact, standing_of(history_of(said)))
        profiles.add(profile)
        expected.append(reason_of(profile, question, policy))

    assert Answers(profiles).to(question, policy).tolist() == expected
