"""Calls counted by network, from when they are made until they are told: each once, in bounded memory.

Each row is kept for good by whoever is told, and whoever calls has as many networks as they like (of IPv6 one
for each /48): so only the busiest of an interval are named, and the rest is counted together.

What was sent and not answered keeps its ids and its content until it is answered, so that whoever is told
twice counts it once. Only what was never sent may be merged.
"""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from services.licensing.domain.doors.networks import OTHER


@dataclass(frozen=True)
class Tallied:
    """The calls of one network in one interval."""

    network: str
    since_us: int
    """When the interval began, with the first call of any network; microseconds since the epoch."""
    calls: int


@dataclass(frozen=True)
class Row:
    """What is told, under an id that counts up from 1."""

    id: int
    tallied: Tallied


class Tally:
    """Counts. For one event loop; what is in it is lost with the process."""

    def __init__(self, most: int, largest: int, named: int) -> None:
        """Keeps `most` counts apart, and as many of the interval that is open, of which it names the `named`
        busiest; tells at most `largest` calls in a row. `named` is less than `most`.
        """
        self._most = most
        self._largest = largest
        self._named = named
        self._open = Counter[str]()
        self._since_us = 0
        self._waiting = deque[Tallied]()
        self._page: Sequence[Row] = ()
        self._ids = itertools.count(1)
        self.merged = 0
        """Calls that are counted under `OTHER` and not under their network."""

    def count(self, network: str, now_us: int) -> None:
        """One call."""
        if not self._open:
            self._since_us = now_us
        self._open[network] += 1
        if len(self._open) > self._most:
            self._keep_busiest()

    def close(self) -> None:
        """Ends the interval: what was counted in it is to be told."""
        self._keep_busiest()
        self._waiting.extend(Tallied(network, self._since_us, calls) for network, calls in self._open.items())
        self._open = Counter()
        while len(self._waiting) > self._most:
            self._merge_oldest()

    def page(self, limit: int) -> Sequence[Row]:
        """What is to be told next: the page before, until it is `told`; else at most `limit` rows."""
        if not self._page:
            self._page = self._rows(limit)
        return self._page

    def told(self) -> None:
        """The page has been answered."""
        self._page = ()

    def _keep_busiest(self) -> None:
        """Counts all but the busiest of the open interval as `OTHER`."""
        together = self._open.pop(OTHER, 0)
        busiest = heapq.nlargest(self._named, self._open.items(), key=lambda each: each[1])
        rest = self._open.total() - sum(calls for _, calls in busiest)
        self._open = Counter(dict(busiest))
        self.merged += rest
        if rest + together:
            self._open[OTHER] = rest + together

    def _rows(self, limit: int) -> Sequence[Row]:
        rows = list[Row]()
        while self._waiting and len(rows) < limit:
            tallied = self._waiting.popleft()
            if (rest := tallied.calls - self._largest) > 0:
                self._waiting.appendleft(Tallied(tallied.network, tallied.since_us, rest))
                tallied = Tallied(tallied.network, tallied.since_us, self._largest)
            rows.append(Row(next(self._ids), tallied))
        return rows

    def _merge_oldest(self) -> None:
        first, second = self._waiting.popleft(), self._waiting.popleft()
        self._waiting.appendleft(Tallied(OTHER, first.since_us, first.calls + second.calls))
        self.merged += sum(each.calls for each in (first, second) if each.network != OTHER)
