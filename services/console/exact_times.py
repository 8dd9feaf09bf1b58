"""Times that count to the microsecond, as other programs write them: without a zone they are no times."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.timestamp_pb2 import Timestamp

EASTERNMOST_MINUTES = 14 * 60
WESTERNMOST_MINUTES = -12 * 60
"""Of the offsets that clocks on earth are set to."""

_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)"
    r"(|[Zz]|[+-][0-9]{2}:?[0-9]{2})"
)


def read_exact(text: str, zone: tzinfo | None) -> Timestamp:
    """A time like 2026-01-31T12:00:00.25+01:00; digits after the sixth of a second are cut off.

    Without a zone of its own it is one of `zone`; raises ValueError, also where there is none.
    """
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise ValueError(f"a time like 2026-01-31T12:00:00Z is expected, not {text[:60]!r}")
    date, clock, own = match.groups()
    if not own and zone is None:
        raise ValueError(f"{text[:60]!r} has no zone; --zone says which one such times are of")
    try:
        local = datetime.fromisoformat(f"{date}T{clock}")
    except ValueError:
        raise ValueError(f"there is no such time as {text[:60]!r}") from None
    return stamp(local, offset(own) if own else zone or UTC)


def offset(text: str) -> timezone:
    """The zone that Z, +0100 or +01:00 stands for; raises ValueError where no clock is set to it."""
    if text in ("Z", "z"):
        return UTC
    match = _OFFSET.fullmatch(text)
    minutes = int(match[1] + "1") * (60 * int(match[2]) + int(match[3])) if match else None
    if not match or minutes is None or int(match[3]) >= 60:
        raise ValueError(f"{text[:60]!r} is no zone; one like +01:00 is")
    if not WESTERNMOST_MINUTES <= minutes <= EASTERNMOST_MINUTES:
        raise ValueError(f"{text[:60]!r} is no zone: clocks go from -12:00 to +14:00")
    return timezone(timedelta(minutes=minutes))


def zone_of(text: str) -> tzinfo:
    """A zone by its name in the database of zones, or by its offset; raises ValueError."""
    if text[:1] in {"+", "-"} or text in ("Z", "z"):
        return offset(text)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"a zone like Europe/Berlin or +01:00 is expected, not {text[:60]!r}") from None


def stamp(local: datetime, zone: tzinfo) -> Timestamp:
    """What clocks of a zone show, as a time; raises ValueError where they showed it twice, or never."""
    first = local.replace(tzinfo=zone)
    # Where the two differ a clock was put back or forward: nobody can say which of them was meant.
    if first.utcoffset() != first.replace(fold=1).utcoffset():
        raise ValueError(f"clocks of {zone} showed {local} twice, or never")
    time = Timestamp()
    try:
        time.FromDatetime(first)
    except (ValueError, OverflowError):
        raise ValueError(f"{local} is out of range") from None
    return time
