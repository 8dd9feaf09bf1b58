"""M1: the fullest windows found by sums are those found in all moments, however long the window is."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metering.domain import fullest as kernel
from services.metering.domain.fullest import fullest, reach_us, union
from services.metering.domain.peaks import Ints, Peak, peaks
from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US

START_US = 1_700_000_000_000_000


@dataclass
class Kept:
    """What was counted, in memory; it keeps count of the moments that were looked at."""

    counted: dict[int, int]
    moments_read: int = field(default=0)

    def sums(self, span_us: int, since_us: Ints, until_us: Ints) -> tuple[Ints, Ints]:
        assert not (since_us % span_us).any()
        assert not (until_us % span_us).any()
        found: dict[int, int] = {}
        for time, posts in self._within(since_us, until_us):
            found[time // span_us * span_us] = found.get(time // span_us * span_us, 0) + posts
        return columns(found)

    def moments(self, since_us: Ints, until_us: Ints) -> tuple[Ints, Ints]:
        found = dict(self._within(since_us, until_us))
        self.moments_read += len(found)
        return columns(found)

    def _within(self, since_us: Ints, until_us: Ints) -> Iterable[tuple[int, int]]:
        assert (since_us < until_us).all()
        assert (until_us[:-1] < since_us[1:]).all()
        for time, posts in self.counted.items():
            place = int(np.searchsorted(since_us, time, side="right")) - 1
            if place >= 0 and time < until_us[place]:
                yield time, posts


def columns(found: dict[int, int]) -> tuple[Ints, Ints]:
    times = sorted(found)
    return np.array(times, np.int64), np.array([found[time] for time in times], np.int64)


def of_all_moments(counted: dict[int, int], window_us: int, bounds_us: list[int]) -> list[Peak]:
    return peaks(*columns(counted), window_us, np.array(bounds_us, np.int64))


def found(counted: dict[int, int], window_us: int, bounds_us: list[int]) -> list[Peak]:
    return fullest(Kept(counted), window_us, np.array(bounds_us, np.int64))


OFFSETS = st.one_of(
    st.integers(0, 3 * HOUR_US),
    st.integers(0, 12).map(lambda n: n * HOUR_US),
    st.integers(0, 300).map(lambda n: n * MINUTE_US),
    st.integers(0, 4_000).map(lambda n: n * SECOND_US),
    st.integers(0, 50),
    st.tuples(st.integers(0, 200), st.sampled_from((-1, 0, 1))).map(lambda n: n[0] * MINUTE_US + n[1]),
)
TIMES = OFFSETS.map(lambda offset: START_US + offset)
LENGTHS = st.one_of(
    st.sampled_from((1, 2, SECOND_US - 1, SECOND_US, SECOND_US + 1, MINUTE_US, HOUR_US, ROLLING_DAY_US)),
    st.integers(1, 100),
    st.integers(1, 5 * SECOND_US),
    st.integers(1, 5 * HOUR_US),
    st.integers(1, 8).map(lambda n: n * MINUTE_US),
)


@pytest.fixture(params=[None, 3])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many candidates at once as there are, or few."""
    if request.param:
        monkeypatch.setattr(kernel, "FIRST_AT_ONCE", 1)
        monkeypatch.setattr(kernel, "MOST_AT_ONCE", request.param)
        monkeypatch.setattr(kernel, "POSTS_AT_ONCE", request.param)


@pytest.mark.usefixtures("at_once")
def test_m1_peaks_found_by_sums_are_those_of_all_moments() -> None:
    @settings(deadline=None)
    @given(
        counted=st.dictionaries(TIMES, st.integers(0, 3), max_size=60),
        window_us=LENGTHS,
        bounds_us=st.lists(TIMES, min_size=2, max_size=12, unique=True).map(sorted),
    )
    def check(counted: dict[int, int], window_us: int, bounds_us: list[int]) -> None:
        assert found(counted, window_us, bounds_us) == of_all_moments(counted, window_us, bounds_us)

    check()


@pytest.mark.usefixtures("at_once")
def test_m1_of_windows_that_are_equally_full_the_earliest_is_found() -> None:
    @settings(deadline=None)
    @given(
        step_us=st.sampled_from((1, 7, SECOND_US, 90 * SECOND_US, MINUTE_US, 25 * MINUTE_US, HOUR_US)),
        begin_us=st.sampled_from((0, 1, SECOND_US - 1, HOUR_US - 1)),
        count=st.integers(1, 80),
        window_us=LENGTHS,
        parts=st.integers(1, 5),
    )
    def check(step_us: int, begin_us: int, count: int, window_us: int, parts: int) -> None:
        first = START_US + begin_us
        counted = {first + n * step_us: 1 for n in range(count)}
        bounds = sorted({first - 1 + count * step_us * part // parts for part in range(parts + 1)})
        assert found(counted, window_us, bounds) == of_all_moments(counted, window_us, bounds)

    check()


def test_of_many_moments_few_are_looked_at() -> None:
    chance = np.random.default_rng(5)
    times = chance.integers(START_US, START_US + HOUR_US, 40_000).tolist()
    counted = {time: 1 + time % 9 for time in times}

    for window_us in (MINUTE_US, 7 * MINUTE_US + 123, HOUR_US):
        kept = Kept(counted)
        bounds = np.array([START_US - 1, START_US + HOUR_US])
        assert fullest(kept, window_us, bounds) == of_all_moments(counted, window_us, bounds.tolist())
        assert kept.moments_read < len(counted) / 4


def test_nothing_is_looked_at_more_closely_where_nothing_was_counted() -> None:
    kept = Kept({})

    assert fullest(kept, HOUR_US, np.array([START_US, START_US + 5])) == [
        Peak(START_US, START_US + 5, 0, None)
    ]


def test_the_reach_of_a_search_is_whole_hours() -> None:
    since_us, until_us = reach_us(HOUR_US + 1, np.array([5 * HOUR_US + 7, 6 * HOUR_US]))

    assert (since_us + 1, until_us + 1) == (4 * HOUR_US, 7 * HOUR_US)


def test_ranges_that_meet_are_one() -> None:
    since, until = union(np.array([5, 0, 9, 3, 7]), np.array([6, 2, 9, 5, 8]))

    assert (since.tolist(), until.tolist()) == ([0, 3, 7], [2, 6, 8])
