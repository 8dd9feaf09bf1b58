"""The books of metering in its own database: the changes of a group are made on one sheet, and written."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Connection

from services.chassis.bulk import Change, Insertion, Row
from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.metering.domain.postings import Answer, Posting, post
from services.metering.domain.reservations import Place, Reservation, Revision, State, Wanted
from services.metering.domain.rooms import Rooms
from services.metering.domain.sheets import Sheet
from services.metering.storage.absorbing import absorb_shown
from services.metering.storage.accounts import make_accounts, write_entries
from services.metering.storage.head import move_head, read_head
from services.metering.storage.listing import in_short, read_holds, read_page
from services.metering.storage.rooms import read_rooms
from services.metering.storage.rows import CHANGING, COLUMNS, to_changing, to_row
from services.metering.storage.source import SqlSource, find
from services.metering.storage.tallies import TakesLong, TalliesAhead, Window

_NEW_RESERVATIONS = Insertion("reservations", COLUMNS)
_CHANGES = Change("reservations", {"number": "bigint"}, {name: COLUMNS[name] for name in CHANGING})
_REDUCTIONS = Insertion("reductions", dict.fromkeys(("number", "reservation_number"), "bigint"))
_TIMES = Change("accounts", {"id": "bigint"}, {"last_us": "bigint"})
_SUMS = dict.fromkeys(("used", "held", "tail_us"), "bigint")
_TALLY = {"account_id": "bigint", "window_us": "bigint"}
_NEW_TALLIES = Insertion("tallies", _TALLY | _SUMS)
_TALLIES = Change("tallies", _TALLY, _SUMS)

_Outcome = Answer | Refusal | TakesLong


class SqlBooks:
    """Satisfies `meter.Books`."""

    def __init__(self, database: Database, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked once a group, under its lock (M1)."""
        self._database = database
        self._now_us = now_us
        self._ahead = TalliesAhead(database)

    async def post(self, posting: Posting) -> Answer:
        """Enters a change, together with those that arrive meanwhile."""
        outcome = await self._post(posting)
        return await self._post_ahead(posting, outcome) if isinstance(outcome, TakesLong) else outcome

    async def find(self, reservation_id: str) -> Reservation | None:
        """One reservation as committed."""
        found = await self._database.read(
            lambda connection: find(connection, [reservation_id]), confirmed=True
        )
        return found.get(reservation_id)

    async def find_all(self, reservation_ids: Sequence[str]) -> tuple[list[Reservation], Revision]:
        """Those that there are, in the order of the ids, each once."""
        return await self._database.read(
            lambda connection: (in_short(connection, reservation_ids), read_head(connection)), confirmed=True
        )

    async def page(self, after: int, before_us: int | None, limit: int) -> tuple[list[Reservation], Revision]:
        """Those with higher numbers than `after`, in order, at most `limit`."""
        return await self._database.read(
            lambda connection: (read_page(connection, after, before_us, limit), read_head(connection)),
            confirmed=True,
        )

    async def rooms(self, wanted: Wanted) -> Rooms:
        """What a hold would come to now; on a reader, so that nobody who holds waits for it."""
        # As each answer with a revision it is confirmed: licensing never again believes a lower one (R5).
        return await self._database.read(
            lambda connection: read_rooms(connection, wanted, self._now_us()), confirmed=True
        )

    async def holds(self, before_us: int | None, after: Place | None, limit: int) -> list[Reservation]:
        """Holds counted before a time, from the place after `after`, oldest first, at most `limit`."""
        return await self._database.read(
            lambda connection: read_holds(connection, before_us, after, limit), confirmed=True
        )

    def _post(self, posting: Posting) -> Awaitable[Answer | TakesLong]:
        return self._database.write_together(self._post_all, posting)

    async def _post_ahead(self, posting: Posting, reason: TakesLong) -> Answer:
        made: list[Window] = []
        try:
            while True:
                await self._ahead.make(reason.wish)
                made.append(reason.wish.window)
                outcome = await self._post(posting)
                if not isinstance(outcome, TakesLong):
                    return outcome
                reason = outcome
        finally:
            # Not before: one change may need several.
            self._ahead.drop(made)

    def _post_all(self, connection: Connection, postings: Sequence[Posting]) -> list[_Outcome]:
        head, now_us = read_head(connection), self._now_us()
        source = SqlSource(connection, postings, now_us, self._ahead.made)
        sheet = Sheet(source, head, now_us)
        answers = [_posted(sheet, posting) for posting in postings]
        if sheet.head != head:
            _write(connection, sheet, source)
        return answers


def _posted(sheet: Sheet, posting: Posting) -> _Outcome:
    try:
        return Answer(post(sheet, posting), sheet.head)
    except (Refusal, TakesLong) as reason:
        return reason


def _write(connection: Connection, sheet: Sheet, source: SqlSource) -> None:
    new = [sheet.reservations[id] for id in sheet.new]
    changed = [each for id, each in sheet.reservations.items() if id not in sheet.new]
    _NEW_RESERVATIONS.run(connection, [to_row(each) for each in new])
    _CHANGES.run(connection, [(each.number, *to_changing(each)) for each in changed])
    _REDUCTIONS.run(connection, sheet.reductions)
    # New ones too: they may be settled at once, and an access may have shown them before they were heard of.
    settled = [each for each in sheet.reservations.values() if each.state is State.SETTLED]
    shown = absorb_shown(connection, settled, sheet.next_number)
    others = make_accounts(connection, {each.account for each in shown})
    ids = source.ids | {account: id for account, (id, _) in others.items()}
    write_entries(connection, [*sheet.entries, *shown], ids)
    _write_standings(connection, sheet, source)
    move_head(connection, sheet.head)


def _write_standings(connection: Connection, sheet: Sheet, source: SqlSource) -> None:
    times, new, moved = list[Row](), list[Row](), list[Row]()
    for account, standing in sheet.standings.items():
        id, before = source.ids[account], source.read[account]
        if standing.last_us != before.last_us:
            times.append((id, standing.last_us))
        for window_us, tally in standing.tallies.items():
            if (known := before.tallies.get(window_us)) != tally:
                row = id, window_us, tally.used, tally.held, tally.tail_us
                (new if known is None else moved).append(row)
    _TIMES.run(connection, times)
    _NEW_TALLIES.run(connection, new)
    _TALLIES.run(connection, moved)
