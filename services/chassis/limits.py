"""How much a process takes on at once: calls, and apart from them streams, which may stay open for days.

A stream that is open and idle never takes the place of a call, and nobody has all the places of streams. A
place is given back when the handler has ended, whatever ended it: nothing here waits for a caller.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.chassis.identity import PrincipalKind, current_principal
from services.chassis.refusals import exhausted

RETRY_AFTER_OVERLOAD_US = 100_000
RETRY_AFTER_STREAMS_US = 1_000_000
"""Calls end by themselves and soon; streams when their callers are done with them, so to hurry is in vain."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many are admitted at once."""

    calls: int
    """RPCs with one question and one answer."""
    streams: int
    """Streams of questions, answers or both, of all callers together."""
    streams_each: int
    """Streams of one principal; all strangers together are one."""
    strangers: int = 16
    """Calls of all who need not say who they are, of the calls: no crowd of them keeps out the known."""


class CallLimit:
    """Refuses at once what would have to wait behind too many others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running = 0

    @contextlib.contextmanager
    def __call__(self, _method: str, _context: Any) -> Iterator[None]:
        """Raises Refusal (exhausted, OVERLOADED) when the limit is reached."""
        # gRPC's own maximum_concurrent_rpcs can be bypassed and would refuse health checks too.
        if self._running >= self._most:
            raise exhausted("OVERLOADED", "too many calls at once", retry_after_us=RETRY_AFTER_OVERLOAD_US)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


class StreamLimit:
    """Refuses at once a stream too many: of all together, or of one caller."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._open = 0
        self._open_each: Counter[tuple[PrincipalKind, str] | None] = Counter()

    @contextlib.contextmanager
    def of_all(self, _method: str, _context: Any) -> Iterator[None]:
        """Raises Refusal (exhausted, OVERLOADED) when too many are open, whoever has opened them."""
        if self._open >= self._most:
            message = "too many streams are open at once"
            raise exhausted("OVERLOADED", message, retry_after_us=RETRY_AFTER_STREAMS_US)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    @contextlib.contextmanager
    def of_strangers(self, _method: str, _context: Any) -> Iterator[None]:
        """`of_caller`, for those who need not say who they are."""
        with self._place_of(None):
            yield

    @contextlib.contextmanager
    def of_caller(self, _method: str, _context: Any) -> Iterator[None]:
        """Raises Refusal (exhausted, TOO_MANY_STREAMS) when the current principal has too many open."""
        principal = current_principal()
        with self._place_of((principal.kind, principal.party)):
            yield

    @contextlib.contextmanager
    def _place_of(self, caller: tuple[PrincipalKind, str] | None) -> Iterator[None]:
        if self._open_each[caller] >= self._most_each:
            message = (
                f"one caller has at most {self._most_each} streams open at once; close another one first"
            )
            raise exhausted("TOO_MANY_STREAMS", message, retry_after_us=RETRY_AFTER_STREAMS_US)
        self._open_each[caller] += 1
        try:
            yield
        finally:
            self._open_each[caller] -= 1
            if not self._open_each[caller]:
                # Callers come and go: only those with a stream are remembered.
                del self._open_each[caller]
