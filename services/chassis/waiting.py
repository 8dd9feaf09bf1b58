"""The line in which units of work wait for the writer, and how the next group is made of it.

Some units take the time of thousands of others: a page of an import beside a reservation. Several of them in
one group would hold everybody up for as long as they take together. So what is bulky waits apart, goes a few
at a time, and between two groups of bulk all others have their turn.
"""

import queue
from collections import deque
from typing import Generic, TypeVar

ORDINARY = 1
"""The weight of a unit that is not bulky."""

T = TypeVar("T")


class WaitingLine(Generic[T]):
    """Ordinary units stay in their order among themselves, and bulky ones among themselves.

    A bulky unit may be overtaken by ordinary ones that came after it: who needs one done before the other
    waits for its answer. Any thread may add; one thread takes.
    """

    def __init__(self, group_limit: int, bulk_limit: int) -> None:
        """A group has at most `group_limit` ordinary units, or bulky ones of `bulk_limit` weight in all.

        A weight says how long a unit takes, in whatever measure those who give weights share: the rows that
        it writes. One that is over the limit by itself is a group alone.
        """
        self._group_limit = group_limit
        self._bulk_limit = bulk_limit
        # Whoever adds touches this alone; the rest is the taker's, so that neither waits for the other.
        self._arrived: queue.SimpleQueue[tuple[T, int] | None] = queue.SimpleQueue()
        self._ordinary: deque[T] = deque()
        self._bulk: deque[tuple[T, int]] = deque()
        self._bulk_went_last = False
        self._closed = False

    def __len__(self) -> int:
        return self._arrived.qsize() + len(self._ordinary) + len(self._bulk)

    def add(self, unit: T, weight: int) -> None:
        """Puts a unit at the end; whoever waits for a group hears of it."""
        self._arrived.put((unit, weight))

    def close(self) -> None:
        """Has `next_group` come to an end once all that waits was taken; nothing is added after it."""
        self._arrived.put(None)

    def next_group(self) -> list[T]:
        """Waits for one unit and takes what else has come by then: no lingering. Empty when closed."""
        if not (self._ordinary or self._bulk or self._closed):
            self._sort(self._arrived.get())
        while not self._arrived.empty():
            self._sort(self._arrived.get())
        # Bulk, but for the turn of others; where there are none it need not wait for any.
        self._bulk_went_last = bool(self._bulk) and not (self._bulk_went_last and self._ordinary)
        return self._take_bulk() if self._bulk_went_last else self._take_ordinary()

    def _sort(self, arrived: tuple[T, int] | None) -> None:
        if arrived is None:
            self._closed = True
            return
        unit, weight = arrived
        if weight > ORDINARY:
            self._bulk.append(arrived)
        else:
            self._ordinary.append(unit)

    def _take_ordinary(self) -> list[T]:
        return [self._ordinary.popleft() for _ in range(min(self._group_limit, len(self._ordinary)))]

    def _take_bulk(self) -> list[T]:
        unit, total = self._bulk.popleft()
        group = [unit]
        while self._bulk and total + self._bulk[0][1] <= self._bulk_limit:
            unit, weight = self._bulk.popleft()
            group.append(unit)
            total += weight
        return group
