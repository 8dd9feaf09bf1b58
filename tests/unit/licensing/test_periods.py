"""Billing periods in time zones, against a slow walk through the year (B4)."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.pricing.periods import (
    Period,
    month_of,
    period_at,
    period_of,
    periods_between,
)
from services.licensing.domain.pricing.prices import BillingPeriod

DAY, MONTH, QUARTER, YEAR = BillingPeriod
HOUR_US = 3_600_000_000
QUARTER_HOUR_US = HOUR_US // 4


def us(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def label(day: date, period: BillingPeriod) -> str:
    """As people write it, spelt out once more."""
    return {
        DAY: f"{day.year:04}-{day.month:02}-{day.day:02}",
        MONTH: f"{day.year:04}-{day.month:02}",
        QUARTER: f"{day.year:04}-Q{[1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4][day.month - 1]}",
        YEAR: f"{day.year:04}",
    }[period]


# Years that are over where rules change often: releases of the tz database differ about Cuba at the end
# of 2026.
YEARS = [
    ("America/New_York", 2026, 365),
    ("Europe/Paris", 2026, 365),
    ("Australia/Lord_Howe", 2026, 365),
    ("Asia/Kathmandu", 2026, 365),
    ("Asia/Kathmandu", 1986, 365),
    ("America/Sao_Paulo", 2018, 365),
    ("Asia/Beirut", 2024, 366),
    ("Africa/Cairo", 2024, 366),
    ("America/Asuncion", 2024, 366),
    ("Pacific/Apia", 2011, 364),
    ("Pacific/Kwajalein", 1993, 364),
    ("Pacific/Kiritimati", 1994, 364),
    ("America/Havana", 2024, 366),
    ("Atlantic/Azores", 2024, 366),
    ("America/Scoresbysund", 2022, 365),
    ("America/St_Johns", 2010, 365),
    ("America/Toronto", 1919, 365),
    ("UTC", 2028, 366),
]


@pytest.mark.parametrize(("zone", "year", "days"), YEARS)
def test_b4_every_quarter_hour_of_a_year_lies_in_exactly_one_period(zone: str, year: int, days: int) -> None:
    clock, from_us, until_us = ZoneInfo(zone), us(f"{year - 1}-12-29T00:00Z"), us(f"{year + 1}-01-03T00:00Z")
    found = {period: list(periods_between(from_us, until_us, period, zone)) for period in BillingPeriod}
    starts = {period: [each.start_us for each in found[period]] for period in BillingPeriod}

    begun = date.min
    for at_us in range(from_us, until_us, QUARTER_HOUR_US):
        shown = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(clock).date()
        # Clocks that are put back over midnight do not take a date back that has begun.
        begun = max(begun, shown)
        for period in BillingPeriod:
            held = found[period][bisect_right(starts[period], at_us) - 1]
            assert (held.start_us <= at_us < held.end_us, held.label) == (True, label(begun, period))

    for periods in found.values():
        assert (periods[0].start_us, periods[-1].end_us) == (from_us, until_us)
        assert all(a.end_us == b.start_us for a, b in pairwise(periods))
    assert sum(each.label.startswith(str(year)) for each in found[DAY]) == days
    assert [each.label for each in found[QUARTER]][1:-1] == [f"{year}-Q{number}" for number in (1, 2, 3, 4)]
    assert [each.label for each in found[MONTH]][1:-1] == [f"{year}-{month:02}" for month in range(1, 13)]


@pytest.mark.parametrize(("zone", "year", "days"), YEARS)
def test_b4_a_period_is_found_by_any_time_in_it_and_by_its_label(zone: str, year: int, days: int) -> None:
    for period in BillingPeriod:
        for each in periods_between(us(f"{year}-01-05T00:00Z"), us(f"{year}-12-28T00:00Z"), period, zone):
            whole = period_of(each.label, zone)

            assert whole.start_us <= each.start_us < each.end_us <= whole.end_us
            for at_us in (whole.start_us, (whole.start_us + whole.end_us) // 2, whole.end_us - 1):
                assert period_at(at_us, period, zone) == whole


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("America/New_York", "2026-03-07", "2026-03-07T05:00Z", 24),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00Z", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00Z", 25),
        ("Europe/Paris", "2026-03-29", "2026-03-28T23:00Z", 23),
        ("Europe/Paris", "2026-10-25", "2026-10-24T22:00Z", 25),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00Z", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30Z", 23.5),
        ("Asia/Kathmandu", "2026-11-26", "2026-11-25T18:15Z", 24),
        # There is no midnight: clocks go from 00:00 to 01:00, or to 00:15.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", 23),
        ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00Z", 23),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00Z", 23),
        ("America/Asuncion", "2024-10-06", "2024-10-06T04:00Z", 23),
        ("America/Havana", "2024-03-10", "2024-03-10T05:00Z", 23),
        ("Atlantic/Azores", "2024-03-31", "2024-03-31T01:00Z", 23),
        ("Asia/Kathmandu", "1986-01-01", "1985-12-31T18:30Z", 23.75),
        # There is none either, and clocks jump before it: from 23:30 to 00:30.
        ("America/Toronto", "1919-03-30", "1919-03-30T05:00Z", 23.5),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30Z", 23.5),
        # There are two: clocks go back from 01:00 to 00:00.
        ("America/Havana", "2024-11-03", "2024-11-03T04:00Z", 25),
        ("Atlantic/Azores", "2024-10-27", "2024-10-27T00:00Z", 25),
        # Clocks go back at midnight, so that 23:00 is shown twice on the date before.
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00Z", 25),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00Z", 24),
        ("Africa/Cairo", "2024-10-31", "2024-10-30T21:00Z", 25),
        # Clocks go back a minute after midnight, to a date that is over.
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30Z", 24),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30Z", 25),
        # The date between these two was skipped.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00Z", 24),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z", 24),
    ],
)
def test_b4_a_day_begins_at_the_first_instant_of_its_date(
    zone: str, day: str, start: str, hours: float
) -> None:
    found = period_of(day, zone)

    assert found == Period(day, us(start), us(start) + round(hours * HOUR_US))
    assert period_at(us(start), DAY, zone) == found
    assert period_at(us(start) - 1, DAY, zone).end_us == us(start)


def test_b4_a_minute_that_is_shown_again_after_midnight_belongs_to_the_day_that_had_begun() -> None:
    again = us("2010-11-07T02:45Z")  # 23:15 on the 6th, the second time

    assert period_at(again, DAY, "America/St_Johns").label == "2010-11-07"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Apia", "2011-12-30"),
        ("Pacific/Kwajalein", "1993-08-21"),
        ("Pacific/Kiritimati", "1994-12-31"),
    ],
)
def test_b4_a_day_that_was_skipped_is_no_period(zone: str, day: str) -> None:
    with pytest.raises(ValueError, match="skipped"):
        period_of(day, zone)


def test_b4_a_month_a_quarter_and_a_year_are_longer_and_shorter_with_the_clocks() -> None:
    zone = "America/New_York"

    assert [period_at(us("2026-11-26T04:25Z"), period, zone) for period in BillingPeriod] == [
        Period("2026-11-25", us("2026-11-25T05:00Z"), us("2026-11-26T05:00Z")),
        Period("2026-11", us("2026-11-01T04:00Z"), us("2026-12-01T05:00Z")),
        Period("2026-Q4", us("2026-10-01T04:00Z"), us("2027-01-01T05:00Z")),
        Period("2026", us("2026-01-01T05:00Z"), us("2027-01-01T05:00Z")),
    ]


def test_b4_the_term_cuts_the_first_and_the_last_period() -> None:
    found = list(periods_between(us("2026-01-15T12:00Z"), us("2026-03-10T00:00Z"), MONTH, "Europe/Paris"))

    assert found == [
        Period("2026-01", us("2026-01-15T12:00Z"), us("2026-01-31T23:00Z")),
        Period("2026-02", us("2026-01-31T23:00Z"), us("2026-02-28T23:00Z")),
        Period("2026-03", us("2026-02-28T23:00Z"), us("2026-03-10T00:00Z")),
    ]


def test_b4_a_term_inside_one_period_is_one_period() -> None:
    from_us, until_us = us("2026-02-10T00:00Z"), us("2026-02-10T00:00Z") + 1

    assert list(periods_between(from_us, until_us, YEAR, "UTC")) == [Period("2026", from_us, until_us)]


def test_b4_a_term_that_ends_with_a_period_has_none_after_it() -> None:
    from_us, until_us = us("2026-01-31T23:00Z"), us("2026-02-28T23:00Z")

    assert [each.label for each in periods_between(from_us, until_us, MONTH, "Europe/Paris")] == ["2026-02"]
    assert list(periods_between(from_us, from_us, MONTH, "Europe/Paris")) == []


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(0), timedelta(days=400)),
    st.sampled_from(BillingPeriod),
    st.sampled_from([zone for zone, _, _ in YEARS]),
)
def test_b4_the_periods_of_a_term_are_the_term(
    begin: datetime, length: timedelta, period: BillingPeriod, zone: str
) -> None:
    from_us, until_us = us(begin.isoformat()), us((begin + length).isoformat())

    found = list(periods_between(from_us, until_us, period, zone))

    edges = [from_us, *[each.end_us for each in found]]
    assert [each.start_us for each in found] == edges[:-1]
    assert edges[-1] == until_us
    assert all(each.start_us < each.end_us for each in found)
    assert len({each.label for each in found}) == len(found)


@pytest.mark.parametrize(
    "label",
    [
        *("", "26", "2026-13", "2026-00", "2026-1", "2026-Q0", "2026-Q5", "2026-q1", "2026-02-29", "0000"),
        *("2026-11-26T00:00", " 2026", "2026\n", "+2026", "2026-11-", "\u0662\u0660\u0662\u0666"),
    ],
)
def test_b4_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(ValueError):
        period_of(label, "UTC")


def test_b4_the_calendar_ends() -> None:
    with pytest.raises(OverflowError):
        period_of("9999", "UTC")
    with pytest.raises(OverflowError):
        period_at(us("9999-12-31T23:59Z"), MONTH, "Asia/Kathmandu")


def test_b4_a_zone_that_nobody_knows_has_no_periods() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        period_at(0, DAY, "Mars/Olympus")


@pytest.mark.parametrize(
    ("label", "begins", "month"),
    [
        ("2025", "2024-12-31T23:00", "2025-01"),
        ("2025", "2025-06-15T12:00", "2025-06"),
        ("2025-Q4", "2025-09-30T22:00", "2025-10"),
        ("2025-Q4", "2025-12-31T22:59", "2025-12"),
        ("2025-11", "2025-11-15T00:00", "2025-11"),
        ("2025-11-30", "2025-11-29T23:00", "2025-11"),
        # Of an earlier version, whose zone lay west or east of this one.
        ("2025", "2025-01-01T05:00", "2025-01"),
        ("2025", "2024-12-31T10:00", "2025-01"),
        ("2025-Q3", "2025-09-30T23:30", "2025-09"),
        ("2025-11", "2025-10-31T12:00", "2025-11"),
    ],
)
def test_a_period_or_the_part_of_one_belongs_to_the_month_in_which_it_begins(
    label: str, begins: str, month: str
) -> None:
    start_us = us(f"{begins}Z")

    assert month_of(Period(label, start_us, start_us + 1), "Europe/Paris") == month
