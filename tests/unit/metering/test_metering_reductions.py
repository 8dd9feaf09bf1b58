"""M2: a hold can be reduced, never raised, and what is freed adds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.metering.domain.reservations import Counts, Reservation, State, cancel, reduce, settle
from services.metering.storage.rows import from_row, to_row
from tests.support.clock import NOON_US
from tests.support.metering import IMAGE, POST, REPLY, VIDEO, a_count, a_wanted

COUNTS = (a_count(5, POST), a_count(3, POST, IMAGE), a_count(2, REPLY))
KEPT = (a_count(4, POST), a_count(2, REPLY))


def a_hold(counts: Counts = COUNTS) -> Reservation:
    """Ten posts of three sorts unless said."""
    return Reservation(7, a_wanted(counts=counts), State.HELD, counted_at_us=NOON_US, reserved=counts)


def test_m2_what_is_not_kept_is_freed_and_the_rest_stays_held_at_its_time() -> None:
    reduced = reduce(a_hold(), KEPT)

    assert (reduced.state, reduced.counted_at_us, reduced.held) == (State.HELD, NOON_US, KEPT)
    assert (reduced.posts_reserved, reduced.posts_held, reduced.posts_freed) == (10, 6, 4)
    assert reduced.reserved == COUNTS


def test_m2_to_keep_what_is_kept_already_changes_nothing() -> None:
    hold, reduced = a_hold(), reduce(a_hold(), KEPT)

    assert reduce(hold, COUNTS) is hold
    assert reduce(reduced, KEPT) is reduced


def test_m2_a_reduced_hold_can_be_reduced_further() -> None:
    again = reduce(reduce(a_hold(), KEPT), (a_count(1, REPLY),))

    assert (again.held, again.posts_freed) == ((a_count(1, REPLY),), 9)


@pytest.mark.parametrize(
    "keep", [a_count(6, POST), a_count(1, POST, VIDEO), a_count(3, REPLY), a_count(4, POST, IMAGE)]
)
def test_m2_no_more_of_any_kind_is_kept_than_is_held(keep: object) -> None:
    with pytest.raises(Refusal) as refused:
        reduce(a_hold(), (keep,))  # type: ignore[arg-type]

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "KEEPS_MORE_THAN_HELD")
    assert [violation.field for violation in refused.value.violations] == ["keep"]


def test_m2_what_was_freed_is_not_held_again() -> None:
    with pytest.raises(Refusal) as refused:
        reduce(reduce(a_hold(), KEPT), COUNTS)

    assert refused.value.reason == "KEEPS_MORE_THAN_HELD"


def test_m2_no_more_is_settled_than_was_kept() -> None:
    reduced = reduce(a_hold(), KEPT)

    with pytest.raises(Refusal) as refused:
        settle(reduced, (a_count(5, POST),))

    assert refused.value.reason == "SETTLES_MORE_THAN_HELD"
    settled = settle(reduced, (a_count(3, POST),))
    assert (settled.posts_held, settled.posts_settled, settled.posts_freed) == (0, 3, 7)


def test_m2_what_has_ended_is_answered_as_it_stands() -> None:
    settled, cancelled = settle(a_hold(), (a_count(5, POST),)), cancel(a_hold())

    assert reduce(settled, KEPT) is settled
    assert reduce(cancelled, KEPT) is cancelled


def test_m2_without_room_there_is_nothing_to_keep() -> None:
    with pytest.raises(Refusal) as refused:
        reduce(Reservation(8, a_wanted(), State.NO_ROOM), KEPT)

    assert refused.value.reason == "KEEPS_MORE_THAN_HELD"


@pytest.mark.parametrize(
    "reservation",
    [
        reduce(a_hold(), KEPT),
        settle(reduce(a_hold(), KEPT), (a_count(1, REPLY),)),
        cancel(reduce(a_hold(), KEPT)),
    ],
    ids=lambda reservation: reservation.state.name,
)
def test_a_reduced_reservation_reads_as_it_was_written(reservation: Reservation) -> None:
    assert from_row(to_row(reservation)) == reservation


@given(
    reserved=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    keeps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=6),
    ending=st.sampled_from(["none", "settled", "cancelled"]),
)
def test_m2_reserved_is_always_held_and_settled_and_freed_however_often_it_is_reduced(
    reserved: tuple[int, int], keeps: list[tuple[int, int]], ending: str
) -> None:
    reservation, still = a_hold(counts_of(reserved)), reserved

    for keep in keeps:
        if keep[0] <= still[0] and keep[1] <= still[1]:
            reservation, still = reduce(reservation, counts_of(keep)), keep
        else:
            with pytest.raises(Refusal):
                reduce(reservation, counts_of(keep))
    used = (still[0] // 2, still[1]) if ending == "settled" else (0, 0)
    held = still if ending == "none" else (0, 0)
    if ending != "none":
        reservation = settle(reservation, counts_of(used)) if ending == "settled" else cancel(reservation)

    assert (reservation.held, reservation.settled) == (counts_of(held), counts_of(used))
    assert reservation.posts_reserved == sum(reserved)
    assert reservation.posts_freed == sum(reserved) - sum(held) - sum(used)


def counts_of(posts: tuple[int, int]) -> Counts:
    """Posts and replies, without what there is none of."""
    return tuple(a_count(n, kind) for n, kind in zip(posts, (POST, REPLY), strict=True) if n)
