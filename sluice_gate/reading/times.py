"""The time of a post, in the forms that platforms write it.

A time without a zone is not a time: it is refused unless the caller says which zone it is in.
"""

import re
from datetime import date
from functools import lru_cache

from sluice_gate.errors import FormError
from sluice_gate.reading.values import Unreadable

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
DAY_US = 24 * 60 * MINUTE_US

_EPOCH = date(1970, 1, 1).toordinal()
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
    )
}
_X_FORM = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) ([+-]\d\d)(\d\d) (\d{4})", re.ASCII
)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-]\d\d):(\d\d))?", re.ASCII
)
_ZONE = re.compile(r"([+-]\d\d):(\d\d)", re.ASCII)

# Up to here a number is taken for seconds, then milliseconds, then microseconds: years 1973 to 5138 in each.
_SECONDS_BELOW = 10**11
_MILLISECONDS_BELOW = 10**14
_MICROSECONDS_BELOW = 10**17


def zone_offset_us(zone: str | None) -> int | None:
    """What to take off a local time in `zone` ("UTC" or an offset such as "+02:00"). Raises FormError."""
    if zone is None:
        return None
    if zone.upper() in {"UTC", "Z"}:
        return 0
    match = _ZONE.fullmatch(zone)
    if not match:
        raise FormError("ZONE_UNKNOWN", f"{zone!r} is not a zone: say UTC or an offset such as +02:00")
    return _offset_us(match[1], match[2])


def time_us(value: object, zone_us: int | None) -> int:
    """Microseconds since the epoch, UTC, out of RFC 3339, X's own form, or a number since the epoch.

    `zone_us` is the offset of times without a zone, None to refuse them. Raises Unreadable.
    """
    if type(value) is int:
        return _since_epoch_us(value)
    if not isinstance(value, str) or not value:
        raise Unreadable("time is missing" if value is None or value == "" else "time is not a whole number")
    if value.isascii() and value.isdigit() and len(value) <= 18:
        return _since_epoch_us(int(value))
    return x_time_us(value) if value[0].isalpha() else _rfc3339_us(value, zone_us)


def x_time_us(value: object) -> int:
    """Microseconds out of X's form, such as `Tue Apr 19 00:02:06 +0000 2016`. Raises Unreadable."""
    match = _X_FORM.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise Unreadable("time is not in a known form")
    month, day, hour, minute, second, zone_hours, zone_minutes, year = match.groups()
    start = _day_us(int(year), _MONTHS.get(month, 0), int(day))
    offset = 0 if zone_hours == "+00" and zone_minutes == "00" else _offset_us(zone_hours, zone_minutes)
    return start + _clock_us(int(hour), int(minute), int(second)) - offset


def _rfc3339_us(value: str, zone_us: int | None) -> int:
    match = _RFC3339.fullmatch(value)
    if not match:
        raise Unreadable("time is not in a known form")
    year, month, day, hour, minute, second, fraction, utc, zone_hours, zone_minutes = match.groups()
    if utc:
        offset = 0
    elif zone_hours:
        offset = _offset_us(zone_hours, zone_minutes)
    elif zone_us is None:
        raise Unreadable("time has no zone, and none was given for the file")
    else:
        offset = zone_us
    within = _clock_us(int(hour), int(minute), int(second)) + int((fraction or "0")[:6].ljust(6, "0"))
    return _day_us(int(year), int(month), int(day)) + within - offset


def _since_epoch_us(number: int) -> int:
    if 0 <= number < _SECONDS_BELOW:
        return number * SECOND_US
    if 0 <= number < _MILLISECONDS_BELOW:
        return number * 1_000
    if 0 <= number < _MICROSECONDS_BELOW:
        return number
    raise Unreadable("time is out of range")


@lru_cache(maxsize=4096)
def _day_us(year: int, month: int, day: int) -> int:
    try:
        return (date(year, month, day).toordinal() - _EPOCH) * DAY_US
    except ValueError as error:
        raise Unreadable("time names a day that does not exist") from error


def _clock_us(hour: int, minute: int, second: int) -> int:
    if hour > 23 or minute > 59 or second > 59:
        raise Unreadable("time names an hour that does not exist")
    return (hour * 3600 + minute * 60 + second) * SECOND_US


def _offset_us(hours: str, minutes: str) -> int:
    magnitude = abs(int(hours)) * 60 + int(minutes)
    if magnitude > 24 * 60 or int(minutes) > 59:
        raise Unreadable("time names a zone that does not exist")
    return (-magnitude if hours[0] == "-" else magnitude) * MINUTE_US
