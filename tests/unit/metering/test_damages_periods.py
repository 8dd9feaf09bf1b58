"""D1: the periods that are claimed, under each reading, against trying everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.damages.readings import (
    EVERY_READING,
    Claims,
    Clause,
    Overlap,
    Reading,
)
from services.metering.domain.damages.tariffs import Rounding
from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US
from tests.support.damages import Accesses, Listed, claimed

MILLION = 1_000_000
X = Clause(threshold=MILLION, unit=MILLION, window_us=ROLLING_DAY_US)
END_US = 400 * ROLLING_DAY_US
DEFAULT = Reading(Overlap.DISJOINT, Rounding.WHOLE_UNITS)
SHORTER = Reading(Overlap.SHORTER_ALLOWED, Rounding.WHOLE_UNITS)
DAYS = Reading(Overlap.CALENDAR_DAYS, Rounding.WHOLE_UNITS)


def at(seconds: float, posts: int) -> tuple[int, int]:
    return round(seconds * SECOND_US), posts


def units(accesses: Accesses, reading: Reading = DEFAULT) -> list[int]:
    """Units of each period."""
    periods = Claims(X, Listed(accesses), 0, END_US).periods(reading)
    return [X.tariff(reading.rounding).worth_of(period.posts) for period in periods]


@pytest.mark.parametrize(
    ("posts", "rounding", "worth"),
    [
        (1_000_000, Rounding.WHOLE_UNITS, []),
        (1_000_001, Rounding.WHOLE_UNITS, [1]),
        (1_999_999, Rounding.WHOLE_UNITS, [1]),
        (1_999_999, Rounding.STARTED_UNITS, [2]),
        (1_999_999, Rounding.PRO_RATA, [1_999_999]),
        (1_999_999, Rounding.EXCESS_ONLY, [999_999]),
    ],
)
def test_strictly_more_than_the_threshold_is_a_breach(
    posts: int, rounding: Rounding, worth: list[int]
) -> None:
    assert units([at(0, posts)], Reading(Overlap.DISJOINT, rounding)) == worth


def test_ten_million_in_an_hour_are_ten_units() -> None:
    assert units([at(second, 2_500) for second in range(0, 3_600, 1)] + [at(3_599, 1_000_000)]) == [10]


@pytest.mark.parametrize(
    ("first", "second", "breach"),
    [(0, 86_399, True), (0, 86_400, False), (0.5, 86_400.4, True), (0.5, 86_400.5, False)],
)
def test_a_window_is_exact_to_the_microsecond(first: float, second: float, breach: bool) -> None:
    assert units([at(first, 600_000), at(second, 600_000)]) == ([1] if breach else [])


def test_periods_of_one_set_do_not_overlap() -> None:
    assert units([at(hour * 3_600, 700_000) for hour in (0, 12, 24, 36)]) == [1, 1]


@pytest.mark.parametrize("skipped", [0, 1])
def test_the_best_set_is_found_where_cutting_greedily_finds_less(skipped: int) -> None:
    accesses = [at(0, 100_000), at(80_000, 1_400_000), at(100_000, 1_600_000)]

    assert sum(units(accesses[skipped:])) == 3


def test_shorter_periods_find_more_where_they_are_allowed() -> None:
    accesses = [at(hour * 3_600, 600_000) for hour in (0, 23, 24, 26, 27, 50)]

    assert (sum(units(accesses)), sum(units(accesses, SHORTER))) == (2, 3)


def test_a_window_over_midnight_is_no_breach_by_calendar_day() -> None:
    accesses = [at(23 * 3_600, 600_000), at(25 * 3_600, 600_000)]

    assert (units(accesses), units(accesses, DAYS)) == ([1], [])


WINDOWS_US = [SECOND_US, 7 * SECOND_US, MINUTE_US, HOUR_US, 3 * HOUR_US, ROLLING_DAY_US]


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    window_us = draw(st.sampled_from(WINDOWS_US))
    return Clause(draw(st.integers(1, 20)), draw(st.integers(1, 12)), window_us)


@st.composite
def histories(draw: st.DrawFn, window_us: int, most: int = 14) -> Accesses:
    """Accesses some of which lie a window apart, or just not."""
    steps = st.one_of(
        st.integers(0, 2 * window_us),
        st.sampled_from([0, 1, window_us - 1, window_us, window_us // 2, SECOND_US, SECOND_US // 2]),
    )
    at_us = draw(st.integers(0, ROLLING_DAY_US))
    accesses = []
    for _ in range(draw(st.integers(0, most))):
        at_us += draw(steps)
        accesses.append((at_us, draw(st.integers(1, 12))))
    return draw(st.permutations(accesses))


@pytest.mark.parametrize("reading", EVERY_READING, ids=str)
@given(data=st.data())
def test_the_periods_are_those_of_trying_everything(reading: Reading, data: st.DataObject) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))

    found = Claims(clause, Listed(accesses), 0, END_US).periods(reading)

    assert found == claimed(accesses, clause, reading)


@given(data=st.data())
def test_readings_do_not_disturb_one_another(data: st.DataObject) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))
    readings = data.draw(st.permutations(EVERY_READING))

    claims = Claims(clause, Listed(accesses), 0, END_US)

    for reading in readings:
        assert claims.periods(reading) == claimed(accesses, clause, reading)


@given(data=st.data(), shift=st.integers(0, 10**15))
def test_shifting_all_times_shifts_only_times(data: st.DataObject, shift: int) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))
    reading = data.draw(
        st.sampled_from([each for each in EVERY_READING if each.overlap is not Overlap.CALENDAR_DAYS])
    )

    shifted = Claims(clause, Listed([(at_us + shift, posts) for at_us, posts in accesses]), 0, 2**60).periods(
        reading
    )

    here = Claims(clause, Listed(accesses), 0, 2**60).periods(reading)
    assert [(each.since_us - shift, each.until_us - shift, each.posts) for each in shifted] == [
        (each.since_us, each.until_us, each.posts) for each in here
    ]


@given(data=st.data())
def test_one_more_access_never_lowers_the_default_total(data: st.DataObject) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))
    rounding = data.draw(st.sampled_from(Rounding))
    added = (data.draw(st.integers(0, 30 * clause.window_us)), data.draw(st.integers(1, 30)))

    def total(of: Accesses) -> int:
        periods = Claims(clause, Listed(of), 0, END_US).periods(Reading(Overlap.DISJOINT, rounding))
        return sum(clause.tariff(rounding).worth_of(period.posts) for period in periods)

    assert total([*accesses, added]) >= total(accesses)


@given(data=st.data())
def test_what_lies_outside_of_the_range_is_not_claimed(data: st.DataObject) -> None:
    clause = data.draw(clauses())
    accesses = data.draw(histories(clause.window_us))
    since_us, until_us = sorted(
        data.draw(st.lists(st.integers(0, 20 * clause.window_us), min_size=2, max_size=2))
    )
    reading = data.draw(st.sampled_from(EVERY_READING))

    found = Claims(clause, Listed(accesses), since_us, until_us).periods(reading)

    assert found == claimed([each for each in accesses if since_us <= each[0] < until_us], clause, reading)


def test_few_single_times_are_read_where_seconds_leave_no_doubt() -> None:
    accesses = [(second * SECOND_US + 17 * second % 1_000, 90) for second in range(0, 100_000)]
    listed = Listed(accesses)

    Claims(X, listed, 0, END_US).periods(DEFAULT)

    assert 0 < listed.read < 1_000
