"""Sums of decisions: cells add up whatever the parts, and a fault of counting ends nothing."""

import asyncio
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import unavailable
from services.licensing import statistics
from services.licensing.domain.releases import Outcome
from services.licensing.domain.statistics import Counted, Stretch, cells_of, rows_of, widened
from services.licensing.statistics import Counting, Sums
from tests.support.clock import NOON_US
from tests.support.waiting import PATIENCE_SECONDS

DAY_US = int(Stretch.DAY)
counted = st.builds(
    Counted,
    st.integers(NOON_US, NOON_US + 2 * DAY_US),
    st.sampled_from(["acme", "beta"]),
    st.sampled_from([2, 5]),
    st.sampled_from(list(map(int, Outcome))),
    st.lists(st.sampled_from([1, 10, 46]), min_size=1, max_size=5).map(lambda each: np.array(each, np.uint8)),
)


@given(decisions=st.lists(counted, max_size=12), cut=st.integers(0, 12), stretch=st.sampled_from(Stretch))
def test_parts_add_up_to_the_whole_and_minutes_to_any_stretch(
    decisions: list[Counted], cut: int, stretch: Stretch
) -> None:
    minutes = cells_of(decisions[:cut], Stretch.MINUTE) + cells_of(decisions[cut:], Stretch.MINUTE)

    assert widened(minutes, stretch) == cells_of(decisions, stretch)


@given(decisions=st.lists(counted, max_size=12))
def test_rows_are_in_order_and_lose_nothing(decisions: list[Counted]) -> None:
    rows = rows_of(cells_of(decisions, Stretch.HOUR))

    assert [row.place for row in rows] == sorted({row.place for row in rows})
    assert sum(row.decisions.total() for row in rows) == len(decisions)
    assert sum(row.posts.total() for row in rows) == sum(len(each.reasons) for each in decisions)


@pytest.mark.parametrize("stretch", Stretch)
def test_a_stretch_begins_at_or_before_a_time_and_ends_at_or_after_it(stretch: Stretch) -> None:
    begin = stretch.begin(NOON_US)

    assert begin <= NOON_US < begin + stretch
    assert begin % stretch == 0
    assert stretch.end(begin) == begin
    assert stretch.end(begin + 1) == begin + stretch


class FaultySums:
    """Fails in one way and another, then counts once, and then has nothing more to do."""

    def __init__(self) -> None:
        self.looks = 0
        self.rested = asyncio.Event()

    async def advance(self) -> bool:
        self.looks += 1
        match self.looks:
            case 1:
                raise unavailable("DATABASE_UNAVAILABLE", "the database is away")
            case 2:
                raise LookupError("a defect")
            case 3:
                return True
        self.rested.set()
        return False


async def test_a_fault_of_counting_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "EVERY_SECONDS", 0)
    monkeypatch.setattr(statistics, "AFTER_FAULT_SECONDS", 0)
    sums = FaultySums()
    running = asyncio.create_task(Counting(cast(Sums, sums)).run())

    await asyncio.wait_for(sums.rested.wait(), PATIENCE_SECONDS)

    assert not running.done()
    running.cancel()
