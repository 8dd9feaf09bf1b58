"""The pace of the sandbox against a list of all that was ever let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.licensing.pacing import MINUTE_US, Pacing
from tests.support.clock import NOON_US

MOST = 10
asked = st.lists(st.tuples(st.integers(0, MINUTE_US), st.integers(1, MOST + 2)), max_size=40)
"""Microseconds since the question before, and posts."""


def in_the_minute_before(taken: list[tuple[int, int]], now_us: int) -> int:
    return sum(posts for at_us, posts in taken if now_us - MINUTE_US < at_us <= now_us)


@given(asked)
def test_all_that_fits_into_every_minute_is_let_through_and_nothing_else(
    questions: list[tuple[int, int]],
) -> None:
    pacing, taken, now_us = Pacing(MOST), list[tuple[int, int]](), NOON_US
    for pause_us, posts in questions:
        now_us += pause_us
        fits = in_the_minute_before(taken, now_us) + posts <= MOST
        try:
            pacing.take("pipeline:exports", posts, now_us)
        except Refusal as refusal:
            assert not fits
            if refusal.kind is Kind.EXHAUSTED:
                assert refusal.retry_after_us is not None
                free_us = now_us + refusal.retry_after_us
                # Exactly then there is room for it, and not a microsecond before.
                assert in_the_minute_before(taken, free_us) + posts <= MOST
                assert in_the_minute_before(taken, free_us - 1) + posts > MOST
        else:
            assert fits
            taken.append((now_us, posts))


def test_what_is_too_much_for_any_minute_is_told_so_and_not_to_come_back() -> None:
    with pytest.raises(Refusal, match="TOO_MANY_POSTS") as refused:
        Pacing(MOST).take("pipeline:exports", MOST + 1, NOON_US)

    assert refused.value.retry_after_us is None


def test_each_caller_has_a_pace_of_its_own() -> None:
    pacing = Pacing(MOST)
    pacing.take("pipeline:exports", MOST, NOON_US)

    pacing.take("pipeline:firehose", MOST, NOON_US)

    with pytest.raises(Refusal, match="SANDBOX_LIMIT"):
        pacing.take("pipeline:exports", 1, NOON_US + MINUTE_US - 1)
