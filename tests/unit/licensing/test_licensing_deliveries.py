"""Deliveries: the table of what is metered and billed, and what a confirmation may say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.deliveries import (
    Confirmation,
    Confirmed,
    Delivery,
    DeliveryState,
    Settlement,
    confirm,
    delivery_of,
    read_bitmap,
)

RELEASED = np.array([True, False, True, True])
BY = "pipeline:content"
NOT_AFTER_US = 1_000


def confirmed(
    bitmap: bytes,
    now_us: int,
    earlier: Confirmation | None = None,
    settlement: Settlement | None = None,
    not_after_us: int | None = NOT_AFTER_US,
) -> Confirmed:
    return confirm(
        *(earlier, settlement, bitmap), by=BY, released=RELEASED, not_after_us=not_after_us, now_us=now_us
    )


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_a_bitmap_is_read_from_the_lowest_bit_on(delivered: list[bool]) -> None:
    bitmap = bytearray((len(delivered) + 7) // 8)
    for post, was_delivered in enumerate(delivered):
        if was_delivered:
            bitmap[post // 8] |= 1 << post % 8

    assert read_bitmap(bytes(bitmap), np.ones(len(delivered), np.bool_)).tolist() == delivered


@pytest.mark.parametrize("bitmap", [b"", b"\1\0"])
def test_a_bitmap_of_another_length_is_refused(bitmap: bytes) -> None:
    with pytest.raises(Refusal, match="BITMAP_LENGTH"):
        read_bitmap(bitmap, RELEASED)


@pytest.mark.parametrize("bitmap", [b"\x02", b"\x0f", b"\x10", b"\x80"])
def test_what_was_not_released_cannot_have_been_delivered(bitmap: bytes) -> None:
    with pytest.raises(Refusal, match="DELIVERED_WITHOUT_RELEASE"):
        read_bitmap(bitmap, RELEASED)


def test_a_confirmation_in_time_settles_what_was_delivered() -> None:
    outcome = confirmed(b"\x05", NOT_AFTER_US - 1)

    assert outcome == Confirmed(
        Confirmation(b"\x05", 2, NOT_AFTER_US - 1, BY), Settlement(2, False, NOT_AFTER_US - 1)
    )
    assert delivery_of(3, outcome.settlement, outcome.confirmation) == Delivery(
        DeliveryState.CONFIRMED, 3, 2, 2, NOT_AFTER_US - 1, BY
    )


def test_a_confirmation_at_the_end_of_the_permit_is_late_and_changes_the_bill_alone() -> None:
    outcome = confirmed(b"\x05", NOT_AFTER_US)

    assert outcome.settlement == Settlement(3, True, NOT_AFTER_US)
    assert delivery_of(3, outcome.settlement, outcome.confirmation) == Delivery(
        DeliveryState.CONFIRMED_LATE, 3, 3, 2, NOT_AFTER_US, BY
    )


def test_a_settlement_by_expiry_stays_when_a_confirmation_comes_later() -> None:
    settled = Settlement(3, True, 2_000)

    outcome = confirmed(b"\x00", 3_000, settlement=settled)

    assert outcome.settlement is settled
    assert delivery_of(3, settled, outcome.confirmation) == Delivery(
        DeliveryState.CONFIRMED_LATE, 3, 3, 0, 3_000, BY
    )


def test_the_first_confirmation_stands_and_may_be_repeated() -> None:
    first = confirmed(b"\x05", 500)

    again = confirmed(b"\x05", 5_000, first.confirmation, first.settlement)

    assert again == first
    assert again.confirmation is first.confirmation


def test_another_confirmation_than_the_first_is_refused() -> None:
    first = confirmed(b"\x05", 500)

    with pytest.raises(Refusal, match="CONFIRMED_OTHERWISE"):
        confirmed(b"\x01", 501, first.confirmation, first.settlement)


def test_what_is_not_confirmed_counts_in_full() -> None:
    assert delivery_of(3, None, None) == Delivery(DeliveryState.OPEN, 3, 3, 3, None)
    assert delivery_of(3, Settlement(3, True, 9), None) == Delivery(DeliveryState.EXPIRED, 3, 3, 3, None)


def test_where_nothing_was_released_there_is_nothing_to_settle() -> None:
    nothing = np.zeros(4, np.bool_)

    outcome = confirm(None, None, b"\0", by=BY, released=nothing, not_after_us=None, now_us=7)

    assert outcome.settlement is None
    assert delivery_of(0, None, outcome.confirmation) == Delivery(DeliveryState.NONE, 0, 0, 0, 7, BY)
    assert delivery_of(0, None, None) == Delivery(DeliveryState.NONE, 0, 0, 0, None)


@given(st.lists(st.tuples(st.integers(0, 2_000), st.sampled_from([b"\x00", b"\x05", b"\x0d"])), max_size=5))
def test_released_is_never_less_than_settled_whatever_comes_when(calls: list[tuple[int, bytes]]) -> None:
    confirmation, settlement = None, None
    stood: list[Settlement] = []
    for now_us, bitmap in sorted(calls):
        if confirmation is None or confirmation.bitmap == bitmap:
            confirmation, settlement = confirmed(bitmap, now_us, confirmation, settlement)
        if settlement is not None:
            stood.append(settlement)

    delivery = delivery_of(3, settlement, confirmation)

    assert 0 <= delivery.posts_billed <= delivery.posts_metered <= delivery.posts_released == 3
    assert len(set(stood)) <= 1
