"""The working sheet of a group of changes: what is read once, changed in memory and written at once.

Changes follow one another on it exactly as if each were written before the next one is read. What is refused
leaves no trace. The head is locked from before the first reading until all is written, so that nobody else
counts meanwhile.
"""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.metering.domain.allowances import NO_POSTS, Account, Moment, Posts, Scope, Tally
from services.metering.domain.parties import Timeline
from services.metering.domain.reservations import Access, Counts, Reservation, Revision, State
from services.metering.domain.windows import tail_us

_Tallies = dict[int, Tally]


@dataclass(slots=True)
class Standing:
    """How an account stands."""

    last_us: int = 0
    """The latest time at which it was counted in; it never is at an earlier one."""
    tallies: _Tallies = field(default_factory=dict)
    """By window; of each window that was ever asked about."""


class Entry(NamedTuple):
    """What one change counts in one account, for good. What changes later is another entry."""

    # A tuple, for several are made for each reservation.
    account: Account
    at_us: int
    """The time that it counts at: that of the hold, whenever that ends."""
    number: int
    posts: Posts
    access: Access
    counts: Counts
    """The change of used and held together, by content; less than 0 where it frees."""


class Reduction(NamedTuple):
    """Which change reduced which hold: so an audit tells its entries from those of an ending."""

    number: int
    """Of the change."""
    reservation_number: int


class Source(Protocol):
    """What has been written before; of what is asked about more than once the answer may be kept."""

    def reservation(self, reservation_id: str) -> Reservation | None:
        """One reservation."""
        ...

    def standing(self, account: Account) -> Standing:
        """A standing of its own for whoever asks; an empty one for an account that is new."""
        ...

    def timeline(self, party_id: str) -> Timeline:
        """The groups of a party."""
        ...

    def tally(self, account: Account, window_us: int, tail_us: int) -> Tally:
        """The sums of the entries after a tail, which is not before that of the tally in the standing."""
        ...

    def moments(self, account: Account, after_us: int) -> Iterator[Moment]:
        """What was counted after a time, oldest first, one moment a time; read as it is asked for."""
        ...

    def rivals(self, request_key: str) -> dict[str, int]:
        """The ids of what is held for a request, with their numbers."""
        ...


class Sheet:
    """Made for a group of changes at one time, and left with it."""

    def __init__(self, source: Source, head: Revision, now_us: int) -> None:
        self.head = head
        self.now_us = now_us
        self.standings: dict[Account, Standing] = {}
        """Of the accounts that were looked at."""
        self.reservations: dict[str, Reservation] = {}
        """Those that are new or have changed."""
        self.new: set[str] = set()
        """Ids of those that are new."""
        self.entries: list[Entry] = []
        self.reductions: list[Reduction] = []
        self._by_account: dict[Account, list[Entry]] = {}
        self._source = source

    def next_number(self) -> int:
        """Takes the next number from the head."""
        self.head = Revision(self.head.epoch, self.head.number + 1)
        return self.head.number

    def reservation(self, reservation_id: str) -> Reservation | None:
        """As it stands after all changes so far."""
        return self.reservations.get(reservation_id) or self._source.reservation(reservation_id)

    def keep(self, reservation: Reservation) -> None:
        """A reservation that is new."""
        self.new.add(reservation.wanted.reservation_id)
        self.reservations[reservation.wanted.reservation_id] = reservation

    def change(self, reservation: Reservation, number: int) -> None:
        """A reservation of which less is held than before, or nothing, by the change with that number."""
        self.reservations[reservation.wanted.reservation_id] = reservation
        if reservation.state is State.HELD:
            self.reductions.append(Reduction(number, reservation.number))

    def rivals(self, request_key: str) -> tuple[str, ...]:
        """Ids of what is held for a request, in order of their numbers."""
        held = self._source.rivals(request_key)
        for id, reservation in self.reservations.items():
            if reservation.state is not State.HELD:
                held.pop(id, None)
            elif reservation.wanted.request_key == request_key:
                held[id] = reservation.number
        return tuple(sorted(held, key=held.__getitem__))

    def group_and_time(self, party_id: str, accounts: Sequence[Account]) -> tuple[str, int]:
        """The group that a party counts in, and the time: the clock's, or the latest of all that it counts in
        where the clock is behind. Each depends on the other; the time only grows, up to that of some group.
        """
        at_us = max([self.now_us, *(self.standing(account).last_us for account in accounts)])
        timeline = self.timeline(party_id)
        while group_id := timeline.group_at(at_us):
            last_us = self.standing(Account(Scope.GROUP, group_id)).last_us
            if last_us <= at_us:
                break
            at_us = last_us
        return group_id, at_us

    def timeline(self, party_id: str) -> Timeline:
        """The groups of a party."""
        return self._source.timeline(party_id)

    def standing(self, account: Account) -> Standing:
        """How it stands after all changes so far."""
        standing = self.standings.get(account)
        if standing is None:
            standing = self.standings[account] = self._source.standing(account)
        return standing

    def tally(self, account: Account, window_us: int, at_us: int) -> Tally:
        """The sums over the window that ends at a time, which is not before any that was asked about."""
        tallies = self.standing(account).tallies
        until_us = tail_us(at_us, window_us)
        tally = tallies.get(window_us)
        if tally is None or until_us > tally.tail_us:
            tally = self._source.tally(account, window_us, until_us)
            for entry in self._by_account.get(account, ()):
                tally = tally.changed(entry.at_us, entry.posts)
            tallies[window_us] = tally
        return tally

    def moments(self, account: Account, after_us: int) -> Iterator[Moment]:
        """What counts after a time, oldest first, one moment a time."""
        ours = [
            Moment(entry.at_us, entry.posts)
            for entry in self._by_account.get(account, ())
            if entry.at_us > after_us
        ]
        ours.sort(key=_time)
        merged = heapq.merge(self._source.moments(account, after_us), ours, key=_time)
        for at_us, together in itertools.groupby(merged, key=_time):
            yield Moment(at_us, sum((each.posts for each in together), NO_POSTS))

    def enter(self, entry: Entry) -> None:
        """Counts a change in its account and all windows of it."""
        tallies = self.standing(entry.account).tallies
        for window_us, tally in tallies.items():
            tallies[window_us] = tally.changed(entry.at_us, entry.posts)
        self.entries.append(entry)
        self._by_account.setdefault(entry.account, []).append(entry)


def _time(moment: Moment) -> int:
    return moment.at_us
