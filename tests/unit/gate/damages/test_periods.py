"""D1: the periods that the verifier finds, against trying everything and against metering's own search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.damages.readings import EVERY_READING, Claims, Clause, Reading
from sluice_gate.damages import shorter
from sluice_gate.damages.counting import Counted, Period, counted
from sluice_gate.damages.periods import OVERLAPS, periods_of
from sluice_gate.damages.tariffs import ROUNDINGS, Tariff
from tests.support.damages import Accesses, Listed, claimed

SECOND_US = 1_000_000
END_US = 400 * 86_400 * SECOND_US


def quiet(what: str, done: int, of: int) -> None:
    """Progress that nobody looks at."""


def summed(accesses: Accesses) -> Counted:
    ordered = sorted(accesses)
    return counted(
        np.array([at_us for at_us, _ in ordered], np.int64),
        np.array([posts for _, posts in ordered], np.int64),
    )


def found(accesses: Accesses, clause: Clause, reading: Reading) -> list[tuple[int, int, int]]:
    tariff = Tariff(clause.threshold, clause.unit, reading.rounding.name)
    periods = periods_of(summed(accesses), tariff, reading.overlap.name, clause.window_us, quiet)
    return [(period.since_us, period.until_us, period.posts) for period in periods]


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    return Clause(
        draw(st.integers(0, 30)),
        draw(st.integers(1, 30)),
        draw(st.sampled_from([1, 3, 60, 86_400])) * SECOND_US,
    )


@st.composite
def histories(draw: st.DrawFn, window_us: int) -> Accesses:
    """Accesses some of which lie a window apart, or just not."""
    steps = st.one_of(
        st.integers(0, 2 * window_us),
        st.sampled_from([0, 1, window_us - 1, window_us, window_us // 2, window_us // 7]),
    )
    at_us = draw(st.integers(0, 86_400 * SECOND_US))
    accesses = []
    for _ in range(draw(st.integers(0, 14))):
        at_us += draw(steps)
        accesses.append((at_us, draw(st.integers(1, 12))))
    return accesses


@pytest.mark.parametrize("reading", EVERY_READING, ids=str)
@given(data=st.data())
def test_the_periods_are_those_of_trying_everything_and_those_that_metering_finds(
    reading: Reading, data: st.DataObject
) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))

    periods = found(accesses, clause, reading)

    of_metering = Claims(clause, Listed(accesses), 0, END_US).periods(reading)
    assert periods == [
        (each.since_us, each.until_us, each.posts) for each in claimed(accesses, clause, reading)
    ]
    assert periods == [(each.since_us, each.until_us, each.posts) for each in of_metering]


@pytest.mark.parametrize("reading", EVERY_READING, ids=str)
@given(data=st.data(), factor=st.sampled_from([10**6, 10**12, 5 * 10**15]))
def test_numbers_too_large_for_a_machine_word_change_nothing(
    reading: Reading, data: st.DataObject, factor: int
) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))
    large = Clause(clause.threshold * factor, clause.unit * factor, clause.window_us)

    periods = found([(at_us, posts * factor) for at_us, posts in accesses], large, reading)

    expected = claimed([(at_us, posts * factor) for at_us, posts in accesses], large, reading)
    assert periods == [(each.since_us, each.until_us, each.posts) for each in expected]


@pytest.mark.parametrize("reading", EVERY_READING, ids=str)
@pytest.mark.parametrize("clause", [Clause(700, 400, 3_600 * SECOND_US), Clause(40, 7, 600 * SECOND_US)])
def test_many_times_give_what_metering_finds(reading: Reading, clause: Clause) -> None:
    random = np.random.default_rng(7)
    times = np.sort(random.integers(0, 86_400 * SECOND_US, 3_000))
    accesses = list(zip(times.tolist(), random.integers(1, 9, 3_000).tolist(), strict=True))

    periods = found(accesses, clause, reading)

    of_metering = Claims(clause, Listed(accesses), 0, END_US).periods(reading)
    assert periods == [(each.since_us, each.until_us, each.posts) for each in of_metering]


@pytest.mark.parametrize("reading", EVERY_READING, ids=str)
@pytest.mark.parametrize("clause", [Clause(0, 2, 3_600 * SECOND_US), Clause(90, 70, 3_600 * SECOND_US)])
def test_however_few_ways_are_tried_at_once_the_periods_are_the_same(
    monkeypatch: pytest.MonkeyPatch, reading: Reading, clause: Clause
) -> None:
    random = np.random.default_rng(11)
    times = np.sort(random.integers(0, 40_000 * SECOND_US, 300))
    accesses = list(zip(times.tolist(), random.integers(1, 40, 300).tolist(), strict=True))
    monkeypatch.setattr(shorter, "_BATCH", 7)

    periods = found(accesses, clause, reading)

    of_metering = Claims(clause, Listed(accesses), 0, END_US).periods(reading)
    assert periods == [(each.since_us, each.until_us, each.posts) for each in of_metering]


@pytest.mark.parametrize("rounding", ["WHOLE_UNITS", "STARTED_UNITS"])
def test_the_posts_of_a_row_do_not_say_how_long_periods_take_to_find(rounding: str) -> None:
    # By units, each of these times would take 2^57 steps.
    accesses = [(0, 2**58), (SECOND_US, 2**58), (90_000 * SECOND_US, 2**58)]
    tariff = Tariff(0, 2, rounding)

    periods = periods_of(summed(accesses), tariff, "SHORTER_ALLOWED", 86_400 * SECOND_US, quiet)

    assert periods == [
        Period(0, 86_400 * SECOND_US, 2**59),
        Period(90_000 * SECOND_US, 176_400 * SECOND_US, 2**58),
    ]


def test_how_far_shorter_periods_are_is_told_before_a_block_of_times_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A period needs 10 times, and no start of 10 needs what follows another: they are one block.
    accesses = [(at_us, 1) for at_us in range(100)]
    monkeypatch.setattr(shorter, "_BATCH", 10)
    told: list[tuple[int, int]] = []

    periods_of(
        summed(accesses),
        Tariff(9, 3, "WHOLE_UNITS"),
        "SHORTER_ALLOWED",
        30,
        lambda _, done, of: told.append((done, of)),
    )

    assert len(set(told)) > 30
    assert told == sorted(told)
    assert told[-1] == (91, 91)


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_where_nothing_counts_nothing_is_claimed(overlap: str, rounding: str) -> None:
    assert periods_of(summed([]), Tariff(0, 1, rounding), overlap, SECOND_US, quiet) == []


def test_what_was_taken_back_at_its_own_time_does_not_count_and_starts_nothing() -> None:
    accesses = [(10, 5), (10, -5), (20, 7)]

    periods = periods_of(summed(accesses), Tariff(5, 1, "PRO_RATA"), "DISJOINT", 1_000, quiet)

    assert periods == [Period(20, 1_020, 7)]
