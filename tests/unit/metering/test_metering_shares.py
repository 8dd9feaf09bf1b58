"""Reservations of one time against their entries: whose figures differ, and in what (M2, M5)."""

from services.metering.domain.allowances import Posts
from services.metering.domain.audits import Difference
from services.metering.domain.shares import Share, differing, figures
from tests.support.metering import IMAGE, REPLY, a_count

PLAIN = "kind 1 with media 0 by access 3"


def a_share(number: int, used: int, held: int, *counts: int) -> Share:
    """Plain posts, with a name of its number."""
    return Share(number, f"no. {number}", figures(Posts(used, held), 3, tuple(map(a_count, counts))))


def test_figures_say_nothing_of_what_there_is_nothing_of() -> None:
    counts = (a_count(2), a_count(1, REPLY, IMAGE), a_count(0, REPLY), a_count(3))

    assert figures(Posts(6, 0), 2, counts) == {
        "posts used": 6,
        "kind 1 with media 0 by access 2": 5,
        "kind 2 with media 1 by access 2": 1,
    }


def test_holds_and_endings_in_any_order_are_those_of_their_reservations() -> None:
    reservations = [a_share(1, 0, 5, 5), a_share(2, 3, 0, 3), a_share(3, 0, 0), a_share(4, 5, 0, 5)]
    made = [a_share(1, 0, 5, 5), a_share(2, 0, 5, 5), a_share(3, 0, 5, 5), a_share(4, 0, 5, 5)]
    ended = [a_share(7, 5, -5), a_share(8, 0, -5, -5), a_share(9, 3, -5, -2)]

    assert differing(reservations, [*ended, *made], "party acme") == []


def test_m2_what_reduced_a_hold_is_counted_to_it_before_an_ending_is_looked_for() -> None:
    reservations = [a_share(1, 0, 3, 3), a_share(2, 2, 0, 2), a_share(3, 0, 0)]
    made = [a_share(number, 0, 5, 5) for number in (1, 2, 3)]
    reduced = [a_share(1, 0, -1, -1), a_share(1, 0, -1, -1), a_share(2, 0, -2, -2)]
    ended = [a_share(8, 2, -3, -1), a_share(9, 0, -5, -5)]

    assert differing(reservations, [*ended, *reduced, *made], "party acme") == []


def test_m2_a_reservation_that_was_settled_in_one_entry_needs_no_other() -> None:
    assert differing([a_share(1, 4, 0, 4)], [a_share(1, 4, 0, 4)], "party acme") == []


def test_an_ending_that_is_missing_is_missed_where_nothing_else_can_be_it() -> None:
    reservations = [a_share(1, 3, 0, 3), a_share(2, 0, 5, 5)]
    entries = [a_share(1, 0, 5, 5), a_share(2, 0, 5, 5)]

    assert differing(reservations, entries, "party acme") == [
        Difference(f"no. 1: {PLAIN} in party acme", "3", "5"),
        Difference("no. 1: posts held in party acme", "0", "5"),
        Difference("no. 1: posts used in party acme", "3", "0"),
    ]


def test_an_ending_that_makes_nothing_whole_is_taken_for_that_of_what_lacks_one() -> None:
    reservations = [a_share(1, 0, 5, 5), a_share(2, 4, 0, 4)]
    entries = [a_share(1, 0, 5, 5), a_share(2, 0, 5, 5), a_share(3, 3, -5, -2)]

    assert differing(reservations, entries, "party acme") == [
        Difference(f"no. 2: {PLAIN} in party acme", "4", "3"),
        Difference("no. 2: posts used in party acme", "4", "3"),
    ]


def test_an_entry_that_belongs_to_nothing_is_named_itself() -> None:
    assert differing([a_share(1, 0, 5, 5)], [a_share(1, 0, 5, 5), a_share(6, 1, 0, 1)], "party acme") == [
        Difference(f"no. 6: {PLAIN} in party acme", "0", "1"),
        Difference("no. 6: posts used in party acme", "0", "1"),
    ]
