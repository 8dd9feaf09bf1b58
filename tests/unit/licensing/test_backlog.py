"""Withdrawals in hand: a stretch of the stream without a hole (W5)."""

import pytest

from services.chassis.refusals import Refusal
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal


def at(number: int, epoch: int = 1) -> Revision:
    return Revision(epoch, number)


def a_withdrawal(number: int, epoch: int = 1) -> Withdrawal:
    return Withdrawal(at(number, epoch), Cause.CHOICE, number * 1_000, subject_id=7)


def a_backlog(*numbers: int, start: int = 0, most: int = 10) -> Backlog:
    backlog = Backlog(most)
    backlog.begin(at(start))
    for number in numbers:
        backlog.add(a_withdrawal(number))
    return backlog


def numbers(backlog: Backlog, scanned: int, fence: int, limit: int = 10) -> list[int]:
    return [each.revision.number for each in backlog.page(at(scanned), at(fence), limit)]


def test_a_page_lies_behind_what_is_scanned_and_not_past_the_fence() -> None:
    backlog = a_backlog(2, 4, 6, 9)

    assert numbers(backlog, 2, 6) == [4, 6]
    assert numbers(backlog, 0, 9, limit=2) == [2, 4]
    assert numbers(backlog, 0, 1) == []


def test_there_is_no_page_where_what_follows_is_not_in_hand() -> None:
    backlog = a_backlog(6, start=5)

    assert numbers(backlog, 3, 6) == []
    assert numbers(backlog, 5, 6) == [6]


def test_what_another_process_has_scanned_is_dropped() -> None:
    backlog = a_backlog(2, 4, 6)

    backlog.drop(at(4))

    assert (len(backlog), backlog.oldest_at_us, backlog.newest) == (1, 6_000, at(6))


def test_a_stream_is_taken_up_again_where_it_was_cut_off() -> None:
    backlog = a_backlog(2, 4)

    backlog.begin(at(2))

    assert (backlog.followed, numbers(backlog, 2, 9)) == (at(4), [4])


def test_a_process_that_has_fallen_behind_begins_where_the_others_are() -> None:
    backlog = a_backlog(2, 4)

    backlog.begin(at(8))

    assert (backlog.followed, backlog.newest, numbers(backlog, 8, 9)) == (at(8), None, [])


def test_a_checkpoint_moves_what_was_followed_and_not_the_newest_withdrawal() -> None:
    backlog = a_backlog(2)

    backlog.reach(at(7))

    assert (backlog.followed, backlog.newest) == (at(7), at(2))


def test_a_later_epoch_follows_an_earlier_one_whatever_its_numbers() -> None:
    backlog = a_backlog(9)

    backlog.add(a_withdrawal(3, epoch=2))

    assert backlog.page(at(9), at(3, epoch=2), 10) == [a_withdrawal(3, epoch=2)]


@pytest.mark.parametrize("number", [1, 4])
def test_a_stream_that_goes_back_or_repeats_is_not_believed(number: int) -> None:
    backlog = a_backlog(2, 4)

    with pytest.raises(Refusal, match="PEER_ANSWER_INVALID"):
        backlog.add(a_withdrawal(number))
    if number < 4:
        with pytest.raises(Refusal, match="PEER_ANSWER_INVALID"):
            backlog.reach(at(number))


def test_as_many_as_may_be_are_in_hand() -> None:
    assert a_backlog(1, 2, most=2).is_full
    assert not a_backlog(1, most=2).is_full


def test_whoever_sleeps_without_anything_in_hand_is_woken_by_the_first_and_not_after_the_last() -> None:
    backlog = a_backlog()
    was_empty = backlog.in_hand.is_set()

    backlog.add(a_withdrawal(2))
    backlog.add(a_withdrawal(4))
    backlog.drop(at(2))
    had_one = backlog.in_hand.is_set()
    backlog.drop(at(4))
    had_none = backlog.in_hand.is_set()
    backlog.add(a_withdrawal(6))
    backlog.begin(at(9))

    assert (was_empty, had_one, had_none) == (False, True, False)
    assert not backlog.in_hand.is_set()
