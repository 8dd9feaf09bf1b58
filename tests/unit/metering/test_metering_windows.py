"""M1: a window is (t-W, t], exact to the microsecond, and its sums are those of what is inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.allowances import Entry, Posts, Shortfall, Tally, shortfall, stamp_us
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, Window, tail_us

TEN_SECONDS_US = 10 * SECOND_US


class Timeline:
    """One tally under one limit, kept by the rules of the domain from a list of entries."""

    def __init__(self, limit: int, length_us: int | None) -> None:
        self.limit = limit
        self.length_us = length_us
        self.tally = Tally()
        self.entries: list[Entry] = []

    def ask(self, at_us: int, posts: int) -> Shortfall | None:
        """Holds the posts if they fit; None if they did."""
        self._move(stamp_us(at_us, [self.tally]))
        later = [entry for entry in self.entries if entry.counted_at_us > self.tally.tail_us]
        wait = shortfall(self.limit, self.length_us, self.tally, posts, later)
        if wait is None:
            self.entries.append(Entry(self.tally.last_us, used=0, held=posts))
            self.tally = self.tally.holding(posts)
        return wait

    def end(self, index: int, used: int) -> None:
        """Settles the hold with so many posts."""
        entry = self.entries[index]
        self.tally = self.tally.resolved(entry.counted_at_us, entry.held, used)
        self.entries[index] = Entry(entry.counted_at_us, used, held=0)

    def _move(self, at_us: int) -> None:
        until_us = tail_us(at_us, self.length_us)
        gone = [e for e in self.entries if self.tally.tail_us < e.counted_at_us <= until_us]
        left = Posts(sum(entry.used for entry in gone), sum(entry.held for entry in gone))
        self.tally = self.tally.moved_to(at_us, self.length_us, left)


def seconds(value: float) -> int:
    return 1_000 * SECOND_US + round(value * SECOND_US)


def test_m1_the_windows_have_the_lengths_of_their_names() -> None:
    lengths = {window: window.length_us for window in Window}

    assert lengths == {
        Window.SECOND: 1_000_000,
        Window.MINUTE: 60_000_000,
        Window.ROLLING_DAY: 86_400_000_000,
        Window.TERM: None,
    }


@pytest.mark.parametrize("length_us", [SECOND_US, TEN_SECONDS_US, MINUTE_US, ROLLING_DAY_US])
def test_m1_what_was_counted_leaves_exactly_one_length_later(length_us: int) -> None:
    counted_at_us = 5 * ROLLING_DAY_US

    just_before = tail_us(counted_at_us + length_us - 1, length_us)
    then = tail_us(counted_at_us + length_us, length_us)

    assert just_before < counted_at_us <= then


def test_m1_nothing_leaves_a_term() -> None:
    assert tail_us(9 * ROLLING_DAY_US, None) == 0


def test_m1_m8_room_comes_back_to_the_microsecond() -> None:
    timeline = Timeline(limit=10, length_us=TEN_SECONDS_US)

    assert timeline.ask(seconds(0), 6) is None
    assert timeline.ask(seconds(4), 4) is None
    refused = timeline.ask(seconds(9.999999), 1)
    assert timeline.ask(seconds(10), 6) is None
    refused_again = timeline.ask(seconds(13.999999), 1)
    assert timeline.ask(seconds(14), 4) is None

    assert refused == Shortfall(seconds(10), exact=False, never=False)
    assert refused_again == Shortfall(seconds(14), exact=False, never=False)


def test_m8_the_time_is_exact_once_nothing_is_held() -> None:
    timeline = Timeline(limit=10, length_us=TEN_SECONDS_US)
    timeline.ask(seconds(0), 6)
    timeline.ask(seconds(4), 4)
    timeline.end(0, 6)
    timeline.end(1, 4)

    wait = timeline.ask(seconds(5), 7)

    assert wait == Shortfall(seconds(14), exact=True, never=False)


def test_m2_settling_less_frees_the_rest_at_once() -> None:
    timeline = Timeline(limit=10, length_us=TEN_SECONDS_US)
    timeline.ask(seconds(0), 10)

    timeline.end(0, 3)

    assert timeline.ask(seconds(1), 7) is None


def test_m2_a_hold_never_frees_itself_in_a_term() -> None:
    timeline = Timeline(limit=10, length_us=None)
    timeline.ask(seconds(0), 10)

    wait = timeline.ask(seconds(10_000_000), 1)

    assert wait == Shortfall(None, exact=False, never=False)


def test_a_hold_that_ends_after_it_left_the_window_is_not_subtracted_twice() -> None:
    timeline = Timeline(limit=10, length_us=TEN_SECONDS_US)
    timeline.ask(seconds(0), 10)
    timeline.ask(seconds(10), 4)

    timeline.end(0, 1)

    assert timeline.tally == Tally(used=0, held=4, last_us=seconds(10), tail_us=seconds(0))


def test_m1_a_clock_that_goes_back_does_not_bring_back_what_has_left() -> None:
    timeline = Timeline(limit=10, length_us=TEN_SECONDS_US)
    timeline.ask(seconds(0), 10)
    timeline.ask(seconds(10), 10)

    wait = timeline.ask(seconds(3), 1)

    assert wait == Shortfall(seconds(20), exact=False, never=False)
    assert timeline.entries[-1].counted_at_us == seconds(10)


def test_m8_more_than_the_limit_never_fits() -> None:
    timeline = Timeline(limit=10, length_us=SECOND_US)

    assert timeline.ask(seconds(0), 11) == Shortfall(None, exact=False, never=True)


def test_m8_more_than_is_left_of_a_term_never_fits() -> None:
    timeline = Timeline(limit=10, length_us=None)
    timeline.ask(seconds(0), 4)
    timeline.end(0, 4)

    assert timeline.ask(seconds(1), 7) == Shortfall(None, exact=False, never=True)
    assert timeline.ask(seconds(1), 6) is None


@given(
    length_us=st.sampled_from([3, 10, SECOND_US]),
    limit=st.integers(1, 12),
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5), st.integers(0, 5)), max_size=40),
)
def test_m1_grants_are_those_of_a_brute_force_sum_over_all_entries(
    length_us: int, limit: int, steps: list[tuple[int, int, int]]
) -> None:
    timeline = Timeline(limit, length_us)
    now_us = seconds(0)

    for gap, posts, settled in steps:
        now_us += gap * length_us // 3
        inside = sum(e.used + e.held for e in timeline.entries if e.counted_at_us > now_us - length_us)
        granted = timeline.ask(now_us, posts) is None
        assert granted == (inside + posts <= limit)
        if granted and settled <= posts:
            timeline.end(len(timeline.entries) - 1, settled)
