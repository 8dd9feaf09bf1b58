"""The compiled index: what it has taken in, and what a batch of posts is answered by it."""

import pytest

from services.chassis.refusals import Refusal
from services.consent.domain.changes import Change, Revision
from services.consent.domain.choices import standing_of
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Policy, PolicyBook, Regime
from services.consent.domain.posts import UNMARKED, PostMark, PostState
from services.consent.domain.purposes import Purpose
from services.consent.domain.subjects import Profile, State
from services.consent.domain.verdicts import NO_HALTS, Question, Reason
from services.consent.index import GapError, Index
from services.consent.profiles import REMEMBERED_QUESTIONS, Answers, Profiles
from tests.support.consent import (
    EVERYTHING,
    FIRST_EMBED,
    a_batch,
    a_deny,
    a_placement,
    a_policy,
    a_post_placement,
    a_post_state,
    a_question,
    a_whole,
    an_allow,
    names,
    some_facts,
)

ALLOWING, DENYING = Profile(some_facts()), Profile(some_facts(), standing_of([a_deny(1, 1)]))
SUSPENDED = Profile(some_facts(states=State.SUSPENDED))


def an_index(profiles: dict[int, Profile], placed: dict[int, int], *policies: Policy) -> Index:
    index = Index(seed=7)
    index.apply(a_whole(Revision(1, 10), profiles, placed, policies or (a_policy(),)))
    return index


def a_step(before: int = 10, **fields: object) -> Change:
    return Change(Revision(1, before), Revision(1, before + 1), **fields)  # type: ignore[arg-type]


def a_move(placed: dict[int, int], profiles: dict[int, Profile] | None = None, before: int = 10) -> Change:
    return a_step(before, profiles=profiles or {}, subjects=[a_placement(placed)], subject_count=len(placed))


def a_marking(states: dict[int, PostState], before: int = 10) -> Change:
    return a_step(before, posts=[a_post_placement(states)], post_count=len(states))


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

    index.apply(a_move({100: 2}))

    assert reasons(index, (100,), (101,)) == ["CHOICE_DENIES", "ALLOWED"]
    assert index.revision == Revision(1, 11)


def test_an_answer_compiled_before_a_profile_appeared_knows_that_profile_too() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    before = reasons(index, (100,))

    index.apply(a_move({100: 2}, {2: DENYING}))

    assert before == ["ALLOWED"]
    assert reasons(index, (100,)) == ["CHOICE_DENIES"]


def test_a_policy_that_takes_effect_is_answered_by_from_then_on() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    before = reasons(index, (100,))
    prohibiting = PolicyBook((a_policy(), a_policy(Regime.PROHIBITED, version=2)))

    index.apply(a_step(policies=prohibiting))

    assert before == ["ALLOWED"]
    assert reasons(index, (100,)) == ["PROHIBITED"]


def test_a_table_that_grows_keeps_every_subject() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1})
    many = dict.fromkeys(range(1000, 5000), 2)

    index.apply(a_move(many))

    assert set(reasons(index, *((subject_id,) for subject_id in many))) == {"CHOICE_DENIES"}
    assert reasons(index, (100,)) == ["ALLOWED"]


def test_profiles_that_nobody_has_are_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.consent.places.WASTE_ALLOWED", 10_000)
    index = an_index({1: ALLOWING}, {100: 1, 101: 1})
    # One subject who goes on choosing, and has a lot to say.
    wide = [a_deny(1, number, f"licensee-{number}") for number in range(1, 100)]
    kept = []

    for number in range(400):
        profile = Profile(some_facts(), standing_of([*wide, a_deny(1, 2000 + number, f"turn-{number}")]))
        index.apply(a_move({100: number + 2}, {number + 2: profile}, before=10 + number))
        kept.append(len(index.view().profiles))

    assert 90 < max(kept) < 110
    assert reasons(index, (100,), (101,)) == ["ALLOWED", "ALLOWED"]
    assert reasons(index, (100,), question=a_question("turn-399")) == ["CHOICE_DENIES"]
    assert reasons(index, (100,), question=a_question("turn-398")) == ["ALLOWED"]


def test_a_reader_keeps_a_whole_view_while_profiles_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.consent.places.WASTE_ALLOWED", 0)
    index = an_index({1: ALLOWING, 2: DENYING, 3: SUSPENDED}, {100: 2, 101: 3, 102: 1})
    earlier, batch = index.view(), a_batch((100,), (101,), (102,), (103,))

    # More of them come in than are in use.
    index.apply(a_move({100: 1, 101: 1}, dict.fromkeys(range(11, 20), DENYING)))
    index.apply(a_move({103: 1}, before=11))

    assert len(index.view().profiles) == 2
    assert names(index.view().reasons(a_question(), batch)) == ["ALLOWED"] * 4
    # Of the first change it sees both subjects, each as before or as after; of the next, nobody.
    assert names(earlier.reasons(a_question(), batch)) == ["ALLOWED"] * 3 + ["SUBJECT_UNKNOWN"]


def test_a_profile_whose_subjects_come_back_is_not_mixed_up_with_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.consent.places.WASTE_ALLOWED", 0)
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 2, 101: 1})

    index.apply(a_move({100: 1}))
    index.apply(a_move({101: 13}, {13: SUSPENDED}, before=11))
    index.apply(a_move({101: 14}, {14: DENYING}, before=12))

    assert reasons(index, (100,), (101,)) == ["ALLOWED", "CHOICE_DENIES"]


def test_what_is_read_is_seen_by_nobody_until_it_is_taken_in() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1})

    take = index.prepare(a_move({100: 2}))
    before = reasons(index, (100,)), index.revision
    take()

    assert before == (["ALLOWED"], Revision(1, 10))
    assert (reasons(index, (100,)), index.revision) == (["CHOICE_DENIES"], Revision(1, 11))


def test_c10_an_index_that_nothing_was_read_into_gives_no_answer() -> None:
    with pytest.raises(Refusal) as refused:
        Index(seed=7).view()

    assert refused.value.reason == "INDEX_EMPTY"


def test_the_whole_history_takes_the_place_of_all_that_was_there() -> None:
    index = an_index({1: ALLOWING}, {100: 1, 101: 1})
    index.apply(a_marking({1: a_post_state()}))

    index.apply(a_whole(Revision(2, 5), {1: DENYING}, {100: 1}, [a_policy()]))

    assert index.revision == Revision(2, 5)
    assert reasons(index, (100,), (101,)) == ["CHOICE_DENIES", "SUBJECT_UNKNOWN"]


def test_a_change_that_is_taken_too_late_is_a_gap_and_leaves_the_index_as_it_was() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1})
    late = index.prepare(a_move({100: 2}))
    index.apply(a_step())

    with pytest.raises(GapError):
        late()

    assert (reasons(index, (100,)), index.revision) == (["ALLOWED"], Revision(1, 11))


def test_a_change_that_does_not_follow_on_the_last_is_a_gap() -> None:
    index = an_index({1: ALLOWING}, {100: 1})

    with pytest.raises(GapError):
        index.apply(a_move({100: 1}, before=11))


def test_a_change_with_a_profile_that_was_never_told_is_refused() -> None:
    index = an_index({1: ALLOWING}, {100: 1})

    with pytest.raises(ValueError, match="does not know"):
        index.apply(a_move({100: 5}))


def test_an_answer_is_kept_apart_for_every_input_of_a_question() -> None:
    profiles = Profiles()
    profiles.add(Profile(some_facts("US"), standing_of([a_deny(1, 1, "other"), an_allow(2, 2, "acme")])))
    answers, policy = Answers(profiles), a_policy()

    answered = [
        Reason(answers.to(question, in_force, NO_HALTS)[1]).name
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
        answers.to(a_question(f"licensee-{number}"), a_policy(), NO_HALTS)

    assert answers.to(a_question("licensee-0"), a_policy(), NO_HALTS).tolist() == [
        Reason.SUBJECT_UNKNOWN,
        Reason.ALLOWED,
    ]


def test_c5_a_post_that_is_denied_deleted_or_withheld_denies_whoever_wrote_it() -> None:
    index = an_index({1: ALLOWING, 2: DENYING}, {100: 1, 200: 2})
    index.apply(
        a_marking(
            {1: a_post_state(), 2: a_post_state(PostMark.DELETED), 3: a_post_state(PostMark(0), ["DE"])}
        )
    )

    answered = reasons(index, (100,), (200,), (100,), (100,))

    assert answered == ["POST_DENIED", "POST_DELETED", "WITHHELD", "ALLOWED"]


def test_c5_an_embedded_post_denies_the_post_that_embeds_it() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    index.apply(a_marking({FIRST_EMBED + 1: a_post_state(PostMark.DELETED)}))

    assert reasons(index, (100, 100), (100, 100), (100, 100)) == ["ALLOWED", "POST_DELETED", "ALLOWED"]


def test_c5_a_post_whose_mark_is_taken_back_may_go_again() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    index.apply(a_marking({1: a_post_state()}))
    denied = reasons(index, (100,))

    index.apply(a_marking({1: UNMARKED}, before=11))

    assert (denied, reasons(index, (100,))) == (["POST_DENIED"], ["ALLOWED"])


def test_c5_what_is_withheld_is_denied_where_the_territory_includes_the_country() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    index.apply(a_marking({1: a_post_state(PostMark(0), ["DE"])}))

    def within(*territory: str) -> list[str]:
        return reasons(index, (100,), question=a_question(territory=frozenset(territory)))

    assert within("US", "FR") == ["ALLOWED"]
    assert within("US", "DE-BE") == within("*") == within() == ["WITHHELD"]


def test_c12_a_halt_of_everything_of_the_licensee_or_of_the_purpose_stops_every_post() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    index.apply(a_step(halts=frozenset({HaltScope(HaltKind.LICENSEE, "acme")})))
    of_acme = reasons(index, (100,), (0,)), reasons(index, (100,), question=a_question("other"))

    index.apply(a_step(11, halts=frozenset({EVERYTHING})))
    of_all = reasons(index, (100,), question=a_question("other"))
    index.apply(a_step(12, halts=NO_HALTS))

    assert of_acme == (["HALTED", "HALTED"], ["ALLOWED"])
    assert of_all == ["HALTED"]
    assert reasons(index, (100,)) == ["ALLOWED"]


def test_w1_asked_again_a_halt_that_was_lifted_applies_and_no_other() -> None:
    index = an_index({1: ALLOWING, 2: Profile(some_facts("DE"))}, {100: 1, 200: 2})
    index.apply(a_step(halts=frozenset({EVERYTHING})))
    asked, posts = a_question(), a_batch((100,), (200,))
    german = frozenset({HaltScope(HaltKind.JURISDICTION, "DE")})

    stopped, by_policy, by_halt = (
        names(index.view().under(halts).reasons(asked, posts)) for halts in (None, NO_HALTS, german)
    )

    assert stopped == ["HALTED", "HALTED"]
    assert by_policy == ["ALLOWED", "ALLOWED"]
    assert by_halt == ["ALLOWED", "HALTED"]


def test_c12_a_halt_of_a_jurisdiction_stops_the_posts_of_its_contributors_alone() -> None:
    german = Profile(some_facts("DE"))
    index = an_index({1: ALLOWING, 2: german}, {100: 1, 200: 2})
    before = reasons(index, (100,), (200,))

    index.apply(a_step(halts=frozenset({HaltScope(HaltKind.JURISDICTION, "DE")})))

    assert before == ["ALLOWED", "ALLOWED"]
    assert reasons(index, (100,), (200,), (100, 200)) == ["ALLOWED", "HALTED", "HALTED"]


def test_what_a_change_leaves_out_is_as_before() -> None:
    index = an_index({1: ALLOWING}, {100: 1})
    index.apply(a_step(halts=frozenset({HaltScope(HaltKind.LICENSEE, "other")})))
    index.apply(a_marking({2: a_post_state()}, before=11))

    index.apply(a_step(12))

    assert reasons(index, (100,), (100,)) == ["ALLOWED", "POST_DENIED"]
    assert reasons(index, (100,), question=a_question("other")) == ["HALTED"]
