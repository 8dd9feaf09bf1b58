"""Ids shaped like UUIDv7 (RFC 9562, 5.7): unique without asking anyone; their time says when to forget.

Where the time itself is nobody's business an id has none (`untimed_id`).
"""

import hashlib
import json
import re
import secrets
import uuid

from services.chassis.refusals import Refusal, invalid

MINUTE_US = 60 * 1_000_000
DAY_US = 24 * 60 * MINUTE_US
FUTURE_TOLERANCE_US = 5 * MINUTE_US
REQUEST_HORIZON_US = 400 * DAY_US

_CANONICAL_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def uuid7(now_us: int) -> str:
    """A fresh id, in canonical lower-case form, that carries `now_us` in its first 60 bits.

    48 bits are milliseconds and the next 12 the fraction of the millisecond (RFC 9562, 6.2, method 3), so
    that ids sort by their microsecond; 62 bits are random.
    """
    milliseconds, rest_us = divmod(now_us, 1_000)
    fraction = (rest_us << 12) // 1_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def untimed_id() -> str:
    """A fresh id (UUIDv4), all chance: for what is shown to those who are not to know when it came about."""
    return str(uuid.uuid4())


def earliest_uuid7(time_us: int) -> str:
    """The first id of the millisecond of `time_us`: as text, those of before are less and no others are."""
    return str(uuid.UUID(int=time_us // 1_000 << 80 | 0x7 << 76 | 0b10 << 62))


def derived_uuid7(id: str, *words: str) -> str:
    """The id that follows from a UUIDv7 and these words alone, with the time of that one.

    Whoever passes a request on in several calls, and may have to do so again, makes the same calls again.
    """
    said = hashlib.sha256(json.dumps([id, *words]).encode()).digest()
    high = int.from_bytes(said[:2]) & 0xFFF
    low = int.from_bytes(said[2:10]) & (1 << 62) - 1
    milliseconds = uuid7_time_us(id) // 1_000
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))


def uuid7_time_us(id: str) -> int:
    """The time in an id, in microseconds since the epoch, exact to a millisecond.

    Raises Refusal (invalid, REQUEST_ID_MALFORMED) unless the id is a UUIDv7 in canonical lower-case form.
    """
    if not _CANONICAL_UUID7.fullmatch(id):
        raise invalid(
            "REQUEST_ID_MALFORMED",
            "an id must be a UUID of version 7 in canonical lower-case form",
            field="request_id",
        )
    return int(id[:8] + id[9:13], 16) * 1_000


def check_request_id(id: str, now_us: int, horizon_us: int = REQUEST_HORIZON_US) -> None:
    """Refuses an id whose time lies in the future or over `horizon_us` back, where keys are forgotten.

    Raises Refusal (invalid) with REQUEST_ID_MALFORMED, REQUEST_ID_TOO_OLD or REQUEST_ID_IN_FUTURE.
    """
    time_us = uuid7_time_us(id)
    if time_us < now_us - horizon_us:
        raise _out_of_range(
            "REQUEST_ID_TOO_OLD", "the time in the request id lies too far back to be remembered"
        )
    if time_us > now_us + FUTURE_TOLERANCE_US:
        raise _out_of_range("REQUEST_ID_IN_FUTURE", "the time in the request id lies over 5 minutes ahead")


def _out_of_range(reason: str, message: str) -> Refusal:
    return invalid(reason, message, field="request_id")
