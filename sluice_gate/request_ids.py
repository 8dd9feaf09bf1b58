"""Ids of runs and of their requests, shaped like UUIDv7 (RFC 9562).

The id of a request follows from run, batch and round alone. So a job that lost its memory asks under the ids
it asked under before, and gets the decisions it already has instead of new ones.
"""

import hashlib
import re
import uuid

from sluice_gate.errors import JobRefused

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_LOW_62 = (1 << 62) - 1
_LOW_12 = (1 << 12) - 1


def new_run(now_us: int, randomness: bytes) -> str:
    """An id for a run that begins at `now_us` (microseconds UTC), from 16 random bytes."""
    return _shaped(now_us // 1_000, randomness)


def check_run(run: str) -> None:
    """Raises JobRefused unless `run` has the form of an id of a run."""
    if not _CANONICAL.fullmatch(run):
        raise JobRefused("RUN_MALFORMED", "the id of a run is a UUID of version 7 in lower case")


def batch_request_id(run: str, ordinal: int, round: int) -> str:
    """The id under which a batch is asked for in a round: the run's time, and a hash of all three."""
    milliseconds = int(run[:8] + run[9:13], 16)
    return _shaped(milliseconds, hashlib.sha256(f"{run}/{ordinal}/{round}".encode()).digest())


def _shaped(milliseconds: int, bits: bytes) -> str:
    high = int.from_bytes(bits[:2]) & _LOW_12
    low = int.from_bytes(bits[2:10]) & _LOW_62
    return str(uuid.UUID(int=milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low))
