"""When a recall is due: so many calendar days, or business days of a jurisdiction (W2).

A day ends at midnight in the zone of the rule. The day on which the recall is issued does not count, so that
nobody has less than the days that were agreed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.licensing.domain.obligations import Obligations

IsBusinessDay = Callable[[str, date], bool]
"""Whether people work on a day in a jurisdiction, such as US-CA: no weekend, no public holiday."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DeadlineRule:
    """How long a licensee has to answer a recall."""

    days: int
    """0: the platform's own number of calendar days."""
    calendar: str | None
    """The jurisdiction whose business days are counted; None counts calendar days."""
    zone: str
    """The time zone in which days begin, by its IANA name."""


UNREADABLE = DeadlineRule(days=1, calendar=None, zone="UTC")
"""Where the terms are not understood: due earlier than anybody agreed, rather than later."""


def rule_of(obligations: Obligations) -> DeadlineRule:
    """The rule that a license says."""
    calendar = obligations.recall_calendar if obligations.recall_business_days else None
    return DeadlineRule(obligations.recall_deadline_days, calendar, obligations.recall_time_zone or "UTC")


def due_at_us(
    issued_at_us: int, rules: Iterable[DeadlineRule], default_days: int, is_business_day: IsBusinessDay
) -> int:
    """The first instant at which a recall is overdue, by the rule (one at least) that is over first.

    Microseconds since the epoch, UTC. Raises what `is_business_day` raises.
    """
    return min(_due(issued_at_us, rule, default_days, is_business_day) for rule in rules)


def _due(issued_at_us: int, rule: DeadlineRule, default_days: int, is_business_day: IsBusinessDay) -> int:
    zone = ZoneInfo(rule.zone)
    issued = (_EPOCH + issued_at_us * _MICROSECOND).astimezone(zone).date()
    if rule.days == 0 or rule.calendar is None:
        last = issued + (rule.days or default_days) * _DAY
    else:
        last = _business_days_after(issued, rule.days, rule.calendar, is_business_day)
    # Midnight as the zone has it: a day of 23 or 25 hours is a day.
    ends = datetime.combine(last + _DAY, time(), zone)
    return (ends.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _business_days_after(first: date, days: int, calendar: str, is_business_day: IsBusinessDay) -> date:
    day = first
    for _ in range(days):
        day += _DAY
        while not is_business_day(calendar, day):
            day += _DAY
    return day
