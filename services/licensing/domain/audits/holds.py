"""Whether metering has of each attempt what follows from what became of it (M2).

Always, per attempt: reserved = still held + settled + freed; released >= settled; tombstoned implies settled
nothing.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.licensing.domain.audits.entries import NOTHING, Entry
from services.licensing.domain.audits.findings import Difference
from services.licensing.domain.counts import ContentCounts, count_content

OF_A_DECISION = "/decide/"
"""In the request key of every reservation that licensing makes."""


class ReservationState(enum.IntEnum):
    """The numbers of `sluice.metering.v1.ReservationState`."""

    HELD = 1
    SETTLED = 2
    CANCELLED = 3
    NO_ROOM = 4


@dataclass(frozen=True)
class Reservation:
    """What metering has of one attempt."""

    reservation_id: str
    request_key: str
    """"" for an id that was cancelled before it was ever reserved."""
    party_id: str
    state: ReservationState
    counted_at_us: int | None
    """None if it never held."""
    reserved: int
    """Posts, like the next two."""
    settled: int
    freed: int
    held: ContentCounts
    """What is still held."""

    @property
    def name(self) -> str:
        """The reservation, in words."""
        return f"reservation {self.reservation_id}"


@dataclass(frozen=True)
class Tombstone:
    """An attempt that was given up."""

    attempt_id: str
    ended_at_us: int
    is_pending: bool
    """Metering is still to be told."""


def check_sums(reservation: Reservation) -> Iterator[Difference]:
    """reserved = still held + settled + freed."""
    held = sum(posts for _, _, posts in reservation.held)
    if reservation.reserved != held + reservation.settled + reservation.freed:
        found = f"{held} held, {reservation.settled} settled and {reservation.freed} freed"
        yield Difference(reservation.name, f"{reservation.reserved} posts reserved in all", found)
    if (reservation.state is ReservationState.HELD) != (held > 0):
        yield Difference(
            reservation.name, "posts held where it is held", f"{held} in {reservation.state.name}"
        )


def check_hold(entry: Entry, reservation: Reservation | None) -> Iterator[Difference]:
    """Of a decision that held room; metering was read before the ledger."""
    decision, hold = entry.decision, entry.decision.hold
    assert hold is not None, "only what held room is compared with metering"
    if reservation is None:
        yield Difference(entry.name, f"reservation {hold.reservation_id}, which it rests on", NOTHING)
        return
    said = (reservation.request_key, reservation.party_id, reservation.counted_at_us)
    due = (decision.asker.request_key, decision.licensee_id, hold.counted_at_us)
    if said != due:
        yield Difference(f"{reservation.name}, request, party and time", str(due), str(said))
    if reservation.settled > decision.posts_released:
        expected = f"at most {decision.posts_released} posts settled, which were released"
        yield Difference(reservation.name, expected, f"{reservation.settled} settled")
    if not entry.is_pending:
        yield from _check_standing(entry, reservation)


def _check_standing(entry: Entry, reservation: Reservation) -> Iterator[Difference]:
    """Once metering has heard all."""
    decision, settlement = entry.decision, entry.settlement
    if settlement is not None:
        is_settled = reservation.state is ReservationState.SETTLED
        if not is_settled or reservation.settled != settlement.posts:
            expected = f"{settlement.posts} posts settled"
            yield Difference(reservation.name, expected, _standing(reservation))
        return
    released = count_content(decision.kinds, decision.media_flags, decision.released)
    if reservation.state is not ReservationState.HELD or _summed(reservation.held) != _summed(released):
        yield Difference(reservation.name, f"{decision.posts_released} posts held", _standing(reservation))


def check_tombstone(tombstone: Tombstone, reservation: Reservation | None) -> Iterator[Difference]:
    """Of an attempt that was given up; metering was read before the ledger."""
    if reservation is None:
        return
    if reservation.settled or reservation.state is ReservationState.SETTLED:
        yield Difference(reservation.name, "nothing settled, for it was given up", _standing(reservation))
    elif reservation.state is ReservationState.HELD and not tombstone.is_pending:
        yield Difference(reservation.name, "cancelled, for it was given up", _standing(reservation))


def check_stranger(
    reservation: Reservation, before_us: int, restored_at_us: int | None
) -> Iterator[Difference]:
    """Of a reservation that is for a decision, and whose attempt the ledger does not know.

    An attempt that is still on its way was counted at `before_us` or later. What was held before a restored
    database was accepted is settled in full (R5), and nothing is missing.
    """
    counted_at_us = reservation.counted_at_us
    if counted_at_us is None or OF_A_DECISION not in reservation.request_key:
        return
    if restored_at_us is not None and counted_at_us <= restored_at_us:
        return
    if reservation.state is ReservationState.SETTLED:
        yield Difference(reservation.name, "a decision that was settled", "an attempt that nobody concluded")
    elif reservation.state is ReservationState.HELD and counted_at_us < before_us:
        yield Difference(reservation.name, "concluded or given up by now", _standing(reservation))


def _summed(counts: ContentCounts) -> Mapping[tuple[int, int], int]:
    return {(kind, media_flags): posts for kind, media_flags, posts in counts}


def _standing(reservation: Reservation) -> str:
    held = sum(posts for _, _, posts in reservation.held)
    state = reservation.state.name.lower().replace("_", " ")
    return f"{state}: {held} held, {reservation.settled} settled, {reservation.freed} freed"
