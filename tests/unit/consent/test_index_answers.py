"""The index against the slow truth: the same answers, whatever the batch and however it came to be."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.changes import Change, Revision
from services.consent.domain.choices import Choice, standing_of, still_standing
from services.consent.domain.halts import HaltScope
from services.consent.domain.policies import Policy, PolicyBook
from services.consent.domain.subjects import Facts, Profile
from services.consent.domain.verdicts import Question, Reason, is_halted, reason_of
from services.consent.index import Index, View
from services.consent.profiles import Answers, Profiles
from tests.support.consent import a_placement, a_post_placement, a_whole
from tests.support.consent_worlds import World, facts, halts, histories, policies, questions, worlds


def profiles_of(world: World) -> dict[int, Profile]:
    return {
        number: Profile(told, standing_of(still_standing(said)))
        for number, (told, said) in enumerate(world.people.values(), 1)
    }


def view_of(world: World) -> View:
    """Of an index that was told everything at once."""
    placed = dict(zip(world.people, range(1, len(world.people) + 1), strict=True))
    known = [] if world.policy is None else [world.policy]
    index = Index(seed=7)
    whole = a_whole(Revision(1, 10), profiles_of(world), placed, known, halts=world.halts, posts=world.marked)
    index.apply(whole)
    return index.view()


def view_step_by_step(world: World) -> View:
    """Of an index that was told one thing after the other, each person twice."""
    steps: list[dict[str, Any]] = []
    for who, (profile_id, profile) in zip(world.people, profiles_of(world).items(), strict=True):
        for place, passing in ((100 + profile_id, Profile(None)), (profile_id, profile)):
            moved = [a_placement({who: place})]
            steps.append({"profiles": {place: passing}, "subjects": moved, "subject_count": 1})
    book = PolicyBook(() if world.policy is None else (world.policy,))
    steps.append({"policies": book, "halts": world.halts})
    steps.append({"posts": [a_post_placement(world.marked)], "post_count": len(world.marked)})
    index = Index(seed=7)
    index.apply(a_whole(Revision(1, 0), {}, {}))
    for number, said in enumerate(steps):
        index.apply(Change(Revision(1, number), Revision(1, number + 1), **said))
    return index.view()


@given(worlds())
def test_the_index_answers_as_the_rules_are_written(world: World) -> None:
    answered = view_of(world).reasons(world.question, world.batch(*world.posts))

    assert answered.tolist() == [world.truth(post) for post in world.posts]


@given(worlds())
def test_an_index_that_followed_answers_as_one_that_was_told_everything_at_once(world: World) -> None:
    batch = world.batch(*world.posts)

    followed = view_step_by_step(world).reasons(world.question, batch)

    assert followed.tolist() == view_of(world).reasons(world.question, batch).tolist()


@given(worlds(), st.randoms(use_true_random=False))
def test_a_batch_is_answered_as_its_posts_one_by_one_and_in_any_order(
    world: World, chance: random.Random
) -> None:
    view, order = view_of(world), list(range(len(world.posts)))
    chance.shuffle(order)

    together = view.reasons(world.question, world.batch(*world.posts)).tolist()

    assert together == [view.reasons(world.question, world.batch(post)).tolist()[0] for post in world.posts]
    shuffled = view.reasons(world.question, world.batch(*(world.posts[place] for place in order))).tolist()
    assert shuffled == [together[place] for place in order]


@given(st.lists(st.tuples(facts, histories(4)), max_size=12), questions, policies, halts)
def test_an_answer_by_profile_is_that_of_the_pure_rule(
    crowd: list[tuple[Facts, list[Choice]]],
    question: Question,
    policy: Policy | None,
    stopped: frozenset[HaltScope],
) -> None:
    profiles, expected = Profiles(), [Reason.SUBJECT_UNKNOWN]
    for fact, said in crowd:
        profile = Profile(fact, standing_of(said))
        profiles.add(profile)
        expected.append(reason_of(profile, question, policy, stopped))

    answered = Answers(profiles).to(question, policy, stopped).tolist()

    # A halt of all is not looked at here: it stops the whole batch.
    assert is_halted(question, stopped) or answered == expected
