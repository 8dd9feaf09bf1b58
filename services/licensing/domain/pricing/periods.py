"""Billing periods: days, months, quarters and years of a time zone, as times in UTC (B4).

A period is [start_us, end_us) in microseconds since the epoch: from the first instant of its first local
date to the first instant of the date after its last. The end of one is the start of the next, so every
instant lies in exactly one, whatever is done to the clocks: where they are put back over midnight, what they
show a second time belongs to the date that had begun.

When the rules of a zone change, so do the times of its labels: what is billed keeps its times with its label.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.licensing.domain.pricing.prices import BillingPeriod

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_US = timedelta(microseconds=1)
_MONTHS = {BillingPeriod.MONTH: 1, BillingPeriod.QUARTER: 3, BillingPeriod.YEAR: 12}
_LONGEST_DAYS = {BillingPeriod.MONTH: 31, BillingPeriod.QUARTER: 92, BillingPeriod.YEAR: 366}
_LABEL = re.compile(r"([0-9]{4})(?:-Q([1-4])|-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """A billing period, or the part of one that lies in a term."""

    label: str
    """2026, 2026-Q4, 2026-11 or 2026-11-26; a part keeps the label of the whole."""
    start_us: int
    end_us: int
    """The first microsecond that is not in it."""


def period_at(time_us: int, period: BillingPeriod, time_zone: str) -> Period:
    """The whole period that a time in UTC lies in.

    Raises OverflowError where the calendar ends (years 1 and 9999), zoneinfo.ZoneInfoNotFoundError.
    """
    return next(_from(time_us, period, ZoneInfo(time_zone)))


def periods_between(from_us: int, until_us: int, period: BillingPeriod, time_zone: str) -> Iterator[Period]:
    """The periods of a term [from_us, until_us) in order, the first and the last cut by it.

    Raises as `period_at`.
    """
    if until_us <= from_us:
        return
    for whole in _from(from_us, period, ZoneInfo(time_zone)):
        yield Period(whole.label, max(whole.start_us, from_us), min(whole.end_us, until_us))
        if until_us <= whole.end_us:
            return


def period_of(label: str, time_zone: str) -> Period:
    """The whole period with a label; raises ValueError where there is none, and as `period_at`."""
    found = _LABEL.fullmatch(label)
    if not found:
        raise ValueError("a period is written like 2026, 2026-Q4, 2026-11 or 2026-11-26")
    year, quarter, month, day = found.groups()
    first = date(int(year), 3 * int(quarter) - 2 if quarter else int(month or 1), int(day or 1))
    if quarter:
        period = BillingPeriod.QUARTER
    elif day:
        period = BillingPeriod.DAY
    else:
        period = BillingPeriod.MONTH if month else BillingPeriod.YEAR
    whole = _whole(first, period, ZoneInfo(time_zone))
    if whole.start_us == whole.end_us:
        raise ValueError(f"clocks of {time_zone} skipped {label}")
    return whole


def month_of(period: Period, time_zone: str) -> str:
    """The month in which a period, or the part of one, begins: 2026-11.

    Where its label says no month it is that of its first instant in the zone, inside the whole: the zone may
    be that of a later version of the license. Raises as `period_at`.
    """
    year, _, rest = period.label.partition("-")
    if rest and not rest.startswith("Q"):
        return period.label[:7]
    begins = _local_date(period.start_us, ZoneInfo(time_zone)).isoformat()[:7]
    first, last = (3 * int(rest[1:]) - 2, 3 * int(rest[1:])) if rest else (1, 12)
    return min(max(begins, f"{year}-{first:02d}"), f"{year}-{last:02d}")


def local_text(time_us: int, time_zone: str) -> str:
    """A time as clocks of a zone show it, with its offset to UTC: 2026-11-01T00:00:00-04:00.

    Raises OverflowError, zoneinfo.ZoneInfoNotFoundError.
    """
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(ZoneInfo(time_zone)).isoformat()


def _from(time_us: int, period: BillingPeriod, zone: ZoneInfo) -> Iterator[Period]:
    """The period that a time lies in and all after it, but for those that clocks skipped."""
    first = _first_date(_local_date(time_us, zone), period)
    while True:
        whole = _whole(first, period, zone)
        # Before its end, not of its date: clocks may have been put back over midnight. It is also false for
        # a date that they skipped.
        if time_us < whole.end_us and whole.start_us < whole.end_us:
            yield whole
        first = _next_date(first, period)


def _whole(first: date, period: BillingPeriod, zone: ZoneInfo) -> Period:
    after = _next_date(first, period)
    return Period(_label(first, period), _first_instant_us(first, zone), _first_instant_us(after, zone))


def _first_date(day: date, period: BillingPeriod) -> date:
    if period is BillingPeriod.DAY:
        return day
    return day.replace(month=day.month - (day.month - 1) % _MONTHS[period], day=1)


def _next_date(first: date, period: BillingPeriod) -> date:
    """The first date after a period; raises OverflowError after the year 9999."""
    if period is BillingPeriod.DAY:
        return first + timedelta(days=1)
    return (first + timedelta(days=_LONGEST_DAYS[period])).replace(day=1)


def _label(first: date, period: BillingPeriod) -> str:
    match period:
        case BillingPeriod.DAY:
            return first.isoformat()
        case BillingPeriod.MONTH:
            return first.isoformat()[:7]
        case BillingPeriod.QUARTER:
            return f"{first.year:04d}-Q{(first.month + 2) // 3}"
        case BillingPeriod.YEAR:
            return f"{first.year:04d}"


def _first_instant_us(day: date, zone: ZoneInfo) -> int:
    """When a date begins: at its midnight, the first of two; where it has none, when clocks jump over it."""
    midnight = datetime.combine(day, time(), zone)
    before_us, after_us = _us(midnight), _us(midnight.replace(fold=1))
    if before_us <= after_us:
        return before_us
    # In a gap the two readings lie on both sides of the jump (PEP 495), and the date only rises between them.
    readings = range(after_us, before_us)
    return readings.start + bisect_left(readings, day, key=lambda at_us: _local_date(at_us, zone))


def _us(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _ONE_US


def _local_date(time_us: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone).date()
