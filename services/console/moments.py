"""Points in time as people write them. All of them are UTC, to the microsecond, unless a zone is said."""

from datetime import UTC, datetime, timedelta, tzinfo

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(time: Timestamp) -> str:
    """RFC 3339 with microseconds and Z."""
    at = _EPOCH + timedelta(seconds=time.seconds, microseconds=time.nanos // 1_000)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def read(text: str) -> Timestamp:
    """A time like 2026-01-31T12:00:00Z, or a date, which is its first instant; raises ValueError."""
    time = Timestamp()
    try:
        at = datetime.fromisoformat(text)
        time.FromDatetime(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(
            f"a time like 2026-01-31T12:00:00Z or a date like 2026-01-31 is expected, not {text!r}"
        ) from None
    return time


def from_us(us: int) -> Timestamp:
    """A time given in microseconds since the epoch."""
    time = Timestamp()
    time.FromMicroseconds(us)
    return time


def clock_face(time: Timestamp) -> str:
    """For people: 2026-01-31 12:00:00.250 UTC."""
    return written(time)[:23].replace("T", " ") + " UTC"


def exact_face(time: Timestamp) -> str:
    """For people who count to the microsecond: 2026-01-31 12:00:00.250001 UTC."""
    return written(time)[:26].replace("T", " ") + " UTC"


def local_face(time: Timestamp, zone: tzinfo | None) -> str:
    """For people, on the clocks of a zone, None for this machine's: 2026-01-31 13:00:00 +01:00."""
    at = _EPOCH + timedelta(seconds=time.seconds)
    told = at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
    return f"{told[:19]} {told[19:]}"
