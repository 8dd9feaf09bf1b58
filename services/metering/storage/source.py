"""What a sheet is made from: read for a whole group at once, and what that missed, one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from services.chassis.bulk import Question
from services.metering.domain.allowances import Account, Moment, Posts, Scope, Tally
from services.metering.domain.parties import Timeline
from services.metering.domain.postings import Hold, Posting
from services.metering.domain.reservations import Reservation, Wanted, account_of, accounts
from services.metering.domain.sheets import Standing
from services.metering.domain.windows import tail_us
from services.metering.schema.tables import MeteringTable
from services.metering.storage.accounts import make_accounts
from services.metering.storage.rows import COLUMNS, from_row
from services.metering.storage.shelf import read_timelines
from services.metering.storage.tallies import Ahead, LaterTallies, Window, Wish

MOMENTS_AT_ONCE = 256
"""Moments read at once when looking for the one that frees enough: more than it takes as a rule, and few."""
_entries = MeteringTable.metadata.tables["entries"]

_RESERVATIONS = Question(
    f"SELECT {', '.join(f'r.{name}' for name in COLUMNS)}"  # noqa: S608 - names of columns
    " FROM {given} CROSS JOIN reservations r WHERE r.reservation_id = given.id",
    id="text",
)
_TALLIES = Question(
    "SELECT t.account_id, t.window_us, t.used, t.held, t.tail_us"
    " FROM {given} CROSS JOIN tallies t WHERE t.account_id = given.id",
    id="bigint",
)
_MOMENTS = (
    # Of one account that is named, so that the rows come in the order of the primary key, and no more of them
    # than are asked for.
    select(_entries.c.counted_at_us, func.sum(_entries.c.used), func.sum(_entries.c.held))
    .where(_entries.c.account_id == bindparam("account"), _entries.c.counted_at_us > bindparam("after_us"))
    .group_by(_entries.c.counted_at_us)
    .order_by(_entries.c.counted_at_us)
    .limit(MOMENTS_AT_ONCE)
)
# State 1 is HELD: a literal, for only so does the planner see that the partial index fits.
_RIVALS = Question(
    "SELECT r.reservation_id, r.number FROM {given} CROSS JOIN reservations r"
    " WHERE r.request_key = given.key AND r.state = 1",
    key="text",
)


class SqlSource:
    """Satisfies `sheets.Source` on an open transaction that has locked the head."""

    def __init__(
        self,
        connection: Connection,
        postings: Sequence[Posting],
        now_us: int,
        aheads: Mapping[Window, Ahead],
    ) -> None:
        self.ids: dict[Account, int] = {}
        """Row ids of the accounts that were looked at; all of them have a row."""
        self.read: dict[Account, Standing] = {}
        """How these accounts stood."""
        self._connection = connection
        self._reservations = find(connection, [posting.reservation_id for posting in postings])
        self._later = LaterTallies(connection, aheads)
        wanted = [
            posting.wanted
            for posting in postings
            if isinstance(posting, Hold) and posting.reservation_id not in self._reservations
        ]
        self._timelines = read_timelines(connection, sorted({each.party_id for each in wanted}))
        self._read_accounts(self._accounts_of(wanted))
        self._make_tallies(wanted, now_us)

    def reservation(self, reservation_id: str) -> Reservation | None:
        """One reservation."""
        return self._reservations.get(reservation_id)

    def standing(self, account: Account) -> Standing:
        """A copy to be changed."""
        if account not in self.read:
            self._read_accounts({account})
        read = self.read[account]
        return Standing(read.last_us, dict(read.tallies))

    def timeline(self, party_id: str) -> Timeline:
        """The groups of a party."""
        if party_id not in self._timelines:
            self._timelines |= read_timelines(self._connection, [party_id])
        return self._timelines[party_id]

    def tally(self, account: Account, window_us: int, tail_us: int) -> Tally:
        """The sums of the entries after a tail; raises TakesLong where these are to be made ahead."""
        known = self.read[account].tallies.get(window_us)
        return self._later.tally(Window(self.ids[account], window_us), known, tail_us)

    def moments(self, account: Account, after_us: int) -> Iterator[Moment]:
        """What was counted after a time, oldest first; read as it is asked for."""
        return moments(self._connection, self.ids[account], after_us)

    def rivals(self, request_key: str) -> dict[str, int]:
        """The ids of what is held for a request, with their numbers."""
        return rivals(self._connection, request_key)

    def _accounts_of(self, wanted: Iterable[Wanted]) -> set[Account]:
        """All that is likely to be counted in: by what is wanted, and by holds that may end."""
        needed = {account for each in wanted for account in accounts(each, "")}
        for timeline in self._timelines.values():
            needed |= {Account(Scope.GROUP, id) for id in timeline.groups_since(0)}
        for reservation in self._reservations.values():
            if reservation.counted_at_us is not None:
                needed |= set(accounts(reservation.wanted, reservation.group_id))
        return needed

    def _read_accounts(self, needed: set[Account]) -> None:
        found = make_accounts(self._connection, needed)
        by_id = {id: account for account, (id, _) in found.items()}
        self.ids |= {account: id for id, account in by_id.items()}
        self.read |= {account: Standing(last_us) for account, (_, last_us) in found.items()}
        for id, tallies in tallies_of(self._connection, list(by_id)).items():
            self.read[by_id[id]].tallies.update(tallies)

    def _make_tallies(self, wanted: Sequence[Wanted], now_us: int) -> None:
        """Those of the windows that end now. Where a clock is behind, they end later, which is rare."""
        wishes: dict[Window, Wish] = {}
        for each in wanted:
            group_id = self._timelines[each.party_id].group_at(now_us)
            for allowance in each.allowances:
                account = account_of(allowance, each, group_id)
                if (standing := self.read.get(account)) is None:
                    continue
                tail = tail_us(now_us, allowance.window_us)
                known = standing.tallies.get(allowance.window_us)
                if known is None or tail > known.tail_us:
                    window = Window(self.ids[account], allowance.window_us)
                    wishes[window] = Wish(window, known, tail)
        self._later.make(wishes.values())


def tallies_of(connection: Connection, account_ids: Sequence[int]) -> dict[int, dict[int, Tally]]:
    """The tallies on record of each account, by window."""
    tallies: dict[int, dict[int, Tally]] = {id: {} for id in account_ids}
    for id, window_us, *sums in _TALLIES.ask(connection, [(id,) for id in account_ids]):
        tallies[id][window_us] = Tally(*sums)
    return tallies


def moments(connection: Connection, account_id: int, after_us: int) -> Iterator[Moment]:
    """What was counted in an account after a time, oldest first; read as it is asked for."""
    while True:
        rows = connection.execute(_MOMENTS, {"account": account_id, "after_us": after_us}).all()
        for at_us, used, held in rows:
            yield Moment(at_us, Posts(int(used), int(held)))
        if len(rows) < MOMENTS_AT_ONCE:
            return
        after_us = rows[-1][0]


def rivals(connection: Connection, request_key: str) -> dict[str, int]:
    """The ids of what is held for a request, with their numbers."""
    return dict(_RIVALS.ask(connection, [(request_key,)]))


def find(connection: Connection, reservation_ids: Sequence[str]) -> dict[str, Reservation]:
    """Those that there are."""
    rows: list[Any] = _RESERVATIONS.ask(connection, [(id,) for id in dict.fromkeys(reservation_ids)])
    found = (from_row(row) for row in rows)
    return {each.wanted.reservation_id: each for each in found}
