"""What is said of a form whose calls were not all answered."""

import pytest

from services.chassis.refusals import Kind, Refusal, exhausted, unavailable
from services.console.web.unfinished import PARTLY_DONE, all_of

BUSY = exhausted("OVERLOADED", "later", retry_after_us=2_000_000)
SILENT = unavailable("PEER_UNAVAILABLE", "no answer")


def refused(*answers: int | BaseException) -> Refusal:
    with pytest.raises(Refusal) as raised:
        all_of(answers)
    return raised.value


def test_all_answers_are_all_of_them() -> None:
    assert all_of([1, 2]) == [1, 2]


@pytest.mark.parametrize("answers", [(1, BUSY), (BUSY, 1), (SILENT, 1, BUSY)])
def test_where_a_part_was_carried_out_that_is_said(answers: tuple[int | BaseException, ...]) -> None:
    assert refused(*answers).reason == PARTLY_DONE


def test_what_can_be_done_about_it_stays_as_it_was() -> None:
    refusal = refused(1, BUSY)

    assert (refusal.kind, refusal.retry_after_us) == (Kind.EXHAUSTED, 2_000_000)


def test_what_may_have_been_carried_out_counts_for_more_than_what_was_not() -> None:
    assert refused(BUSY, SILENT) is SILENT
    assert refused(BUSY, BUSY) is BUSY


def test_a_fault_of_the_program_is_no_refusal() -> None:
    with pytest.raises(KeyError):
        all_of([1, KeyError("x")])
