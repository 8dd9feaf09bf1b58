"""When calls from outside were counted, in metering's own database: a row a limit, its moments packed.

The calls of a group are decided one after the other, as if each had been written before the next is read, at
one time of the clock that is read under the lock of the head: several processes count one after the other,
and no window ever holds more than its limit (M1). Nothing is written for a call that is denied.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, text

from services.chassis.bulk import Insertion, Question
from services.chassis.database import Database
from services.metering.domain.rates.rulings import Asked, Ruling, rule
from services.metering.domain.rates.windows import CallWindow
from services.metering.domain.windows import MINUTE_US, leaves_at_us

PACKED = np.dtype("<i8")
"""Of all moments, in microseconds, and then of the calls at each of them."""
DROPPED_AT_ONCE = 2_000
"""Rows in one transaction: a few milliseconds, for which nobody else writes."""
MARGIN_US = MINUTE_US
"""How long a window that has passed is kept: the clock of another process may be behind."""

_WINDOWS = Question(
    "SELECT w.key, w.packed FROM {given} CROSS JOIN rate_windows w WHERE w.key = given.key", key="text"
)
_WRITE = Insertion(
    "rate_windows",
    {"key": "text", "drop_at_us": "bigint", "packed": "bytea"},
    then="ON CONFLICT (key) DO UPDATE SET drop_at_us = excluded.drop_at_us, packed = excluded.packed",
)
_DROP = text(
    "DELETE FROM rate_windows WHERE key IN"
    " (SELECT key FROM rate_windows WHERE drop_at_us <= :before_us ORDER BY drop_at_us LIMIT :most)"
)


class SqlRateWindows:
    """Satisfies `limiter.Windows` and `forgetting.PassedWindows`."""

    def __init__(self, database: Database, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked once a group, under its lock."""
        self._database = database
        self._now_us = now_us

    async def count(self, asked: Asked) -> Ruling:
        """Decides on a call, together with those that arrive meanwhile."""
        return await self._database.write_together(self._count_all, asked)

    async def drop_passed(self) -> bool:
        """Drops some of the windows that hold nothing any more; whether there may be more of them."""
        before_us = self._now_us() - MARGIN_US

        def unit(connection: Connection) -> bool:
            dropped = connection.execute(_DROP, {"before_us": before_us, "most": DROPPED_AT_ONCE})
            return dropped.rowcount == DROPPED_AT_ONCE

        return await self._database.write(unit, weight=DROPPED_AT_ONCE)

    def _count_all(self, connection: Connection, asked: Sequence[Asked]) -> list[Ruling]:
        now_us = self._now_us()
        lengths = {each.key: each.limit.unit.length_us for one in asked for each in one.limits}
        windows = _read(connection, lengths)
        rulings = [rule(windows, each, now_us) for each in asked]
        rows = [
            (key, _drop_at_us(window.as_of_us, lengths[key]), window.columns.astype(PACKED).tobytes())
            for key, window in windows.items()
            if window.is_changed
        ]
        _WRITE.run(connection, rows)
        return rulings


def _read(connection: Connection, lengths: Mapping[str, int]) -> dict[str, CallWindow]:
    windows = {key: CallWindow.empty(length_us) for key, length_us in lengths.items()}
    for key, packed in _WINDOWS.ask(connection, [(key,) for key in lengths], binary=True):
        # A copy, which can be counted on.
        moments, calls = np.frombuffer(packed, PACKED).astype(np.int64).reshape(2, -1)
        windows[key] = CallWindow(lengths[key], moments, calls)
    return windows


def _drop_at_us(last_us: int, length_us: int) -> int:
    """When nothing is left of it, rounded up to a whole window: the index is then seldom written anew."""
    return -(-leaves_at_us(last_us, length_us) // length_us) * length_us
