"""Time handed down: a tenth less at each hop, and nothing asked when there is no time for the answer."""

import pytest

from services.chassis import deadlines
from services.chassis.deadlines import at_most, remaining_us, time_for_call_us, within
from services.chassis.refusals import Kind, Refusal
from tests.support.clock import ManualClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(deadlines, "_monotonic_us", clock.now_us)
    return clock


def test_outside_of_a_call_only_the_own_limit_counts(clock: ManualClock) -> None:
    assert remaining_us() is None
    assert time_for_call_us(3_000_000) == 3_000_000


def test_a_call_gets_nine_tenths_of_what_is_left(clock: ManualClock) -> None:
    with within(1_000_000):
        clock.advance(200_000)

        assert remaining_us() == 800_000
        assert time_for_call_us(3_000_000) == 720_000
        assert time_for_call_us(100_000) == 100_000


def test_each_hop_keeps_its_tenth(clock: ManualClock) -> None:
    with within(1_000_000), within(time_for_call_us(5_000_000)):
        assert time_for_call_us(5_000_000) == 810_000


def test_a_bound_never_gives_more_than_is_left(clock: ManualClock) -> None:
    with within(1_000_000), at_most(5_000_000):
        assert remaining_us() == 1_000_000
    with within(1_000_000), at_most(300_000):
        assert remaining_us() == 300_000
    with at_most(300_000):
        assert remaining_us() == 300_000
    assert remaining_us() is None


@pytest.mark.parametrize("spent_us", [999_000, 1_000_000, 2_000_000])
def test_too_little_time_is_a_refusal(clock: ManualClock, spent_us: int) -> None:
    with within(1_000_000):
        clock.advance(spent_us)

        with pytest.raises(Refusal, match="DEADLINE_TOO_SHORT") as refused:
            time_for_call_us(3_000_000)

    assert refused.value.kind is Kind.UNAVAILABLE
