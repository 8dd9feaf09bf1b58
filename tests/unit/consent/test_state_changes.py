"""C4 and C5: changes of state that come late, repeated and out of order come to the same."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.consent.domain.erasures import erased_subject
from services.consent.domain.posts import Post, PostMark, PostState
from services.consent.domain.state_changes import (
    ChangeKind,
    StateChange,
    check_post_change,
    check_subject_change,
    post_after,
    subject_after,
    subject_described,
)
from services.consent.domain.subjects import MOST_NOTICES, Facts, State, Subject
from tests.support.clock import NOON_US
from tests.support.consent import NOTICE, OTHER_NOTICE, a_change, some_facts
from tests.support.consent_told import a_subject, said, states_of, told_to_post, told_to_subject
from tests.support.consent_truth import Told, slow_facts, slow_states, slow_withheld
from tests.support.consent_worlds import OF_POSTS, OF_SUBJECTS, changes_of

TOGGLES_AND_COUNTRIES = [kind for kind in OF_SUBJECTS if kind is not ChangeKind.NOTICE_SERVED]
COUNTRIES = st.frozensets(st.sampled_from(["DE", "FR", "US"]))


def words_of(kinds: Sequence[ChangeKind]) -> st.SearchStrategy[Told]:
    def told(change: StateChange) -> Told:
        assert change.occurred_us is not None
        return Told(change.occurred_us, change)

    return changes_of(kinds, st.integers(NOON_US - 8, NOON_US)).map(told)


descriptions = st.builds(
    lambda states, withheld, at: Told(NOON_US - at, some_facts(states=State(states), withheld=withheld)),
    st.sampled_from([0, 0, State.DELETED, State.MINOR | State.SUSPENDED]),
    COUNTRIES,
    st.integers(0, 8),
)


@st.composite
def orders(draw: st.DrawFn, words: st.SearchStrategy[Told], *, distinct: bool) -> list[Told]:
    """Some words in any order, each once or several times."""
    unique_by = (lambda told: told.at_us) if distinct else None
    told: list[Told] = draw(st.lists(words, max_size=8, unique_by=unique_by))
    repeated = [each for each in told for _ in range(draw(st.integers(1, 2)))]
    return draw(st.permutations(repeated))


@given(orders(words_of(TOGGLES_AND_COUNTRIES) | descriptions, distinct=True))
def test_c4_changes_of_a_subject_come_to_the_same_in_any_order_and_however_often(told: list[Told]) -> None:
    since = Told(0, some_facts())

    subject = a_subject(*told)

    assert subject == a_subject(*sorted(set(told), key=lambda each: each.at_us))
    assert {state.name for state in states_of(subject)} == slow_states([since, *told])
    assert subject.facts is not None
    assert subject.facts.withheld == slow_withheld([since, *told])


@given(
    orders(words_of(TOGGLES_AND_COUNTRIES), distinct=False), descriptions, st.randoms(use_true_random=False)
)
def test_c4_of_changes_at_the_same_time_the_one_that_denies_holds(
    told: list[Told], description: Told, chance: random.Random
) -> None:
    words = [*told, description, description]
    chance.shuffle(words)

    subject = a_subject(*words)

    assert {state.name for state in states_of(subject)} == slow_states([Told(0, some_facts()), *words])
    assert subject.facts is not None
    assert subject.facts.withheld == slow_withheld([Told(0, some_facts()), *words])


@given(orders(words_of(OF_POSTS), distinct=True))
def test_c5_changes_of_a_post_come_to_the_same_in_any_order_and_however_often(told: list[Told]) -> None:
    post = Post()
    for each in told:
        post = told_to_post(post, each)
    in_order = Post()
    for each in sorted(set(told), key=lambda each: each.at_us):
        in_order = told_to_post(in_order, each)

    assert post == in_order
    assert {mark.name for mark in post.state.marks} == slow_states(told)
    assert post.state.withheld == slow_withheld(told)


@given(orders(words_of(OF_POSTS), distinct=False))
def test_c5_of_changes_of_a_post_at_the_same_time_the_one_that_denies_holds(told: list[Told]) -> None:
    post = Post()
    for each in told:
        post = told_to_post(post, each)

    assert {mark.name for mark in post.state.marks} == slow_states(told)
    assert post.state.withheld == slow_withheld(told)


@pytest.mark.parametrize(
    ("denies", "frees", "state"),
    [
        (ChangeKind.DELETE, ChangeKind.UNDELETE, State.DELETED),
        (ChangeKind.PROTECT, ChangeKind.UNPROTECT, State.PROTECTED),
        (ChangeKind.SUSPEND, ChangeKind.UNSUSPEND, State.SUSPENDED),
        (ChangeKind.DEACTIVATE, ChangeKind.REACTIVATE, State.DEACTIVATED),
        (ChangeKind.MINOR, ChangeKind.ADULT, State.MINOR),
    ],
)
def test_c4_each_state_of_an_account_is_set_by_one_kind_of_change_and_cleared_by_another(
    denies: ChangeKind, frees: ChangeKind, state: State
) -> None:
    denied = a_subject(said(denies, NOON_US - 2))

    freed = told_to_subject(denied, said(frees, NOON_US - 1))

    assert states_of(denied) == state
    assert states_of(freed) == State(0)


@pytest.mark.parametrize(
    ("denies", "frees", "mark"),
    [
        (ChangeKind.DELETE, ChangeKind.UNDELETE, PostMark.DELETED),
        (ChangeKind.DENY, ChangeKind.UNDENY, PostMark.DENIED),
    ],
)
def test_c5_each_mark_of_a_post_is_set_by_one_kind_of_change_and_cleared_by_another(
    denies: ChangeKind, frees: ChangeKind, mark: PostMark
) -> None:
    denied = told_to_post(Post(), said(denies, NOON_US - 2))

    freed = told_to_post(denied, said(frees, NOON_US - 1))

    assert denied.state == PostState(mark)
    assert freed.state == PostState()


def test_c5_withheld_names_all_the_countries_from_then_on() -> None:
    subject = a_subject(said(ChangeKind.WITHHELD, 1, "DE"), said(ChangeKind.WITHHELD, 2, "FR"))
    post = told_to_post(Post(), said(ChangeKind.WITHHELD, 1, "DE"))

    nowhere = told_to_post(post, said(ChangeKind.WITHHELD, 2))

    assert subject.facts == some_facts(withheld=["FR"])
    assert post.state.withheld == frozenset({"DE"})
    assert nowhere.state == PostState()


@pytest.mark.parametrize("kind", [ChangeKind.PROTECT, ChangeKind.UNPROTECT])
def test_c4_a_change_without_a_time_is_of_now_also_where_it_was_so_before(kind: ChangeKind) -> None:
    opposite = ChangeKind.UNPROTECT if kind is ChangeKind.PROTECT else ChangeKind.PROTECT
    so_already = a_subject(said(kind, 50))

    still_so = subject_after(so_already, a_change(kind, at=None), 100)
    assert still_so is not None
    late = told_to_subject(still_so, said(opposite, 70))

    assert subject_after(still_so, a_change(kind, at=None), 100) is None
    assert states_of(late) == states_of(so_already)
    assert late == a_subject(said(kind, 50), said(opposite, 70), said(kind, 100))


def test_c5_a_change_of_a_post_without_a_time_is_of_now_also_where_it_was_so_before() -> None:
    denied = told_to_post(Post(), said(ChangeKind.DENY, 50))
    withheld = told_to_post(Post(), said(ChangeKind.WITHHELD, 50, "DE"))

    still_denied = post_after(denied, a_change(ChangeKind.DENY, at=None), 100)
    still_withheld = post_after(withheld, a_change(ChangeKind.WITHHELD, at=None, countries=["DE"]), 100)

    assert still_denied is not None
    assert still_withheld is not None
    assert told_to_post(still_denied, said(ChangeKind.UNDENY, 70)).state == PostState(PostMark.DENIED)
    assert told_to_post(still_withheld, said(ChangeKind.WITHHELD, 70)).state.withheld == frozenset({"DE"})


def test_c4_a_change_from_the_future_that_denies_is_of_now() -> None:
    deleted = subject_after(a_subject(), a_change(at=NOON_US + 9), NOON_US)
    marked = post_after(Post(), a_change(at=NOON_US + 9), NOON_US)
    withheld = post_after(Post(), a_change(ChangeKind.WITHHELD, NOON_US + 9, countries=["DE"]), NOON_US)

    assert deleted is not None
    assert deleted.times_us == {State.DELETED: NOON_US}
    assert marked is not None
    assert marked.times_us == {PostMark.DELETED: NOON_US}
    assert withheld is not None
    assert withheld.state.withheld == frozenset({"DE"})


@pytest.mark.parametrize("kind", [ChangeKind.UNDELETE, ChangeKind.WITHHELD])
def test_c4_a_change_from_the_future_that_frees_is_refused(kind: ChangeKind) -> None:
    subject = a_subject(said(ChangeKind.WITHHELD, 1, "DE"))
    post = told_to_post(Post(), said(ChangeKind.WITHHELD, 1, "DE"))

    with pytest.raises(Refusal) as of_subject:
        subject_after(subject, a_change(kind, NOON_US + 1), NOON_US)
    with pytest.raises(Refusal) as of_post:
        post_after(post, a_change(kind, NOON_US + 1), NOON_US)

    assert of_subject.value.reason == of_post.value.reason == "OCCURRED_IN_THE_FUTURE"


def test_c4_a_denying_change_of_someone_unknown_is_kept_to_hold_when_they_appear() -> None:
    deleted = subject_after(Subject(), a_change(at=5), NOON_US)
    assert deleted is not None

    described_later = subject_described(deleted, some_facts(), 6, NOON_US)
    described_earlier = subject_described(deleted, some_facts(), 4, NOON_US)

    assert not deleted.known
    assert described_later is not None
    assert described_later.facts == some_facts()
    assert described_earlier is not None
    assert described_earlier.facts == some_facts(states=State.DELETED)
    assert described_earlier.known


@given(orders(words_of(OF_SUBJECTS) | descriptions, distinct=False), st.randoms(use_true_random=False))
def test_c4_changes_of_someone_unknown_come_to_the_same_in_any_order(
    told: list[Told], chance: random.Random
) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    one, other = Subject(), Subject()

    for first, second in zip(told, shuffled, strict=True):
        one, other = told_to_subject(one, first), told_to_subject(other, second)

    assert one.facts == other.facts == slow_facts(told)
    assert one.known == any(isinstance(each.said, Facts) for each in told)


def test_c4_an_older_change_that_denies_someone_unknown_does_not_undo_a_later_one_that_frees() -> None:
    freed = told_to_subject(Subject(), said(ChangeKind.UNPROTECT, 70))

    late = told_to_subject(freed, said(ChangeKind.PROTECT, 50))
    described = told_to_subject(late, Told(40, some_facts()))

    assert not freed.known
    assert not late.known
    assert described.facts == some_facts()


def test_c4_what_denied_someone_unknown_can_be_taken_back() -> None:
    deleted = subject_after(Subject(), a_change(at=5), NOON_US)
    assert deleted is not None

    freed = subject_after(deleted, a_change(ChangeKind.UNDELETE, 6), NOON_US)

    assert freed is not None
    assert states_of(freed) == State(0)
    assert not freed.known


def test_c3_a_notice_that_was_served_stays_served_whenever_that_was() -> None:
    subject = a_subject(at=10)

    served = told_to_subject(subject, Told(5, a_change(ChangeKind.NOTICE_SERVED, 5, notice=OTHER_NOTICE)))

    assert served.facts == some_facts(notices=[NOTICE, OTHER_NOTICE])
    assert subject_after(served, a_change(ChangeKind.NOTICE_SERVED, 9, notice=NOTICE), NOON_US) is None


def test_c3_a_notice_served_to_someone_unknown_is_kept_for_when_they_appear() -> None:
    served = subject_after(Subject(), a_change(ChangeKind.NOTICE_SERVED, 5, notice=NOTICE), NOON_US)
    assert served is not None

    described = told_to_subject(served, Told(9, some_facts(notices=[OTHER_NOTICE])))

    assert not served.known
    assert described.facts == some_facts(notices=[NOTICE, OTHER_NOTICE])


def test_c3_no_notice_was_served_in_the_future() -> None:
    change = a_change(ChangeKind.NOTICE_SERVED, NOON_US + 1, notice=OTHER_NOTICE)

    with pytest.raises(Refusal) as refused:
        subject_after(a_subject(), change, NOON_US)

    assert refused.value.reason == "OCCURRED_IN_THE_FUTURE"


def test_so_many_notices_are_kept_and_no_more() -> None:
    full = some_facts(notices=[number.to_bytes(32) for number in range(MOST_NOTICES)])

    with pytest.raises(Refusal) as refused:
        subject_after(a_subject(facts=full), a_change(ChangeKind.NOTICE_SERVED, notice=NOTICE), NOON_US)

    assert refused.value.reason == "TOO_MANY_NOTICES"


def test_c11_nothing_is_taken_of_whoever_was_erased() -> None:
    erased = erased_subject(NOON_US, 5)

    with pytest.raises(Refusal) as changed:
        subject_after(erased, a_change(), NOON_US)
    with pytest.raises(Refusal) as described:
        subject_described(erased, some_facts(), None, NOON_US)

    assert changed.value.reason == described.value.reason == "SUBJECT_ERASED"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (a_change(ChangeKind.DENY), "CHANGE_NOT_OF_SUBJECT"),
        (a_change(ChangeKind.WITHHELD, countries=["Germany"]), "COUNTRY_INVALID"),
        (a_change(ChangeKind.WITHHELD, countries=["US-CA"]), "COUNTRY_INVALID"),
        (a_change(ChangeKind.NOTICE_SERVED, notice=b"short"), "NOTICE_DIGEST_INVALID"),
    ],
)
def test_a_change_that_no_account_has_is_refused(change: StateChange, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_subject_change(change)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (a_change(ChangeKind.SUSPEND), "CHANGE_NOT_OF_POST"),
        (a_change(ChangeKind.NOTICE_SERVED, notice=NOTICE), "CHANGE_NOT_OF_POST"),
        (a_change(ChangeKind.WITHHELD, countries=["de"]), "COUNTRY_INVALID"),
    ],
)
def test_a_change_that_no_post_has_is_refused(change: StateChange, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_post_change(change)

    assert refused.value.reason == reason


def test_every_change_is_of_accounts_or_posts() -> None:
    for kind in ChangeKind:
        change = a_change(kind, countries=["DE"], notice=NOTICE)
        if kind in OF_POSTS:
            check_post_change(change)
        if kind not in {ChangeKind.DENY, ChangeKind.UNDENY}:
            check_subject_change(change)
