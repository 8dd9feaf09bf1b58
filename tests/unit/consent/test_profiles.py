"""Profiles as columns: what they say, what they cost, and that they hold nobody up."""

import asyncio
import threading
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.consent.domain.choices import Choice, Standing, standing_of
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Policy
from services.consent.domain.subjects import Profile
from services.consent.domain.verdicts import NO_HALTS, Question, Reason, purposes_of
from services.consent.places import Places
from services.consent.profiles import REMEMBERED_QUESTIONS, Answers, Profiles
from services.consent.standings import Standings
from tests.support.consent import a_deny, a_policy, a_question, an_allow, some_facts
from tests.support.consent_worlds import histories, questions

crowds = st.lists(histories(), min_size=1, max_size=12)


class Watched(Profiles):
    """Notes each time that an answer is compiled: in which thread, and for how many profiles."""

    def __init__(self) -> None:
        super().__init__()
        self.compiled: list[tuple[bool, int]] = []

    def answer(
        self, question: Question, policy: Policy | None, halts: frozenset[HaltScope], span: range
    ) -> NDArray[np.uint8]:
        self.compiled.append((threading.current_thread() is threading.main_thread(), len(span)))
        return super().answer(question, policy, halts, span)


def standings_of(crowd: Sequence[Sequence[Choice]]) -> list[Standing]:
    return [standing_of(said) for said in crowd]


@given(crowds, questions, st.data())
def test_c2_c7_standings_say_together_what_each_says_alone(
    crowd: list[list[Choice]], question: Question, data: st.DataObject
) -> None:
    standings, columns = standings_of(crowd), Standings()
    first = data.draw(st.integers(0, len(crowd) - 1))
    columns.extend(standings[:first])
    columns.extend(standings[first:])

    for purpose, asked in purposes_of(question.purpose):
        said = columns.says(question.licensee, purpose, asked, range(first, len(crowd)))

        assert said.tolist() == [each.says(question.licensee, purpose, asked) for each in standings[first:]]


@given(crowds, questions, st.data())
def test_c2_standings_that_are_kept_say_the_same(
    crowd: list[list[Choice]], question: Question, data: st.DataObject
) -> None:
    standings, columns = standings_of(crowd), Standings()
    columns.extend(standings)
    used = data.draw(st.lists(st.booleans(), min_size=len(crowd), max_size=len(crowd)))

    kept = columns.kept(np.array(used, np.bool_))
    kept.extend(standings)

    left = [each for each, is_used in zip(standings, used, strict=True) if is_used] + standings
    for purpose, asked in purposes_of(question.purpose):
        said = kept.says(question.licensee, purpose, asked, range(len(left)))
        assert said.tolist() == [each.says(question.licensee, purpose, asked) for each in left]


def test_standings_that_nobody_shares_take_little_room() -> None:
    many = {
        number: Profile(
            some_facts(), standing_of([a_deny(1, 1, f"licensee-{number % 97}"), a_deny(1, 2, "", number % 7),
                                       an_allow(2, 3, f"licensee-{number % 89}")])
        )
        for number in range(1, 20_001)
    }  # fmt: skip
    tracemalloc.start()

    places = Places(Profiles())
    places.add(many)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert len(places.profiles) == 20_001
    assert kept / len(many) < 80


def test_c12_a_halt_of_no_jurisdiction_has_nothing_compiled_again() -> None:
    profiles = Watched()
    profiles.add(Profile(some_facts()))
    answers = Answers(profiles)
    of_another = frozenset({HaltScope(HaltKind.LICENSEE, "other"), HaltScope(HaltKind.PURPOSE, "6")})
    of_germany = frozenset({HaltScope(HaltKind.JURISDICTION, "DE")})

    for halts in (NO_HALTS, of_another, of_germany, of_another | of_germany):
        answers.to(a_question(), a_policy(), halts)

    assert len(profiles.compiled) == 2


async def test_c9_an_answer_over_many_profiles_is_compiled_once_and_beside_the_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.consent.profiles.COMPILED_AT_ONCE", 10)
    profiles, asked = Watched(), (a_question(), a_policy(), NO_HALTS)
    profiles.add(*[Profile(some_facts())] * 100)
    answers = Answers(profiles)

    await asyncio.gather(*(answers.prepare(*asked) for _ in range(3)))
    answered = answers.to(*asked)
    profiles.add(Profile(some_facts("DE")))
    await answers.prepare(*asked)

    assert profiles.compiled == [(False, 101)]
    assert answered.tolist() == [Reason.SUBJECT_UNKNOWN, *[Reason.ALLOWED] * 100]
    assert len(answers.to(*asked)) == 102
    assert profiles.compiled[1:] == [(True, 1)]


def test_answers_over_many_profiles_are_remembered_for_fewer_questions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.consent.profiles.REMEMBERED_BYTES", 1_000)
    profiles = Watched()
    profiles.add(*[Profile(some_facts())] * 499)
    answers = Answers(profiles)

    for licensee in ("one", "two", "three", "two", "one"):
        answers.to(a_question(licensee), a_policy(), NO_HALTS)

    assert REMEMBERED_QUESTIONS > 2
    assert len(profiles.compiled) == 4


def test_profiles_that_come_in_no_order_are_found() -> None:
    places = Places(Profiles())
    of = {number: Profile(some_facts(), standing_of([a_deny(1, 1, f"l-{number}")])) for number in range(1, 9)}

    for some in ((5, 2), (8,), (1, 3, 5), (-4,)):
        places.add({number: of.get(number, Profile(None)) for number in some})

    assert places.of(np.array([2, 5, 8, 1, 3, -4, 2], np.int64)).tolist() == [1, 2, 3, 4, 5, 6, 1]
    with pytest.raises(ValueError, match="does not know"):
        places.of(np.array([2, 4], np.int64))
