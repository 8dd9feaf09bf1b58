"""Times as callers send them, in microseconds: a Timestamp is two numbers, and nothing makes them a time."""

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import invalid

SECOND_US = 1_000_000
US_NANOS = 1_000
SECOND_NANOS = 1_000_000_000
FIRST_US = -62_135_596_800 * SECOND_US
"""0001-01-01T00:00:00Z, from where on a Timestamp is a time (google/protobuf/timestamp.proto)."""
END_US = 253_402_300_800 * SECOND_US
"""10000-01-01T00:00:00Z, the first instant that is none any more."""


def microseconds(time: Timestamp) -> int | None:
    """Microseconds since the epoch, rounded down, of whatever year; None if its nanoseconds are over a second
    or below 0.
    """
    if not 0 <= time.nanos < SECOND_NANOS:
        return None
    return time.seconds * SECOND_US + time.nanos // US_NANOS


def time_us(time: Timestamp, field: str) -> int:
    """Microseconds since the epoch, rounded down, of a time in the years 1 to 9999.

    Raises Refusal (invalid, INVALID_REQUEST) for anything else; `field` is its path in the request.
    """
    us = microseconds(time)
    if us is None or not FIRST_US <= us < END_US:
        raise invalid("INVALID_REQUEST", "this is no time of the years 1 to 9999", field=field)
    return us
