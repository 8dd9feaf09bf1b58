"""M1: the fullest rolling window is that of a brute-force search; and a stretch of time is its pieces."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.peaks import Peak, equal_parts, peaks
from services.metering.domain.projections import SPANS_US, Piece, pieces
from services.metering.domain.windows import HOUR_US, MINUTE_US, SECOND_US


def brute(counted: dict[int, int], window_us: int, since_us: int, until_us: int) -> Peak:
    """Looks at every window that ends in (since, until]."""
    best, at_us = 0, None
    for end_us in range(since_us + 1, until_us + 1):
        posts = sum(n for time, n in counted.items() if end_us - window_us < time <= end_us)
        if posts > best:
            best, at_us = posts, end_us
    return Peak(since_us, until_us, best, at_us)


def found(counted: dict[int, int], window_us: int, bounds_us: list[int]) -> list[Peak]:
    times = sorted(time for time in counted if bounds_us[0] - window_us < time <= bounds_us[-1])
    posts = [counted[time] for time in times]
    return peaks(
        np.array(times, np.int64), np.array(posts, np.int64), window_us, np.array(bounds_us, np.int64)
    )


@given(
    counted=st.dictionaries(st.integers(0, 60), st.integers(0, 5), max_size=20),
    window_us=st.integers(1, 25),
    bounds_us=st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_m1_peaks_are_those_of_brute_force(
    counted: dict[int, int], window_us: int, bounds_us: list[int]
) -> None:
    expected = [brute(counted, window_us, since, until) for since, until in itertools.pairwise(bounds_us)]

    assert found(counted, window_us, bounds_us) == expected


def test_m1_what_was_counted_a_whole_window_ago_is_not_inside() -> None:
    counted = {100: 6, 110: 6}

    assert found(counted, 10, [0, 200]) == [Peak(0, 200, 6, 100)]
    assert found(counted, 11, [0, 200]) == [Peak(0, 200, 12, 110)]


def test_nothing_counted_has_no_time() -> None:
    assert found({}, 10, [0, 5, 10]) == [Peak(0, 5, 0, None), Peak(5, 10, 0, None)]


@given(since_us=st.integers(0, 100), length_us=st.integers(1, 1_000), parts=st.integers(1, 50))
def test_parts_are_equal_and_leave_nothing_out(since_us: int, length_us: int, parts: int) -> None:
    bounds = equal_parts(since_us, since_us + length_us, parts)

    lengths = np.diff(bounds)
    assert (bounds[0], bounds[-1], len(lengths)) == (since_us, since_us + length_us, min(parts, length_us))
    assert lengths.max() - lengths.min() <= 1


TIMES = st.one_of(
    st.integers(0, 4 * HOUR_US),
    st.integers(0, 4 * 60).map(lambda n: n * MINUTE_US),
    st.integers(0, 4 * 3600).map(lambda n: n * SECOND_US + 1),
    st.integers(0, 4).map(lambda n: n * HOUR_US - 1),
)


@given(times=st.tuples(TIMES, TIMES).map(sorted))
def test_a_stretch_is_cut_into_whole_spans_that_leave_nothing_out(times: list[int]) -> None:
    since_us, until_us = times

    cut = sorted(pieces(since_us, until_us), key=lambda piece: piece.since_us)

    ends = [since_us + 1, *(piece.until_us for piece in cut)]
    assert [piece.since_us for piece in cut] == ends[:-1]
    assert ends[-1] == until_us + 1
    for piece in cut:
        assert piece.since_us < piece.until_us
        if piece.span_us:
            assert piece.since_us % piece.span_us == piece.until_us % piece.span_us == 0
        else:
            assert piece.until_us - piece.since_us < 2 * SECOND_US
    assert len(cut) <= 2 * len(SPANS_US) + 1


def test_a_day_is_its_hours() -> None:
    assert pieces(-1, 24 * HOUR_US - 1) == [Piece(HOUR_US, 0, 24 * HOUR_US)]
