"""The sums of decisions in SQL: made in the order of receipt numbers, each decision once.

The number of the last decision that is in them moves in the transaction that adds it, under a lock of its
row: whoever dies, and however many do it, none is counted twice or missed. What is added up is read before
the writer is asked, and pages have a reader of their own, so that decisions wait only for a few rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import (
    Connection,
    Delete,
    Select,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)

from services.chassis.bulk import Insertion
from services.chassis.database import Database
from services.chassis.long_reads import GoOn
from services.chassis.refusals import Refusal, exhausted, unavailable
from services.chassis.replays import ReplayKey, once
from services.licensing.domain.reasons import Reason
from services.licensing.domain.releases import Outcome
from services.licensing.domain.statistics import (
    Cell,
    Cells,
    Counted,
    Place,
    Stretch,
    cells_of,
    put_together,
    rows_of,
    widened,
)
from services.licensing.statistics import Page, Question
from services.licensing.storage.contract_tables import REPLAYS
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.side_reads import SideReads
from services.licensing.storage.statistics_tables import CountedRow, DecisionCountRow

DECISIONS_AT_ONCE = 500
"""Decisions that are read together; of 10,000 posts each they are 5 MB."""
DROPPED_AT_ONCE = 2_000
"""Sums dropped in one transaction: a few milliseconds, for which no decision is written."""
DROPPING = -1
CELLS_A_ROW = len(Outcome) * (len(Reason) + 1)
"""At most so many cells stand in one row of counts."""
CELLS_AT_ONCE = 1_000
"""Cells that are fetched together: most rows have far fewer than they may."""
MOST_BEHIND = 20_000
"""Decisions that a page adds to the sums by itself: what comes in between two looks, and some fractions of a
second to read. Sums that lack more are being made, and are waited for by whoever asks."""
MOST_PAGES = 16
"""Pages read and waited for at once; each takes some hundredths of a second."""
RETRY_AFTER_BUSY_US = 1_000_000
RETRY_AFTER_BEHIND_US = 5_000_000

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_COUNTS = _TABLES[DecisionCountRow.__tablename__]
_COUNTED = _TABLES[CountedRow.__tablename__]

_POSITION = select(_COUNTED.c.number)
_LOCK = _POSITION.with_for_update()
_MOVE = update(_COUNTED).values(number=bindparam("to"))
_LAST = select(func.coalesce(func.max(_DECISIONS.c.number), 0))
_NEXT = (
    select(
        _DECISIONS.c.number,
        _DECISIONS.c.decided_at_us,
        _DECISIONS.c.licensee_id,
        _DECISIONS.c.purpose,
        _DECISIONS.c.outcome,
        _DECISIONS.c.reasons,
    )
    .where(_DECISIONS.c.number > bindparam("after"))
    .order_by(_DECISIONS.c.number)
    .limit(DECISIONS_AT_ONCE)
)
_ADD = Insertion(
    "decision_counts",
    {
        "stretch_us": "bigint",
        "since_us": "bigint",
        "licensee_id": "text",
        "purpose": "integer",
        "outcome": "integer",
        "reason": "integer",
        "count": "bigint",
    },
    "ON CONFLICT (stretch_us, since_us, licensee_id, purpose, outcome, reason)"
    " DO UPDATE SET count = decision_counts.count + excluded.count",
)


class Part(NamedTuple):
    """The next decisions, added up."""

    after: int
    """The number of the last decision before them."""
    last: int
    rows: Sequence[tuple[int | str, ...]]
    """Of the table of sums: the cells of every length of stretches."""


class StatisticsStore:
    """Satisfies `statistics.Sums`, in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = SideReads(database, MOST_PAGES, _busy)

    async def advance(self) -> bool:
        """Adds the next decisions, or drops some sums first; whether there may be more to do.

        Raises what `Database.read` and `Database.write` raise; nothing has been added then.
        """
        position, part = await self._database.read(_next_part)
        if position < 0:
            return await self._database.write(_drop_some, weight=DROPPED_AT_ONCE)
        if part is None:
            return False
        return await self._database.write(lambda connection: _add(connection, part), weight=len(part.rows))

    async def page(self, question: Question) -> Page:
        """Exact counts, all of one snapshot.

        Raises what `SideReads.read` raises, and Refusal: EXHAUSTED (STATS_BUSY, too many pages are waited
        for), UNAVAILABLE (STATS_BEHIND, more than `MOST_BEHIND` decisions are not in the sums).
        """
        return await self._reads.read(lambda connection, go_on: _page(connection, question, go_on))

    async def drop(self, key: ReplayKey, now_us: int) -> int:
        """Has the sums dropped and made anew, once for each key; up to which receipt at least."""

        def produce(connection: Connection) -> bytes:
            # Only says so: to drop them takes long, and whoever keeps the sums does it bit by bit.
            connection.execute(_MOVE, {"to": DROPPING})
            return str(connection.execute(_LAST).scalar_one()).encode()

        def unit(connection: Connection) -> int:
            return int(once(connection, REPLAYS, key, now_us, lambda: produce(connection)))

        return await self._database.write(unit)


def _busy() -> Refusal:
    message = "too many pages of counts are asked for at once"
    return exhausted("STATS_BUSY", message, retry_after_us=RETRY_AFTER_BUSY_US)


def _next_part(connection: Connection) -> tuple[int, Part | None]:
    """How far the sums are made, and what comes next, if anything does."""
    position = int(connection.execute(_POSITION).scalar_one())
    rows = connection.execute(_NEXT, {"after": position}).all() if position >= 0 else []
    if not rows:
        return position, None
    minutes = cells_of(map(_counted, rows), Stretch.MINUTE)
    sums = [
        (int(stretch), *cell, count)
        for stretch in Stretch
        for cell, count in sorted(widened(minutes, stretch).items())
    ]
    return position, Part(position, rows[-1].number, sums)


def _add(connection: Connection, part: Part) -> bool:
    # Another process may have added them since they were read; then this was for nothing.
    if connection.execute(_LOCK).scalar_one() == part.after:
        _ADD.run(connection, part.rows)
        connection.execute(_MOVE, {"to": part.last})
    return True


def _drop_some(connection: Connection) -> bool:
    if connection.execute(_LOCK).scalar_one() < 0 and not connection.execute(_dropping()).rowcount:
        connection.execute(_MOVE, {"to": 0})
    return True


def _dropping() -> Delete:
    key = _COUNTS.primary_key.columns
    return delete(_COUNTS).where(tuple_(*key).in_(select(*key).limit(DROPPED_AT_ONCE).scalar_subquery()))


def _page(connection: Connection, question: Question, go_on: GoOn) -> Page:
    position = int(connection.execute(_POSITION).scalar_one())
    last = int(connection.execute(_LAST).scalar_one())
    if last - max(position, 0) > MOST_BEHIND:
        message = "the sums of decisions are being made and lack too many; ask again later"
        raise unavailable("STATS_BEHIND", message, retry_after_us=RETRY_AFTER_BEHIND_US)
    summed = _summed_together if question.together else _summed
    cells = summed(connection, question) if position >= 0 else Cells()
    for part in _not_yet_summed(connection, max(position, 0)):
        go_on()
        cells.update(_asked(part, question))
    rows = rows_of(cells)
    return Page(rows[: question.limit], len(rows) > question.limit, last)


def _summed(connection: Connection, question: Question) -> Cells:
    """The sums of the first rows of the page, and one more where there is one, each of them whole."""
    cells, places = Cells(), set[Place]()
    with connection.execute(_sums(question), execution_options={"yield_per": CELLS_AT_ONCE}) as rows:
        for *of_cell, count in rows:
            cell = Cell(*of_cell)
            places.add(cell.place)
            if len(places) > question.limit + 1:
                break
            cells[cell] = count
    return cells


def _summed_together(connection: Connection, question: Question) -> Cells:
    """The sums of the first stretches of the page, and of one more where there is one."""
    found = connection.scalars(_stretches(question)).all()
    if not found:
        return Cells()
    rows = connection.execute(_sums_together(question, found[-1]))
    # A sum is a decimal number on PostgreSQL.
    return Cells({Cell(since_us, "", 0, *of_cell): int(count) for since_us, *of_cell, count in rows})


def _stretches(question: Question) -> Select[Any]:
    """The beginnings of the stretches of a page of sums, and one more: no more of the table is summed up."""
    query = select(_COUNTS.c.since_us).distinct().order_by(_COUNTS.c.since_us).limit(question.limit + 1)
    return _within(query, question)


def _sums_together(question: Question, last_us: int) -> Select[Any]:
    """The cells of every stretch up to the one that begins at `last_us`, added up."""
    of_cell = _COUNTS.c.since_us, _COUNTS.c.outcome, _COUNTS.c.reason
    query = select(*of_cell, func.sum(_COUNTS.c.count)).group_by(*of_cell)
    return _within(query, question).where(_COUNTS.c.since_us <= last_us)


def _sums(question: Question) -> Select[Any]:
    """Cells in the order of their places; an index gives them so, and none that is not asked for."""
    place = _COUNTS.c.since_us, _COUNTS.c.licensee_id, _COUNTS.c.purpose
    query = select(*place, _COUNTS.c.outcome, _COUNTS.c.reason, _COUNTS.c.count).order_by(*place)
    query = query.limit((question.limit + 1) * CELLS_A_ROW)
    # What stands before a place in its stretch was on the page before.
    return _within(
        query if question.after is None else query.where(tuple_(*place) > question.after), question
    )


def _within(query: Select[Any], question: Question) -> Select[Any]:
    """What lies in the stretches that are in question, from that of the page before on or after it."""
    query = query.where(_COUNTS.c.stretch_us == int(question.stretch))
    if question.since_us is not None:
        query = query.where(_COUNTS.c.since_us >= question.since_us)
    if question.until_us is not None:
        query = query.where(_COUNTS.c.since_us < question.until_us)
    if question.licensee_id is not None:
        query = query.where(_COUNTS.c.licensee_id == question.licensee_id)
    if question.after is not None:
        # It says to every planner where to begin.
        beginning_us = question.after.since_us
        is_later = _COUNTS.c.since_us > beginning_us
        query = query.where(is_later if question.together else _COUNTS.c.since_us >= beginning_us)
    return query


def _not_yet_summed(connection: Connection, position: int) -> Iterator[list[Counted]]:
    """The decisions after a position, some at a time, for they may be many while sums are made anew."""
    while rows := connection.execute(_NEXT, {"after": position}).all():
        yield [_counted(row) for row in rows]
        position = rows[-1].number


def _asked(decisions: list[Counted], question: Question) -> Cells:
    """The cells of decisions that are in question."""
    cells = cells_of(decisions, question.stretch)
    asked = Cells({cell: count for cell, count in cells.items() if _is_asked(cell.place, question)})
    return put_together(asked) if question.together else asked


def _is_asked(place: Place, question: Question) -> bool:
    return (
        (question.since_us is None or place.since_us >= question.since_us)
        and (question.until_us is None or place.since_us < question.until_us)
        and (question.licensee_id is None or place.licensee_id == question.licensee_id)
        and question.is_after(place)
    )


def _counted(row: Any) -> Counted:
    reasons = np.frombuffer(row.reasons, np.uint8)
    return Counted(row.decided_at_us, row.licensee_id, row.purpose, row.outcome, reasons)
