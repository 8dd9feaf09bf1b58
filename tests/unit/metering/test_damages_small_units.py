"""D1: units much smaller than what is taken cost no more steps than there are times that a period can end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.damages.periods import Period
from services.metering.domain.damages.portions import posts_in
from services.metering.domain.damages.readings import EVERY_READING, Claims, Clause, Reading
from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US
from tests.support.damages import Listed, claimed

HUGE = 2**31 - 1


@pytest.mark.parametrize("reading", EVERY_READING, ids=str)
@pytest.mark.parametrize("unit", [1, 2, 1_000])
def test_accesses_of_very_many_posts_are_worked_out_at_once(reading: Reading, unit: int) -> None:
    clause = Clause(unit, unit, ROLLING_DAY_US)
    accesses = [(hour * HOUR_US, HUGE - hour) for hour in range(0, 60, 7)]
    steps = 0

    def go_on() -> None:
        nonlocal steps
        steps += 1
        assert steps < 1_000

    found = Claims(clause, Listed(accesses), 0, 10 * ROLLING_DAY_US, go_on).periods(reading)

    assert found == claimed(accesses, clause, reading)


@given(st.data())
def test_what_was_counted_in_periods_is_told_for_each(data: st.DataObject) -> None:
    steps = st.sampled_from([1, SECOND_US // 2, SECOND_US, MINUTE_US, HOUR_US - 1, HOUR_US, 3 * HOUR_US])
    edges = [data.draw(st.integers(0, 2 * HOUR_US))]
    for step in data.draw(st.lists(steps, min_size=1, max_size=9)):
        edges.append(edges[-1] + step)
    near = st.sampled_from(edges).map(lambda edge: max(0, edge - 1))
    times = st.one_of(st.integers(0, edges[-1] + HOUR_US), near, st.sampled_from(edges))
    accesses = data.draw(st.lists(st.tuples(times, st.integers(1, 9)), max_size=20))
    ranges = list(zip(edges[::2], edges[1::2], strict=False))
    periods = [Period(first, end, 0) for first, end in ranges]

    posts = posts_in(Listed(accesses), periods)

    assert posts.tolist() == [
        sum(count for at, count in accesses if first <= at < end) for first, end in ranges
    ]
