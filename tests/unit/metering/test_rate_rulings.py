"""M1, M8: a call counts in all of its limits or in none, over windows that are exact to the microsecond."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.metering.domain.rates.limits import Limited, Unit
from services.metering.domain.rates.rulings import Ruling, retry_at_us, rule
from services.metering.domain.rates.windows import CallWindow
from services.metering.domain.windows import HOUR_US, MINUTE_US, SECOND_US
from tests.support.clock import NOON_US
from tests.support.rate_limits import EveryCall, a_call, a_limited

LIMITS = (
    a_limited("a", 3),
    a_limited("b", 5, Unit.MINUTE),
    a_limited("c", 2, is_shadow=True),
    a_limited("d", 8, Unit.HOUR),
)
STEPS_US = st.one_of(
    st.integers(0, 2 * SECOND_US),
    st.sampled_from([0, 1, SECOND_US - 1, SECOND_US, SECOND_US + 1, MINUTE_US - 1, MINUTE_US, HOUR_US]),
)
CALLS = st.tuples(STEPS_US, st.sets(st.sampled_from(LIMITS), min_size=1), st.integers(1, 3))


def windows_of(*limits: Limited) -> dict[str, CallWindow]:
    return {each.key: CallWindow.empty(each.limit.unit.length_us) for each in limits}


@settings(max_examples=150)
@given(st.lists(CALLS, max_size=30))
def test_every_ruling_is_that_of_a_list_of_all_calls(history: list[tuple[int, set[Limited], int]]) -> None:
    truth, windows, now_us = EveryCall(), windows_of(*LIMITS), NOON_US
    for step_us, limits, calls in history:
        now_us += step_us
        asked = a_call(*sorted(limits, key=lambda each: each.key), calls=calls)
        over = {each.key: not truth.fits(each, calls, now_us) for each in limits}

        ruling = rule(windows, asked, now_us)

        assert truth.count(asked, now_us) == (not ruling.denying)
        for each in limits:
            standing = ruling.standings[each.key]
            assert standing.is_over == over[each.key]
            assert standing.left == each.limit.calls - truth.used(each, now_us)
            if standing.is_over:
                assert standing.until_us == truth.fits_at_us(each, calls, now_us)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(-SECOND_US, SECOND_US), st.sets(st.sampled_from(LIMITS[:2]), min_size=1)))
)
def test_no_window_holds_more_than_its_limit_however_clocks_differ(
    history: list[tuple[int, set[Limited]]],
) -> None:
    admitted, windows, now_us = EveryCall(), windows_of(*LIMITS), NOON_US
    for step_us, limits in history:
        now_us += step_us
        ruling = rule(windows, a_call(*limits), now_us)
        if not ruling.denying:
            admitted.calls += [(each.key, ruling.at_us, 1) for each in limits]

    assert all(admitted.fullest(each) <= each.limit.calls for each in LIMITS)


def test_what_is_denied_by_one_limit_eats_no_room_of_another() -> None:
    narrow, wide = a_limited("narrow", 1), a_limited("wide", 3)
    windows = windows_of(narrow, wide)

    denied = [bool(rule(windows, a_call(narrow, wide), NOON_US).denying) for _ in range(10)]

    assert denied == [False, *[True] * 9]
    assert windows["wide"].used == 1


def test_a_call_leaves_the_window_exactly_when_its_length_has_passed() -> None:
    windows, limit = windows_of(a_limited("a", 1)), a_limited("a", 1)
    rule(windows, a_call(limit), NOON_US)

    early = rule(windows, a_call(limit), NOON_US + SECOND_US - 1)
    late = rule(windows, a_call(limit), NOON_US + SECOND_US)

    assert [each.until_us for each in early.denying] == [NOON_US + SECOND_US]
    assert not late.denying


def test_five_in_five_is_five_and_not_nine_and_no_boundary_admits_twice_the_limit() -> None:
    limit = a_limited("a", 5)
    windows = windows_of(limit)

    before = [rule(windows, a_call(limit), NOON_US + SECOND_US - 1) for _ in range(9)]
    after = [rule(windows, a_call(limit), NOON_US + SECOND_US + 1) for _ in range(9)]

    assert sum(not each.denying for each in before) == 5
    assert sum(not each.denying for each in after) == 0


def test_a_limit_that_is_only_tried_out_is_over_and_denies_nothing() -> None:
    tried, kept = a_limited("tried", 1, is_shadow=True), a_limited("kept", 3)
    windows = windows_of(tried, kept)

    rulings: list[Ruling] = [rule(windows, a_call(tried, kept), NOON_US) for _ in range(3)]

    assert [each.standings["tried"].is_over for each in rulings] == [False, True, True]
    assert not any(each.denying for each in rulings)
    assert windows["kept"].used == 3


def test_a_call_that_can_never_fit_is_told_no_time() -> None:
    limit, short = a_limited("a", 2), a_limited("b", 1)
    windows = windows_of(limit, short)
    rule(windows, a_call(short), NOON_US)

    ruling = rule(windows, a_call(limit, short, calls=3), NOON_US)

    assert len(ruling.denying) == 2
    assert retry_at_us(ruling.denying) is None


def test_whoever_waits_as_long_as_they_are_told_finds_room_in_all_limits() -> None:
    quick, slow = a_limited("quick", 1), a_limited("slow", 1, Unit.MINUTE)
    windows = windows_of(quick, slow)
    rule(windows, a_call(quick, slow), NOON_US)
    denied = rule(windows, a_call(quick, slow), NOON_US + 1)

    until_us = retry_at_us(denied.denying)

    assert until_us == NOON_US + MINUTE_US
    assert not rule(windows, a_call(quick, slow), until_us).denying


def test_a_limit_that_was_lowered_below_what_is_counted_has_nothing_left() -> None:
    windows = windows_of(a_limited("a", 5))
    for _ in range(5):
        rule(windows, a_call(a_limited("a", 5)), NOON_US)

    ruling = rule(windows, a_call(a_limited("a", 2)), NOON_US + 1)

    assert ruling.standings["a"].left == 0
    assert ruling.standings["a"].until_us == NOON_US + SECOND_US
