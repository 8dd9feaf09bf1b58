"""What consent is asked about again, what of its answer counts, and how much of it is in memory (W1)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.licensing.domain.answers import Revision
from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.reasons import Reason
from services.licensing.domain.recalls.deleted import Deleted
from services.licensing.domain.recalls.entries import share_of
from services.licensing.domain.recalls.rechecks import denied_for
from services.licensing.domain.recalls.withdrawals import Cause, HaltScope, Withdrawal
from services.licensing.resting import Resting
from tests.support.clock import ManualClock

SECOND_US = 1_000_000
EACH = np.array(list(Reason), np.uint8)
ids = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=20)


@settings(max_examples=60)
@given(ids, st.integers(1, 4))
def test_ids_are_distinct_and_in_order_and_each_is_in_one_share(some: list[int], shares: int) -> None:
    column = np.array(some, np.uint64)

    by_share = [share_of(column, share, shares).tolist() for share in range(shares)]

    assert distinct_sorted(column).tolist() == sorted(set(some))
    assert sorted(id for theirs in by_share for id in theirs) == sorted(set(some))


@pytest.mark.parametrize(
    ("withdrawal", "counts"),
    [
        (
            Withdrawal(Revision(1, 2), Cause.POLICY, 0),
            {Reason.NOT_OPTED_IN, Reason.NOTICE_NOT_SERVED, Reason.PROHIBITED, Reason.NO_POLICY},
        ),
        (
            Withdrawal(Revision(1, 2), Cause.HALT, 0, halt=HaltScope("jurisdiction", "DE")),
            {Reason.HALTED},
        ),
        (Withdrawal(Revision(1, 2), 99, 0), set(Reason) - {Reason.RELEASED}),
    ],
)
def test_w1_what_counts_is_what_the_withdrawal_is_about(withdrawal: Withdrawal, counts: set[Reason]) -> None:
    denied = EACH[denied_for(withdrawal, EACH)]

    assert set(map(Reason, denied.tolist())) == counts


pairs = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), max_size=12)


@settings(max_examples=60)
@given(pairs, st.integers(1, 6))
def test_of_deleted_posts_whole_releases_are_kept_from_the_lowest_on(
    deleted: list[tuple[int, int]], most: int
) -> None:
    numbers = [np.array([number], np.uint64) for number, _ in deleted]
    posts = [np.array([post], np.uint64) for _, post in deleted]

    kept = Deleted.of(numbers, posts, 6, most)

    for number in range(1, kept.until + 1):
        assert sorted(kept.of_release(number).tolist()) == sorted(p for n, p in deleted if n == number)
    lowest = min((number for number, _ in deleted), default=6)
    assert kept.until >= lowest, "there is always something to go on with"
    assert len(kept.numbers) <= most or set(kept.numbers.tolist()) == {lowest}


def test_what_keeps_failing_is_tried_at_once_and_then_less_and_less_often() -> None:
    clock = ManualClock()
    resting = Resting[str](clock)
    pauses = []

    for _ in range(12):
        resting.rest("it")
        begun_us = clock.now_us()
        while not resting.may("it"):
            clock.advance(SECOND_US)
        pauses.append((clock.now_us() - begun_us) // SECOND_US)
    resting.forget("it")
    resting.rest("it")

    assert pauses == [0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert resting.may("it")
