"""C3 and C4: descriptions of whole subjects beside single changes of them, early, late and again."""

from dataclasses import replace

import pytest

from services.chassis.refusals import Refusal
from services.consent.domain.state_changes import ChangeKind, subject_described
from services.consent.domain.subjects import MOST_NOTICES, Facts, State, Subject, check_facts
from tests.support.clock import NOON_US
from tests.support.consent import NOTICE, OTHER_NOTICE, a_change, some_facts
from tests.support.consent_told import a_subject, said, states_of, told_to_subject
from tests.support.consent_truth import Told


def test_c4_a_description_is_overtaken_by_changes_that_are_later_and_by_no_earlier_ones() -> None:
    subject = a_subject(said(ChangeKind.DELETE, 20), said(ChangeKind.SUSPEND, 10))

    described = told_to_subject(subject, Told(15, some_facts("DE")))

    assert described.facts == some_facts("DE", states=State.DELETED)
    assert told_to_subject(described, said(ChangeKind.UNDELETE, 14)) == described


def test_c4_a_change_at_the_time_of_a_description_holds_when_that_comes_again() -> None:
    description = Told(15, some_facts("DE"))
    subject = a_subject(description, said(ChangeKind.DELETE, 15))

    again = told_to_subject(subject, description)

    assert states_of(subject) == states_of(again) == State.DELETED


def test_c4_a_description_that_is_older_than_the_last_one_changes_nothing() -> None:
    subject = a_subject(facts=some_facts("DE"), at=10)

    assert subject_described(subject, some_facts("FR"), 9, NOON_US) is None


@pytest.mark.parametrize("states", [State.MINOR, State(0)])
def test_c4_a_description_without_a_time_is_of_now_also_where_it_was_so_before(states: State) -> None:
    said_before = some_facts("DE", states=states)
    subject = a_subject(facts=said_before, at=10)

    same = subject_described(subject, said_before, None, 100)
    assert same is not None
    late = told_to_subject(same, Told(70, some_facts("US", states=State.MINOR ^ states)))

    assert subject_described(same, said_before, None, 100) is None
    assert late.facts == said_before


def test_c4_of_descriptions_of_the_same_time_the_one_that_denies_holds_and_they_change_nothing_again() -> (
    None
):
    rows = [
        Told(50, some_facts("US", states=State.MINOR, withheld=["DE"])),
        Told(50, some_facts("DE", states=State.SUSPENDED, withheld=["FR"])),
        Told(50, some_facts("US")),
    ]

    first, backwards = a_subject(*rows), a_subject(*reversed(rows))
    again = [told_to_subject(first, row) for row in rows]

    both = State.MINOR | State.SUSPENDED
    assert first.facts == some_facts("DE", states=both, withheld=["DE", "FR"])
    assert backwards == first
    assert all(each is first for each in again)


@pytest.mark.parametrize(
    "freeing",
    [
        some_facts("US", states=State.MINOR),
        some_facts("DE", states=State.MINOR | State.DELETED),
        some_facts("US", states=State.DELETED, withheld=["FR"]),
        some_facts("US", states=State.MINOR | State.DELETED, withheld=["FR"], notices=[NOTICE, OTHER_NOTICE]),
    ],
)
def test_c4_a_description_from_the_future_that_could_only_free_is_refused(freeing: Facts) -> None:
    denied = some_facts("US", states=State.MINOR | State.DELETED, withheld=["FR"])

    with pytest.raises(Refusal) as refused:
        subject_described(a_subject(facts=denied), freeing, NOON_US + 1, NOON_US)

    assert refused.value.reason == "OCCURRED_IN_THE_FUTURE"


def test_c4_nobody_becomes_known_by_a_description_from_the_future() -> None:
    with pytest.raises(Refusal) as refused:
        subject_described(Subject(), some_facts(), NOON_US + 1, NOON_US)
    minor = subject_described(Subject(), some_facts(states=State.MINOR), NOON_US + 1, NOON_US)

    assert refused.value.reason == "OCCURRED_IN_THE_FUTURE"
    assert minor is not None
    assert not minor.known
    assert states_of(told_to_subject(minor, Told(5, some_facts()))) == State.MINOR


def test_c4_of_a_description_from_the_future_what_denies_is_taken_as_of_now_and_nothing_else() -> None:
    subject = a_subject(facts=some_facts("US", states=State.MINOR, withheld=["FR"]), at=10)
    foretold = some_facts("DE", states=State.DELETED, withheld=["DE"], notices=[OTHER_NOTICE])

    denied = subject_described(subject, foretold, NOON_US + 5, NOON_US)
    assert denied is not None

    assert denied.facts == some_facts("US", states=State.MINOR | State.DELETED, withheld=["DE", "FR"])
    assert states_of(told_to_subject(denied, said(ChangeKind.UNDELETE, NOON_US - 1))) == states_of(denied)


def test_a_description_from_the_future_that_says_what_is_known_changes_nothing() -> None:
    assert subject_described(a_subject(), some_facts(), NOON_US + 5, NOON_US) is None


@pytest.mark.parametrize("at", [5, 10, 15])
def test_c3_a_description_takes_no_notice_away_and_an_older_one_brings_its_own(at: int) -> None:
    subject = a_subject(Told(8, a_change(ChangeKind.NOTICE_SERVED, 8, notice=NOTICE)), at=10)

    described = told_to_subject(subject, Told(at, some_facts(notices=[OTHER_NOTICE])))

    assert described.facts == some_facts(notices=[NOTICE, OTHER_NOTICE])


def test_c4_a_description_that_denies_is_taken_however_many_notices_there_are() -> None:
    full = some_facts(notices=[number.to_bytes(32) for number in range(MOST_NOTICES)])
    minor = some_facts(states=State.MINOR, notices=[NOTICE])

    described = subject_described(a_subject(facts=full), minor, 5, NOON_US)

    assert described is not None
    assert described.facts == minor


def test_a_description_is_withheld_in_countries_alone() -> None:
    check_facts(some_facts(withheld=["DE", "FR"]))

    with pytest.raises(Refusal) as refused:
        check_facts(replace(some_facts(), withheld=frozenset({"DE-BE"})))

    assert refused.value.reason == "COUNTRY_INVALID"
