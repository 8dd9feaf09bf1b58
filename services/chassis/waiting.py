"""The line in which units of work wait for the writer, and how the next group is made of it.

Some units take the time of thousands of others: a page of an import beside a reservation. Several of them in
one group would hold everybody up for as long as they take together. So what is bulky waits apart, goes a few
at a time, and between two groups of bulk all others have their turn.

Others are few, and somebody waits for several of them one after the other: an operator's action, with its
entries in the log before and after it. Each would miss the group that is under way and wait for all of the
next one. So what is urgent goes first, in a group of its own that is done soon; all others have their turn
after a few such groups.
"""

import queue
import time
from collections import deque
from typing import Generic, TypeVar

ORDINARY = 1
"""The weight of a unit that is not bulky."""
URGENT_IN_A_ROW = 3
"""Groups of it before others have their turn: the entry before an action, itself, and the entry after it."""
LINGER_SECONDS = 0.005
"""How long a caller whose urgent unit is done has to come with the next one, which else would wait for a
whole group: about what it takes a busy event loop to tell them and to hear of it."""

T = TypeVar("T")


class WaitingLine(Generic[T]):
    """Urgent units stay in their order among themselves, and so do ordinary ones, and bulky ones.

    A bulky unit may be overtaken by ordinary ones that came after it, and both by urgent ones: who needs one
    done before the other waits for its answer. Any thread may add; one thread takes.
    """

    def __init__(self, group_limit: int, bulk_limit: int, linger_seconds: float = LINGER_SECONDS) -> None:
        """A group has at most `group_limit` urgent or ordinary units, or bulky ones of `bulk_limit` weight in
        all. After a group of urgent units the next such unit is waited for, `linger_seconds` at most.

        A weight says how long a unit takes, in whatever measure those who give weights share: the rows that
        it writes. One that is over the limit by itself is a group alone.
        """
        self._group_limit = group_limit
        self._bulk_limit = bulk_limit
        self._linger_seconds = linger_seconds
        # Whoever adds touches this alone; the rest is the taker's, so that neither waits for the other.
        self._arrived: queue.SimpleQueue[tuple[T, int, bool] | None] = queue.SimpleQueue()
        self._urgent: deque[T] = deque()
        self._ordinary: deque[T] = deque()
        self._bulk: deque[tuple[T, int]] = deque()
        self._urgent_in_a_row = 0
        self._bulk_went_last = False
        self._closed = False

    def __len__(self) -> int:
        return self._arrived.qsize() + len(self._urgent) + len(self._ordinary) + len(self._bulk)

    @property
    def is_over(self) -> bool:
        """Whether it was closed and all was taken."""
        return self._closed and not (self._urgent or self._ordinary or self._bulk)

    def add(self, unit: T, weight: int, *, urgent: bool = False) -> None:
        """Puts a unit at the end of those of its kind; whoever waits for a group hears of it.

        What is bulky is not urgent, whoever asks for it.
        """
        self._arrived.put((unit, weight, urgent))

    def close(self) -> None:
        """Has `next_group` come to an end once all that waits was taken; nothing is added after it."""
        self._arrived.put(None)

    def next_group(self, idle_seconds: float | None = None) -> list[T]:
        """Waits for one unit and takes what else has come by then; empty when it is over.

        Empty also when nothing has come for `idle_seconds`. It lingers after an urgent group alone, and no
        longer than until the next urgent unit is there.
        """
        if 0 < self._urgent_in_a_row < URGENT_IN_A_ROW:
            self._linger()
        if not (self._urgent or self._ordinary or self._bulk or self._closed):
            try:
                self._sort(self._arrived.get(timeout=idle_seconds))
            except queue.Empty:
                return []
        while not self._arrived.empty():
            self._sort(self._arrived.get())
        others_wait = bool(self._ordinary or self._bulk)
        if self._urgent and not (others_wait and self._urgent_in_a_row >= URGENT_IN_A_ROW):
            self._urgent_in_a_row = self._urgent_in_a_row + 1 if others_wait else 1
            return self._take(self._urgent)
        self._urgent_in_a_row = 0
        # Bulk, but for the turn of others; where there are none it need not wait for any.
        self._bulk_went_last = bool(self._bulk) and not (self._bulk_went_last and self._ordinary)
        return self._take_bulk() if self._bulk_went_last else self._take(self._ordinary)

    def _linger(self) -> None:
        until = time.monotonic() + self._linger_seconds
        while not (self._urgent or self._closed):
            try:
                self._sort(self._arrived.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                return

    def _sort(self, arrived: tuple[T, int, bool] | None) -> None:
        if arrived is None:
            self._closed = True
            return
        unit, weight, urgent = arrived
        if weight > ORDINARY:
            self._bulk.append((unit, weight))
        else:
            (self._urgent if urgent else self._ordinary).append(unit)

    def _take(self, waiting: deque[T]) -> list[T]:
        return [waiting.popleft() for _ in range(min(self._group_limit, len(waiting)))]

    def _take_bulk(self) -> list[T]:
        unit, total = self._bulk.popleft()
        group = [unit]
        while self._bulk and total + self._bulk[0][1] <= self._bulk_limit:
            unit, weight = self._bulk.popleft()
            group.append(unit)
            total += weight
        return group
