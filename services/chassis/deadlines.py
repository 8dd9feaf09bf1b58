"""How long the RPC being handled still has, so that the calls it makes itself can be given less.

gRPC does not hand deadlines down. Each hop keeps a tenth for its own work after the answer.
"""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

from services.chassis.refusals import unavailable

DEFAULT_DEADLINE_US = 10_000_000
"""What a caller who gave no deadline gets."""
SHORTEST_CALL_US = 1_000
"""With less than this there is no point in asking: the answer could not arrive in time."""
KEPT_PART = 10
"""One part in so many is kept back at each hop."""

_deadline_us: ContextVar[int | None] = ContextVar("deadline_us", default=None)


@contextlib.contextmanager
def within(remaining_us: int) -> Iterator[None]:
    """What runs inside has `remaining_us` microseconds from now."""
    token = _deadline_us.set(_monotonic_us() + remaining_us)
    try:
        yield
    finally:
        _deadline_us.reset(token)


@contextlib.contextmanager
def at_most(us: int) -> Iterator[None]:
    """What runs inside has `us` microseconds from now, and no more than is left anyway."""
    left_us = remaining_us()
    with within(us if left_us is None else min(us, left_us)):
        yield


def remaining_us() -> int | None:
    """Microseconds until the deadline of the RPC being handled, negative when past; None outside of one."""
    deadline_us = _deadline_us.get()
    return None if deadline_us is None else deadline_us - _monotonic_us()


def time_for_call_us(at_most_us: int) -> int:
    """Microseconds that a call to a peer may take: at most `at_most_us`, and a tenth less than what is left.

    Raises Refusal (unavailable, DEADLINE_TOO_SHORT) when that is under a millisecond.
    """
    left_us = remaining_us()
    allowed_us = at_most_us if left_us is None else min(at_most_us, left_us - left_us // KEPT_PART)
    if allowed_us < SHORTEST_CALL_US:
        raise unavailable("DEADLINE_TOO_SHORT", "the deadline leaves no time to ask another service")
    return allowed_us


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1_000
