"""M2, M4: what can become of a reservation, and what its id stands for."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.metering.domain.allowances import NoRoom, Shortfall
from services.metering.domain.reservations import (
    Access,
    Reservation,
    State,
    cancel,
    cancelled_unseen,
    check_same_content,
    found,
    in_order,
    settle,
)
from services.metering.storage.rows import from_row, to_row
from tests.support.clock import NOON_US
from tests.support.metering import IMAGE, POST, REPLY, VIDEO, a_count, a_wanted, an_allowance, an_id

COUNTS = (a_count(5, POST), a_count(3, POST, IMAGE), a_count(2, REPLY))


def a_hold() -> Reservation:
    """Ten posts of three sorts."""
    return Reservation(7, a_wanted(counts=COUNTS), State.HELD, counted_at_us=NOON_US, reserved=COUNTS)


def no_room() -> Reservation:
    obstacle = NoRoom(an_allowance(), used=1, held=2, shortfall=Shortfall(NOON_US, exact=True, never=False))
    return Reservation(8, a_wanted(), State.NO_ROOM, no_room=obstacle, rivals=(an_id(2), an_id(3)))


def reason_of(refused: pytest.ExceptionInfo[Refusal]) -> tuple[Kind, str]:
    return refused.value.kind, refused.value.reason


def test_m2_what_was_not_delivered_is_freed() -> None:
    settled = settle(a_hold(), (a_count(4, POST), a_count(2, REPLY)))

    assert (settled.posts_reserved, settled.posts_settled, settled.posts_freed) == (10, 6, 4)
    assert settled.state is State.SETTLED


def test_m2_settling_with_nothing_frees_everything() -> None:
    settled = settle(a_hold(), ())

    assert (settled.state, settled.posts_settled, settled.posts_freed) == (State.SETTLED, 0, 10)


def test_m2_the_same_settlement_again_changes_nothing() -> None:
    settled = settle(a_hold(), (a_count(4, POST),))

    assert settle(settled, (a_count(4, POST),)) is settled


def test_m2_another_settlement_is_refused() -> None:
    settled = settle(a_hold(), (a_count(4, POST),))

    with pytest.raises(Refusal) as refused:
        settle(settled, (a_count(3, POST),))

    assert reason_of(refused) == (Kind.PRECONDITION, "SETTLED_OTHERWISE")


@pytest.mark.parametrize(
    "delivered", [a_count(6, POST), a_count(1, POST, VIDEO), a_count(3, REPLY), a_count(4, POST, IMAGE)]
)
def test_m2_no_more_of_any_kind_is_settled_than_was_held(delivered: Any) -> None:
    with pytest.raises(Refusal) as refused:
        settle(a_hold(), (delivered,))

    assert reason_of(refused) == (Kind.PRECONDITION, "SETTLES_MORE_THAN_HELD")


def test_m2_what_was_cancelled_cannot_be_settled() -> None:
    with pytest.raises(Refusal) as refused:
        settle(cancel(a_hold()), ())

    assert reason_of(refused) == (Kind.PRECONDITION, "RESERVATION_CANCELLED")


def test_m2_without_room_there_is_nothing_to_settle() -> None:
    with pytest.raises(Refusal) as refused:
        settle(no_room(), ())

    assert reason_of(refused) == (Kind.PRECONDITION, "SETTLES_MORE_THAN_HELD")


def test_m2_cancelling_frees_everything() -> None:
    cancelled = cancel(a_hold())

    assert (cancelled.state, cancelled.posts_reserved, cancelled.posts_freed) == (State.CANCELLED, 10, 10)
    assert cancelled.counted_at_us == NOON_US


def test_m2_cancelling_what_holds_nothing_changes_nothing() -> None:
    cancelled, refused_for_room = cancel(a_hold()), no_room()

    assert cancel(cancelled) is cancelled
    assert cancel(refused_for_room) is refused_for_room


def test_m2_what_was_settled_cannot_be_cancelled() -> None:
    with pytest.raises(Refusal) as refused:
        cancel(settle(a_hold(), ()))

    assert reason_of(refused) == (Kind.PRECONDITION, "RESERVATION_SETTLED")


def test_an_unknown_reservation_is_said_to_be_unknown() -> None:
    with pytest.raises(Refusal) as refused:
        found(None)

    assert reason_of(refused) == (Kind.NOT_FOUND, "RESERVATION_UNKNOWN")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("request_key", {"request_key": "other"}),
        ("party_id", {"party_id": "other"}),
        ("counts", {"counts": (a_count(10, POST),)}),
        ("allowances", {"allowances": (an_allowance(11),)}),
        ("request_key", {"request_key": "other", "party_id": "other", "allowances": ()}),
        ("counts", {"counts": (), "allowances": ()}),
        ("license_id", {"license_id": "other"}),
        ("access", {"access": Access.VIEW}),
        ("as_many_as_fit", {"as_many_as_fit": True}),
        ("delivered", {"delivered": True}),
    ],
)
def test_m4_an_id_with_other_content_is_refused_naming_the_first_field(
    field: str, change: dict[str, Any]
) -> None:
    earlier = a_hold()

    with pytest.raises(Refusal) as refused:
        check_same_content(earlier, replace(earlier.wanted, **change))

    assert reason_of(refused) == (Kind.ALREADY_EXISTS, "RESERVATION_ID_REUSED")
    assert [violation.field for violation in refused.value.violations] == [field]


def test_m4_the_same_content_is_the_same() -> None:
    check_same_content(a_hold(), a_hold().wanted)


def test_m2_any_content_fits_an_id_that_was_cancelled_before_it_was_seen() -> None:
    check_same_content(cancelled_unseen(an_id(), number=1), a_wanted())


def test_m4_the_order_of_counts_is_no_content() -> None:
    assert in_order(reversed(COUNTS), "counts") == COUNTS


def test_a_kind_counted_twice_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        in_order([a_count(1, POST), a_count(1, POST, IMAGE), a_count(2, POST)], "delivered")

    assert reason_of(refused) == (Kind.INVALID, "INVALID_REQUEST")
    assert [violation.field for violation in refused.value.violations] == ["delivered[2]"]


@pytest.mark.parametrize(
    "reservation",
    [
        a_hold(),
        settle(a_hold(), (a_count(1, REPLY),)),
        cancel(a_hold()),
        no_room(),
        cancelled_unseen(an_id(), 9),
    ],
    ids=lambda reservation: reservation.state.name,
)
def test_a_stored_reservation_reads_as_it_was_written(reservation: Reservation) -> None:
    assert from_row(to_row(reservation)) == reservation


@given(
    held=st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)),
    settled=st.none() | st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)),
)
def test_reserved_is_always_held_and_settled_and_freed(
    held: tuple[int, int], settled: tuple[int, int] | None
) -> None:
    counts = (a_count(held[0], POST), a_count(held[1], REPLY))
    hold = Reservation(1, a_wanted(counts=counts), State.HELD, counted_at_us=NOON_US, reserved=counts)

    if settled is None:
        ended = cancel(hold)
    else:
        delivered = (a_count(min(settled[0], held[0]), POST), a_count(min(settled[1], held[1]), REPLY))
        ended = settle(hold, delivered)

    assert hold.posts_freed == hold.posts_settled == 0
    assert ended.posts_reserved == ended.posts_settled + ended.posts_freed
