"""M1: between two looks a window was as full as a limit met it, and each level that it reached is told."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.allowances import Moment, Posts, Tally
from services.metering.domain.gauges import Change, Fullest, Gauge, Look, news, replay
from services.metering.domain.peaks import peaks
from services.metering.domain.reservations import Revision
from services.metering.domain.usage import Level
from services.metering.domain.windows import TERM, tail_us

NOTHING = Tally(0, 0, 0)
LIMIT = 10


def held(number: int, at_us: int, posts: int) -> Change:
    return Change(number, at_us, Posts(0, posts))


def settled(number: int, at_us: int, posts: int, freed: int = 0) -> Change:
    """What had been held at a time is settled, but for what is freed."""
    return Change(number, at_us, Posts(posts, -posts - freed))


def test_m1_a_window_that_filled_and_emptied_since_is_told_as_full_as_it_was() -> None:
    changes = [held(1, 100, 4), held(2, 105, 6), held(3, 150, 1)]

    tally, fullest = replay(NOTHING, 10, [], changes)

    assert fullest == Fullest(Posts(0, 10), at_us=105, number=2)
    assert tally == Tally(0, 1, 140)


def test_m1_what_was_freed_since_had_counted_until_then() -> None:
    changes = [held(1, 100, 9), settled(2, 100, 0, freed=9), held(3, 101, 2), settled(4, 101, 1, freed=1)]

    tally, fullest = replay(NOTHING, 10, [], changes)

    assert fullest == Fullest(Posts(0, 9), at_us=100, number=1)
    assert tally == Tally(1, 0, 91)


def test_m1_what_was_freed_before_a_hold_leaves_its_room_to_it() -> None:
    before = Tally(0, 9, 90)

    tally, fullest = replay(before, 10, [], [settled(2, 100, 3, freed=6), held(3, 101, 2)])

    assert fullest == Fullest(Posts(3, 2), at_us=101, number=3)
    assert tally == Tally(3, 2, 91)


def test_m1_what_leaves_meanwhile_makes_room_at_its_time() -> None:
    before = Tally(5, 0, 90)
    leaving = [Moment(91, Posts(3, 0)), Moment(95, Posts(2, 0))]

    tally, fullest = replay(before, 10, leaving, [held(7, 100, 1), held(8, 101, 4), held(9, 105, 1)])

    assert fullest == Fullest(Posts(2, 5), 101, 8)
    assert tally == Tally(0, 6, 95)


def test_where_nothing_was_added_there_is_no_fullest() -> None:
    assert replay(Tally(0, 9, 90), 10, [], [settled(5, 95, 4, freed=5)]) == (Tally(4, 0, 90), None)


@dataclass
class Told:
    """A history in the order of numbers, kept whole."""

    changes: list[Change]

    def posts(self, window_us: int, end_us: int, number: int) -> Posts:
        """Of the window that ends at a time, up to a change, added up from all there is."""
        since_us = end_us - window_us if window_us else -1
        inside = [each.posts for each in self.changes if each.number <= number and each.at_us > since_us]
        return Posts(sum(posts.used for posts in inside), sum(posts.held for posts in inside))


@st.composite
def histories(draw: st.DrawFn, *, frees: bool = True) -> Told:
    at_us, changes, holds = 100, list[Change](), list[Change]()
    for number in range(1, draw(st.integers(1, 25)) + 1):
        if holds and frees and draw(st.booleans()):
            hold = holds.pop(draw(st.integers(0, len(holds) - 1)))
            posts = draw(st.integers(0, hold.posts.held))
            changes.append(settled(number, hold.at_us, posts, freed=hold.posts.held - posts))
            continue
        at_us += draw(st.sampled_from([0, 0, 1, 1, 3, 9, 10, 11, 40]))
        holds.append(held(number, at_us, draw(st.integers(1, 5))))
        changes.append(holds[-1])
    return Told(changes)


@given(told=histories(), known=st.integers(0, 25), window_us=st.sampled_from([1, 2, 10, 60, TERM]))
def test_m1_the_fullest_is_that_of_the_sums_after_each_hold(told: Told, known: int, window_us: int) -> None:
    old, new = told.changes[:known], told.changes[known:]
    last_us = max((change.at_us for change in old), default=0)
    since_us = tail_us(last_us, window_us)
    holds = [change for change in new if change.adds]
    end_us = tail_us(holds[-1].at_us, window_us) if holds else since_us
    before = told.posts(window_us, last_us, len(old))
    leaving = [
        Moment(at_us, sum((each.posts for each in old if each.at_us == at_us), Posts(0, 0)))
        for at_us in sorted({each.at_us for each in old if since_us < each.at_us <= end_us})
    ]

    tally, fullest = replay(Tally(before.used, before.held, since_us), window_us, leaving, new)

    sums = [(told.posts(window_us, hold.at_us, hold.number), hold) for hold in holds]
    most = max((posts.used + posts.held for posts, _ in sums), default=0)
    first = next(((posts, hold) for posts, hold in sums if posts.used + posts.held == most), None)
    assert fullest == (first and Fullest(first[0], first[1].at_us, first[1].number))
    ends = told.posts(window_us, holds[-1].at_us if holds else last_us, len(told.changes))
    assert tally == Tally(ends.used, ends.held, end_us)


@given(told=histories(frees=False), window_us=st.sampled_from([1, 2, 10, 60]))
def test_m1_where_nothing_is_freed_it_is_the_peak(told: Told, window_us: int) -> None:
    counted: dict[int, int] = {}
    for change in told.changes:
        counted[change.at_us] = counted.get(change.at_us, 0) + change.posts.held
    times, posts = np.array(list(counted), np.int64), np.array(list(counted.values()), np.int64)
    (peak,) = peaks(times, posts, window_us, np.array([0, 10_000], np.int64))

    _, fullest = replay(NOTHING, window_us, [], told.changes)

    assert fullest is not None
    assert (fullest.posts.held, fullest.at_us) == (peak.posts, peak.at_us)


def a_look(posts: int, peak: int | None = None, at_us: int = 1_000) -> Look:
    """How many are held at a time, and how many were 100 us before."""
    fullest = None if peak is None else Fullest(Posts(0, peak), at_us - 100, 41)
    now = Tally(0, posts, 0)
    return Look(Revision(3, 50), at_us, now, now, fullest)


def a_gauge(posts: int, level: Level) -> Gauge:
    return Gauge(Posts(0, posts), level, False, 500, Revision(3, 7))


def said(*gauges: Gauge) -> list[tuple[int, Level, bool, int, int]]:
    return [(each.posts.held, each.level, each.notice, each.at_us, each.revision.number) for each in gauges]


BELOW, HIGH, FULL = Level.BELOW, Level.HIGH, Level.FULL


@pytest.mark.parametrize(
    ("last", "look", "told"),
    [
        (None, a_look(0), [(0, BELOW, False, 1_000, 50)]),
        (None, a_look(8), [(8, HIGH, True, 1_000, 50)]),
        (None, a_look(1, peak=10), [(1, BELOW, False, 1_000, 50)]),
        (a_gauge(1, BELOW), a_look(1), []),
        (a_gauge(1, BELOW), a_look(1, peak=7), []),
        (a_gauge(1, BELOW), a_look(2, peak=7), [(2, BELOW, False, 1_000, 50)]),
        (a_gauge(1, BELOW), a_look(8, peak=9), [(8, HIGH, True, 1_000, 50)]),
        (a_gauge(1, BELOW), a_look(1, peak=8), [(8, HIGH, True, 900, 41), (1, BELOW, False, 1_000, 50)]),
        (a_gauge(1, BELOW), a_look(8, peak=10), [(10, FULL, True, 900, 41), (8, HIGH, False, 1_000, 50)]),
        (a_gauge(8, HIGH), a_look(0, peak=9), [(0, BELOW, False, 1_000, 50)]),
        (a_gauge(8, HIGH), a_look(8, peak=12), [(12, FULL, True, 900, 41), (8, HIGH, False, 1_000, 50)]),
        (a_gauge(10, FULL), a_look(9, peak=13), [(9, HIGH, False, 1_000, 50)]),
    ],
)
def test_a_level_that_was_reached_is_told_before_how_the_window_stands(
    last: Gauge | None, look: Look, told: list[tuple[int, Level, bool, int, int]]
) -> None:
    assert said(*news(last, look, LIMIT)) == told


def test_whoever_has_missed_a_look_is_told_the_fullest_of_both() -> None:
    fuller, emptier = a_look(3, peak=9, at_us=1_000), a_look(1, peak=4, at_us=2_000)

    for earlier, later in ((fuller, emptier), (emptier, fuller)):
        both = later.after(earlier)
        assert both.fullest == fuller.fullest
        assert replace(both, fullest=later.fullest) == later
    assert emptier.after(None) == emptier
    assert a_look(1).after(a_look(2)).fullest is None
