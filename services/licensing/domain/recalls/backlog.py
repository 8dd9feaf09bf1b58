"""Withdrawals in hand: a stretch of consent's stream without a hole, read and not scanned yet (W5)."""

import asyncio
from collections import deque
from itertools import islice

from services.chassis.refusals import Refusal, unavailable
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.withdrawals import Withdrawal


class Backlog:
    """All withdrawals of (`start`, `followed`], in order; for one event loop."""

    def __init__(self, most: int) -> None:
        """`most` withdrawals are in hand; whoever reads the stream waits for room."""
        self._most = most
        self._held: deque[Withdrawal] = deque()
        self.start = Revision(0, 0)
        self.followed = Revision(0, 0)
        self.in_hand = asyncio.Event()
        """Set while there is any: whoever has nothing to do without sleeps until then."""

    def __len__(self) -> int:
        return len(self._held)

    @property
    def is_full(self) -> bool:
        """Whether some have to be scanned before another is taken."""
        return len(self._held) >= self._most

    @property
    def newest(self) -> Revision | None:
        """Of the newest withdrawal in hand. What else consent has on record moves no fence."""
        return self._held[-1].revision if self._held else None

    @property
    def oldest_at_us(self) -> int | None:
        """When the oldest withdrawal in hand was recorded."""
        return self._held[0].recorded_at_us if self._held else None

    def begin(self, at: Revision) -> None:
        """Forgets all and begins behind a position, where it is not in hand."""
        if not self.start <= at <= self.followed:
            self._held.clear()
            self.in_hand.clear()
            self.start = self.followed = at
        self.drop(at)

    def add(self, withdrawal: Withdrawal) -> None:
        """Takes the next one; raises Refusal UNAVAILABLE (PEER_ANSWER_INVALID) where it is none."""
        if withdrawal.revision <= self.followed:
            raise out_of_order()
        self._held.append(withdrawal)
        self.in_hand.set()
        self.followed = withdrawal.revision

    def reach(self, followed: Revision) -> None:
        """Notes that nothing was left out up to a position. Raises as `add` does."""
        if followed < self.followed:
            raise out_of_order()
        self.followed = followed

    def drop(self, scanned: Revision) -> None:
        """Forgets those up to a position, which were scanned, by whichever process."""
        while self._held and self._held[0].revision <= scanned:
            self._held.popleft()
        if not self._held:
            self.in_hand.clear()
        self.start = min(max(self.start, scanned), self.followed)

    def page(self, scanned: Revision, fence: Revision, limit: int) -> list[Withdrawal]:
        """At most `limit` of (scanned, fence], in order; none where what follows `scanned` is not in hand."""
        if not self.start <= scanned:
            return []
        held = (each for each in self._held if scanned < each.revision <= fence)
        return list(islice(held, limit))


def out_of_order() -> Refusal:
    """The refusal of a stream that goes back: what it left out would never be recalled."""
    return unavailable("PEER_ANSWER_INVALID", "consent's withdrawals are not in the order of their revisions")
