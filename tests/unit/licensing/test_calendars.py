"""Which billing periods a license has, and under which version (B4, L1)."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.pricing.calendars import (
    BillablePeriod,
    Licensed,
    PricedVersion,
    asked_period,
    billable_periods,
)
from services.licensing.domain.pricing.prices import BillingPeriod, PerUnit, Price
from tests.support.billing import instant
from tests.support.prices import a_price

UTC_MONTHS = a_price(PerUnit(Decimal(1)), period=BillingPeriod.MONTH, time_zone="UTC")
FROM_US, UNTIL_US = instant("2025-01-01T00:00"), instant("2026-01-01T00:00")


def a_version(number: int = 1, since: str = "2025-01-01T00:00", **changes: Any) -> PricedVersion:
    version = PricedVersion(number, instant(since), bytes(32), FROM_US, UNTIL_US, UTC_MONTHS)
    return replace(version, **changes)


def a_licensed(*versions: PricedVersion, terminated: str | None = None) -> Licensed:
    ended_us = instant(terminated) if terminated else None
    return Licensed("license-1", "licensee-1", "Licensee", ended_us, versions or (a_version(),))


def told(periods: list[BillablePeriod]) -> list[tuple[str, int]]:
    return [(each.period.label, each.version.number) for each in periods]


def test_periods_go_from_the_beginning_of_the_term_to_the_time_that_is_asked_about() -> None:
    periods = billable_periods(a_licensed(), instant("2025-03-15T00:00"))

    assert told(periods) == [("2025-01", 1), ("2025-02", 1), ("2025-03", 1)]


def test_the_first_and_the_last_are_cut_by_the_term_and_take_what_was_counted_beside_it() -> None:
    term: dict[str, Any] = {
        "term_from_us": instant("2025-01-10T00:00"),
        "term_until_us": instant("2025-02-10T00:00"),
    }

    first, last = billable_periods(a_licensed(a_version(**term)), UNTIL_US)

    assert (first.period.start_us, last.period.end_us) == tuple(term.values())
    assert (first.counted_from_us, first.counted_until_us) == (None, instant("2025-02-01T00:00"))
    assert (last.counted_from_us, last.counted_until_us) == (instant("2025-02-01T00:00"), None)


def test_a_period_in_which_the_license_was_first_in_force_begins_with_the_calendar() -> None:
    periods = billable_periods(a_licensed(a_version(since="2025-03-10T00:00")), instant("2025-04-02T00:00"))

    assert told(periods) == [("2025-03", 1), ("2025-04", 1)]
    assert periods[0].period.start_us == instant("2025-03-01T00:00")


def test_an_amendment_counts_from_the_next_period_on() -> None:
    licensed = a_licensed(a_version(), a_version(2, "2025-02-01T00:00"), a_version(3, "2025-02-02T00:00"))

    assert told(billable_periods(licensed, instant("2025-03-02T00:00"))) == [
        ("2025-01", 1),
        ("2025-02", 2),
        ("2025-03", 3),
    ]


def test_under_a_version_without_a_price_nothing_is_billed() -> None:
    licensed = a_licensed(
        a_version(price=None),
        a_version(2, "2025-02-10T00:00"),
        a_version(3, "2025-03-20T00:00", price=None),
    )

    (first, second) = billable_periods(licensed, instant("2025-06-01T00:00"))

    assert (first.period.start_us, first.counted_from_us) == (instant("2025-02-10T00:00"),) * 2
    # The price of March is that of its first instant.
    assert (second.period.label, second.counted_until_us) == ("2025-03", instant("2025-04-01T00:00"))


def test_between_the_end_of_a_term_and_its_renewal_nothing_is_billed_and_nothing_is_lost() -> None:
    licensed = a_licensed(
        a_version(term_until_us=instant("2025-03-01T00:00")), a_version(2, "2025-06-10T00:00")
    )

    periods = billable_periods(licensed, instant("2025-07-01T00:00"))

    assert told(periods) == [("2025-01", 1), ("2025-02", 1), ("2025-06", 2)]
    assert periods[1].counted_until_us == periods[2].counted_from_us == instant("2025-06-01T00:00")


def test_a_license_that_was_terminated_has_no_later_period() -> None:
    periods = billable_periods(a_licensed(terminated="2025-02-10T00:00"), UNTIL_US)

    assert (told(periods)[-1], periods[-1].period.end_us) == (("2025-02", 1), instant("2025-02-10T00:00"))


def test_what_was_never_in_force_has_no_period() -> None:
    licensed = replace(a_licensed(), versions=())

    assert billable_periods(licensed, UNTIL_US) == []
    with pytest.raises(Refusal, match="LICENSE_HAS_NO_PRICE"):
        asked_period(licensed, "2025-01", (), UNTIL_US)


def test_of_two_periods_with_one_label_the_first_that_is_not_invoiced_is_meant() -> None:
    kathmandu, honolulu = (
        a_price(PerUnit(Decimal(1)), period=BillingPeriod.MONTH, time_zone=zone)
        for zone in ("Asia/Kathmandu", "Pacific/Honolulu")
    )
    began = instant("2025-01-31T18:15")
    licensed = a_licensed(
        a_version(price=kathmandu),
        a_version(2, "2025-01-31T18:15", price=None),
        a_version(3, "2025-01-31T18:16", price=honolulu),
    )
    first, second = billable_periods(licensed, instant("2025-02-01T10:00"))

    assert (first.period.label, second.period.label) == ("2025-01", "2025-01")
    assert (first.counted_until_us, second.counted_from_us) == (began, instant("2025-01-31T18:16"))
    cut_off_us = instant("2025-02-05T00:00")
    assert asked_period(licensed, "2025-01", (), cut_off_us) == first
    assert asked_period(licensed, "2025-01", [first.period], cut_off_us) == second


TIMES = st.integers(FROM_US - 40 * 86_400_000_000, UNTIL_US + 40 * 86_400_000_000)
PRICES: st.SearchStrategy[Price | None] = st.none() | st.builds(
    lambda period, zone: a_price(PerUnit(Decimal(1)), period=period, time_zone=zone),
    st.sampled_from([BillingPeriod.MONTH, BillingPeriod.QUARTER, BillingPeriod.DAY]),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]),
)


@st.composite
def licenses(draw: st.DrawFn) -> Licensed:
    since = sorted(draw(st.lists(TIMES, min_size=1, max_size=4)))
    versions = [
        PricedVersion(number, from_us, bytes(32), FROM_US, draw(TIMES), draw(PRICES))
        for number, from_us in enumerate(since, 1)
    ]
    return Licensed("license-1", "licensee-1", "Licensee", draw(st.none() | TIMES), tuple(versions))


@given(licenses(), TIMES, st.lists(TIMES, max_size=30))
def test_b4_every_instant_is_billed_in_one_period_at_most_and_in_order(
    licensed: Licensed, before_us: int, times: list[int]
) -> None:
    periods = billable_periods(licensed, before_us)

    for one, other in itertools.pairwise(periods):
        assert one.period.start_us < one.period.end_us <= other.period.start_us
        assert one.counted_until_us is not None
        assert other.counted_from_us is not None
        assert one.counted_until_us <= other.counted_from_us
    for time_us in times:
        inside = [
            each
            for each in periods
            if (each.counted_from_us is None or each.counted_from_us <= time_us)
            and (each.counted_until_us is None or time_us < each.counted_until_us)
        ]
        assert len(inside) <= 1


@given(licenses(), st.lists(TIMES, min_size=2, max_size=2))
def test_periods_are_the_same_however_far_one_looks(licensed: Licensed, times: list[int]) -> None:
    near_us, far_us = sorted(times)

    near = [each.period.start_us for each in billable_periods(licensed, near_us)]
    far = [each.period.start_us for each in billable_periods(licensed, far_us)]

    assert far[: len(near)] == near


@given(licenses(), TIMES, st.lists(st.integers(-3_600_000_000, 3_600_000_000), max_size=30))
def test_b4_periods_that_were_invoiced_keep_their_first_instants_and_none_overlaps(
    licensed: Licensed, before_us: int, moves: list[int]
) -> None:
    periods = billable_periods(licensed, before_us)
    moved = (
        replace(each.period, start_us=each.period.start_us + by)
        for each, by in zip(periods[1:], moves, strict=False)
    )
    invoiced = [*(each.period for each in periods[:1]), *moved] if moves else []

    try:
        kept = billable_periods(licensed, before_us, invoiced)
    except Refusal as refusal:
        # Cut by the term, a period may be shorter than it is moved.
        assert refusal.reason == "CALENDAR_CHANGED"
        return

    until_us = min(licensed.until_us, before_us)
    wanted = {(each.label, each.start_us) for each in invoiced if each.start_us < until_us}
    assert wanted <= {(each.period.label, each.period.start_us) for each in kept}
    for one, other in itertools.pairwise(kept):
        assert one.period.start_us < one.period.end_us <= other.period.start_us
        assert one.counted_until_us is not None
        assert other.counted_from_us is not None
        assert one.counted_until_us <= other.counted_from_us
