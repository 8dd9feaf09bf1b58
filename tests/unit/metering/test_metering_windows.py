"""M1: a window is (t-W, t], exact to the microsecond, and its sums are those of what is inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.allowances import Shortfall
from services.metering.domain.postings import Hold, Reduce, Settle
from services.metering.domain.reservations import Reservation
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM, tail_us
from tests.support.clock import ManualClock
from tests.support.metering import MemoryBooks, a_count, a_wanted, an_allowance

TEN_SECONDS_US = 10 * SECOND_US


class Limited:
    """One account under one limit, asked at times that are given."""

    def __init__(self, limit: int, window_us: int) -> None:
        self.limit = an_allowance(limit, window_us)
        self.clock = ManualClock()
        self.books = MemoryBooks(self.clock)
        self.holds: list[Reservation] = []

    def ask(self, at_us: int, posts: int) -> Shortfall | None:
        """Holds the posts if they fit; None if they did."""
        self.clock.advance(at_us - self.clock.now_us())
        number = len(self.books.source.reservations) + 1
        answer = self.books.post_now(Hold(a_wanted(number, posts, self.limit))).reservation
        if answer.no_room is not None:
            return answer.no_room.shortfall
        self.holds.append(answer)
        return None

    def reduce(self, index: int, kept: int) -> None:
        """Keeps so many posts of the hold."""
        keep = (a_count(kept),)
        reduced = self.books.post_now(Reduce(self.holds[index].wanted.reservation_id, keep)).reservation
        self.holds[index] = reduced

    def end(self, index: int, used: int) -> None:
        """Settles the hold with so many posts."""
        delivered = (a_count(used),) if used else ()
        ended = self.books.post_now(Settle(self.holds[index].wanted.reservation_id, delivered)).reservation
        self.holds[index] = ended

    def inside(self, at_us: int) -> int:
        """What counts in the window that ends then, by the slow way."""
        return sum(
            hold.posts_reserved - hold.posts_freed
            for hold in self.holds
            if hold.counted_at_us is not None and hold.counted_at_us > at_us - self.limit.window_us
        )


def seconds(value: float) -> int:
    return 1_000 * SECOND_US + round(value * SECOND_US)


@pytest.mark.parametrize("length_us", [SECOND_US, TEN_SECONDS_US, MINUTE_US, ROLLING_DAY_US])
def test_m1_what_was_counted_leaves_exactly_one_length_later(length_us: int) -> None:
    counted_at_us = 5 * ROLLING_DAY_US

    just_before = tail_us(counted_at_us + length_us - 1, length_us)
    then = tail_us(counted_at_us + length_us, length_us)

    assert just_before < counted_at_us <= then


def test_m1_nothing_leaves_a_term() -> None:
    assert tail_us(9 * ROLLING_DAY_US, TERM) == 0


def test_m1_m8_room_comes_back_to_the_microsecond() -> None:
    limited = Limited(limit=10, window_us=TEN_SECONDS_US)

    assert limited.ask(seconds(0), 6) is None
    assert limited.ask(seconds(4), 4) is None
    refused = limited.ask(seconds(9.999999), 1)
    assert limited.ask(seconds(10), 6) is None
    refused_again = limited.ask(seconds(13.999999), 1)
    assert limited.ask(seconds(14), 4) is None

    assert refused == Shortfall(seconds(10), exact=False, never=False)
    assert refused_again == Shortfall(seconds(14), exact=False, never=False)


def test_m8_the_time_is_exact_once_nothing_is_held() -> None:
    limited = Limited(limit=10, window_us=TEN_SECONDS_US)
    limited.ask(seconds(0), 6)
    limited.ask(seconds(4), 4)
    limited.end(0, 6)
    limited.end(1, 4)

    wait = limited.ask(seconds(5), 7)

    assert wait == Shortfall(seconds(14), exact=True, never=False)


def test_m2_settling_less_frees_the_rest_at_once() -> None:
    limited = Limited(limit=10, window_us=TEN_SECONDS_US)
    limited.ask(seconds(0), 10)

    limited.end(0, 3)

    assert limited.ask(seconds(1), 7) is None


def test_m2_a_hold_never_frees_itself_in_a_term() -> None:
    limited = Limited(limit=10, window_us=TERM)
    limited.ask(seconds(0), 10)

    wait = limited.ask(seconds(10_000_000), 1)

    assert wait == Shortfall(None, exact=False, never=False)


def test_a_hold_that_ends_after_it_left_the_window_is_not_subtracted_twice() -> None:
    limited = Limited(limit=10, window_us=TEN_SECONDS_US)
    limited.ask(seconds(0), 10)
    limited.ask(seconds(10), 4)

    limited.end(0, 1)

    assert limited.ask(seconds(10), 6) is None
    assert limited.ask(seconds(10), 1) == Shortfall(seconds(20), exact=False, never=False)


def test_m1_a_clock_that_goes_back_does_not_bring_back_what_has_left() -> None:
    limited = Limited(limit=10, window_us=TEN_SECONDS_US)
    limited.ask(seconds(0), 10)
    limited.ask(seconds(10), 10)

    wait = limited.ask(seconds(3), 1)

    assert wait == Shortfall(seconds(20), exact=False, never=False)
    assert limited.holds[-1].counted_at_us == seconds(10)


def test_m8_more_than_the_limit_never_fits() -> None:
    limited = Limited(limit=10, window_us=SECOND_US)

    assert limited.ask(seconds(0), 11) == Shortfall(None, exact=False, never=True)


def test_m8_more_than_is_left_of_a_term_never_fits() -> None:
    limited = Limited(limit=10, window_us=TERM)
    limited.ask(seconds(0), 4)
    limited.end(0, 4)

    assert limited.ask(seconds(1), 7) == Shortfall(None, exact=False, never=True)
    assert limited.ask(seconds(1), 6) is None


@given(
    window_us=st.sampled_from([3, 10, SECOND_US]),
    limit=st.integers(1, 12),
    steps=st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 5), st.integers(0, 5), st.integers(0, 5)), max_size=40
    ),
)
def test_m1_grants_are_those_of_a_brute_force_sum_over_all_entries(
    window_us: int, limit: int, steps: list[tuple[int, int, int, int]]
) -> None:
    limited = Limited(limit, window_us)
    now_us = seconds(0)

    for gap, posts, kept, settled in steps:
        now_us += gap * window_us // 3
        inside = limited.inside(now_us)
        granted = limited.ask(now_us, posts) is None
        assert granted == (inside + posts <= limit)
        reduced = granted and 0 < kept <= posts
        if reduced:
            limited.reduce(len(limited.holds) - 1, kept)
        if granted and settled <= (kept if reduced else posts):
            limited.end(len(limited.holds) - 1, settled)
