"""When recalls are due: calendar days, business days, zones, and the strictest of several rules (W2)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.licensing.business_days import is_business_day, knows_calendar
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.recalls.deadlines import DeadlineRule, due_at_us, rule_of

CALENDAR = DeadlineRule(10, None, "UTC")


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def due(issued: str, *rules: DeadlineRule, zone: str = "UTC") -> str:
    due_us = due_at_us(at(issued, zone), rules, 30, is_business_day)
    return datetime.fromtimestamp(due_us / 1_000_000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def test_the_day_of_issue_does_not_count_and_the_last_day_counts_whole() -> None:
    assert due("2026-03-02 09:00", CALENDAR) == "2026-03-13 00:00"
    assert due("2026-03-02 00:00", CALENDAR) == "2026-03-13 00:00"


def test_no_days_of_a_license_are_the_days_of_the_platform() -> None:
    assert due("2026-03-02 09:00", DeadlineRule(0, None, "UTC")) == "2026-04-02 00:00"


def test_a_recall_is_due_by_the_rule_that_is_over_first() -> None:
    week = DeadlineRule(5, "DE-BY", "Europe/Berlin")

    assert due("2026-03-02 09:00", CALENDAR, week, zone="Europe/Berlin") == "2026-03-10 00:00"


@pytest.mark.parametrize(
    ("calendar", "last"),
    [
        ("DE", "2026-08-18 00:00"),  # Assumption day is no holiday of the whole country, and a Saturday
        ("US", "2026-08-18 00:00"),
    ],
)
def test_weekends_are_no_business_days(calendar: str, last: str) -> None:
    assert due("2026-08-13 09:00", DeadlineRule(2, calendar, "UTC")) == last


def test_holidays_of_a_part_of_a_country_count_there_alone() -> None:
    # Corpus Christi, Thursday 4 June 2026, is a holiday in Bavaria and not in Berlin.
    assert due("2026-06-03 09:00", DeadlineRule(1, "DE-BY", "UTC")) == "2026-06-06 00:00"
    assert due("2026-06-03 09:00", DeadlineRule(1, "DE-BE", "UTC")) == "2026-06-05 00:00"


def test_a_holiday_that_is_observed_on_another_day_counts_then() -> None:
    # 4 July 2026 is a Saturday: the Friday before is off.
    assert due("2026-07-02 09:00", DeadlineRule(1, "US-CA", "UTC")) == "2026-07-07 00:00"


def test_the_days_of_a_law_that_counts_fifteen_business_days() -> None:
    # Without Thanksgiving and, in California, the day after; midnight there is 8 o'clock UTC.
    assert due("2026-11-16 12:00", DeadlineRule(15, "US-CA", "America/Los_Angeles")) == "2026-12-10 08:00"


def test_a_day_begins_at_midnight_of_its_zone_also_when_clocks_are_changed() -> None:
    # In Berlin clocks go forward on 29 March 2026: the ten days are 239 hours.
    rule = DeadlineRule(10, None, "Europe/Berlin")
    issued_us = at("2026-03-20 00:00", "Europe/Berlin")

    assert due_at_us(issued_us, [rule], 30, is_business_day) - issued_us == (11 * 24 - 1) * 3_600_000_000


@settings(max_examples=60)
@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)),
    st.integers(1, 25),
    st.sampled_from(["US-CA", "DE-BY", "FR", "JP"]),
)
def test_business_days_are_as_many_as_a_walk_through_the_days_counts(
    issued: datetime, days: int, calendar: str
) -> None:
    issued_us = int(issued.replace(tzinfo=UTC).timestamp()) * 1_000_000

    due_us = due_at_us(issued_us, [DeadlineRule(days, calendar, "UTC")], 30, is_business_day)

    first, end = issued.date() + timedelta(days=1), datetime.fromtimestamp(due_us / 1_000_000, UTC).date()
    between = [first + timedelta(days=offset) for offset in range((end - first).days)]
    assert sum(is_business_day(calendar, day) for day in between) == days
    assert is_business_day(calendar, between[-1]), "and the last of them is one"


def test_a_calendar_that_is_not_known_has_the_days_of_the_week() -> None:
    assert not knows_calendar("US-ZZ")
    assert not knows_calendar("AQQ")
    assert is_business_day("US-ZZ", date(2026, 12, 25))
    assert not is_business_day("US-ZZ", date(2026, 12, 26))


def test_the_rule_is_what_the_license_says() -> None:
    plain = Obligations(30, True)
    strict = Obligations(
        15,
        True,
        recall_business_days=True,
        recall_calendar="US-CA",
        recall_time_zone="America/Los_Angeles",
    )

    assert rule_of(plain) == DeadlineRule(30, None, "UTC")
    assert rule_of(strict) == DeadlineRule(15, "US-CA", "America/Los_Angeles")
