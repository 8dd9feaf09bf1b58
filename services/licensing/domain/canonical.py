"""The one form in which licensing writes JSON that is digested or signed (docs/receipt-format.md)."""

import json
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_US = timedelta(microseconds=1)

EARLIEST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _ONE_US
LATEST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _ONE_US
"""RFC 3339 has years of four digits: the first and the last microsecond that can be written."""


def canonical_json(value: object) -> bytes:
    """UTF-8 with sorted keys, no spaces, and no escapes but the necessary ones; floats do not occur."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def rfc3339(time_us: int) -> str:
    """Microseconds since the epoch as RFC 3339 in UTC with six digits; raises OverflowError out of range."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def rfc3339_us(text: str) -> int:
    """The microseconds that `rfc3339` wrote; raises ValueError for any other form."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    time_us = (moment - _EPOCH) // _ONE_US
    if rfc3339(time_us) != text:
        raise ValueError("not in the one form of a time")
    return time_us
