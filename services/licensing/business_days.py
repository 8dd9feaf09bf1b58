"""Business days of jurisdictions, as the library `holidays` knows them."""

import functools
from datetime import date

import holidays
import structlog

_SATURDAY = 5

_log = structlog.get_logger("business days")


def knows_calendar(jurisdiction: str) -> bool:
    """Whether the public holidays of a jurisdiction, such as US or DE-BY, are known."""
    return _calendar(jurisdiction) is not None


def is_business_day(jurisdiction: str, day: date) -> bool:
    """Whether people work there on a day: it is no weekend and no public holiday.

    Where the holidays are not known any more, Mondays to Fridays count, and it is reported: a recall is not
    to wait for that, and is due earlier rather than later.
    """
    calendar = _calendar(jurisdiction)
    if calendar is None:
        _log.error("the public holidays are not known", jurisdiction=jurisdiction)
        return day.weekday() < _SATURDAY
    return calendar.is_working_day(day)


@functools.cache
def _calendar(jurisdiction: str) -> holidays.HolidayBase | None:
    country, _, part = jurisdiction.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        return None
