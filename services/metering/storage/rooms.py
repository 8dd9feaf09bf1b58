"""What a sheet is made from where nothing may be written: on a reader, beside the writer."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from services.metering.domain.allowances import Account, Moment, Tally
from services.metering.domain.parties import Timeline
from services.metering.domain.reservations import Reservation, Revision, Wanted
from services.metering.domain.rooms import Rooms, RoomsNow, rooms_for, rooms_now
from services.metering.domain.sheets import Sheet, Standing
from services.metering.storage.accounts import find_accounts
from services.metering.storage.head import read_head
from services.metering.storage.shelf import read_timelines
from services.metering.storage.source import moments, rivals, tallies_of
from services.metering.storage.tallies import Window, Wish, added_up


def read_rooms(connection: Connection, wanted: Wanted, now_us: int) -> Rooms:
    """What a hold would come to on this snapshot; nothing is written."""
    return rooms_for(Sheet(_Snapshot(connection), read_head(connection), now_us), wanted)


def read_rooms_now(
    connection: Connection, asked: Sequence[Wanted], now_us: int
) -> tuple[list[RoomsNow], Revision]:
    """How the allowances of each stand on this snapshot, in their order; nothing is written."""
    head = read_head(connection)
    # A sheet each: on one, no window may end before one that was asked about earlier.
    return [rooms_now(Sheet(_Snapshot(connection), head, now_us), each) for each in asked], head


class _Snapshot:
    """Satisfies `sheets.Source`. However many entries there are to add up, only this answer waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[Account, int] = {}
        """Row ids of those accounts that anything was ever counted in."""
        self._known: dict[Account, dict[int, Tally]] = {}

    def reservation(self, reservation_id: str) -> Reservation | None:
        """None: what is asked about was never held."""
        return None

    def standing(self, account: Account) -> Standing:
        """An account in which nothing was ever counted stands empty."""
        found = find_accounts(self._connection, [account]).get(account)
        if found is None:
            return Standing()
        self._ids[account], last_us = found
        self._known[account] = tallies_of(self._connection, [found[0]])[found[0]]
        return Standing(last_us, dict(self._known[account]))

    def timeline(self, party_id: str) -> Timeline:
        """The groups of a party."""
        return read_timelines(self._connection, [party_id])[party_id]

    def tally(self, account: Account, window_us: int, tail_us: int) -> Tally:
        """The sums of the entries after a tail."""
        if account not in self._ids:
            return Tally(0, 0, tail_us)
        wish = Wish(Window(self._ids[account], window_us), self._known[account].get(window_us), tail_us)
        return added_up(self._connection, [wish])[0]

    def moments(self, account: Account, after_us: int) -> Iterator[Moment]:
        """What was counted after a time, oldest first."""
        return moments(self._connection, self._ids[account], after_us) if account in self._ids else iter(())

    def rivals(self, request_key: str) -> dict[str, int]:
        """The ids of what is held for a request, with their numbers."""
        return rivals(self._connection, request_key)
