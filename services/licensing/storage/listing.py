"""Decisions by what is known of them, in SQL: found by an index, or looked through so many at a time.

Nothing here takes the order of numbers for that of times: a clock may have gone back.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from services.chassis.database import Database
from services.chassis.long_reads import GoOn
from services.chassis.refusals import Refusal, exhausted
from services.licensing.domain.reasons import Reason
from services.licensing.domain.releases import Outcome
from services.licensing.listing import Page, Summary, Wanted
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.side_reads import SideReads

LOOKED_AT = 5_000
"""Decisions that a page looks at, where no index leads to those that are wanted: some milliseconds."""
MOST_IN_TIME = 20_000
"""Decisions whose numbers a page finds by their time; where there are more, the page looks through them."""
READ_AT_ONCE = 500
"""Numbers that are looked up together."""
MOST_WAITING = 16
RETRY_AFTER_BUSY_US = 1_000_000

_DECISIONS = DecisionRow.metadata.tables[DecisionRow.__tablename__]

_SUMMARIES = select(
    *(_DECISIONS.c.decision_id, _DECISIONS.c.number, _DECISIONS.c.request_id),
    *(_DECISIONS.c.principal_kind, _DECISIONS.c.principal, _DECISIONS.c.licensee_id, _DECISIONS.c.license_id),
    *(_DECISIONS.c.license_version, _DECISIONS.c.purpose, _DECISIONS.c.outcome),
    *(_DECISIONS.c.decided_at_us, _DECISIONS.c.trace_id, _DECISIONS.c.posts_released),
    # Neither engine reads a column for its length.
    func.length(_DECISIONS.c.reasons).label("posts_asked"),
    # A release before billing did not count what it released, and nobody may have done so since.
    case((_DECISIONS.c.recorded_at_us == 0, _DECISIONS.c.reasons)).label("uncounted"),
).order_by(_DECISIONS.c.number.desc())

# In the order of their index: a planner that knows little of the table would read all of it instead.
_NUMBERS_BY_TIME = select(_DECISIONS.c.number).order_by(_DECISIONS.c.decided_at_us)


class DecisionList:
    """Satisfies `listing.Decisions`, in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._reads = SideReads(database, MOST_WAITING, _busy)

    async def page(self, wanted: Wanted, below: int, limit: int) -> Page:
        """The newest decisions with numbers below one.

        Raises what `SideReads.read` raises, and Refusal: EXHAUSTED (DECISIONS_BUSY).
        """
        return await self._reads.read(
            lambda connection, go_on: _page(connection, wanted, below, limit, go_on)
        )


def _busy() -> Refusal:
    message = "too many pages of decisions are asked for at once"
    return exhausted("DECISIONS_BUSY", message, retry_after_us=RETRY_AFTER_BUSY_US)


def _page(connection: Connection, wanted: Wanted, below: int, limit: int, go_on: GoOn) -> Page:
    if wanted.number is not None:
        numbers = [wanted.number] if wanted.number < below else []
        return _among(connection, wanted, numbers, limit, go_on)
    if wanted.request_id is not None:
        asked = select(_DECISIONS.c.number).where(
            _DECISIONS.c.request_id == wanted.request_id, _DECISIONS.c.number < below
        )
        numbers = sorted(connection.execute(asked).scalars(), reverse=True)[:LOOKED_AT]
        return _among(connection, wanted, numbers, limit, go_on)
    if _is_in_few_hours(connection, wanted):
        numbers = list(connection.execute(_in_time(wanted, below)).scalars())
        return _among(connection, wanted, numbers, limit, go_on)
    return _downwards(connection, wanted, below, limit)


def _is_in_few_hours(connection: Connection, wanted: Wanted) -> bool:
    """Whether a time is wanted in which there are no more decisions than can be found by it."""
    if not (of_time := _of_time(wanted)):
        return False
    some = _NUMBERS_BY_TIME.where(*of_time).limit(MOST_IN_TIME + 1).subquery()
    return bool(connection.execute(select(func.count()).select_from(some)).scalar_one() <= MOST_IN_TIME)


def _in_time(wanted: Wanted, below: int) -> Select[Any]:
    """The highest numbers of the decisions of a time, as many as a page looks at."""
    # The limit is never reached. It keeps a planner from going through all numbers instead, for their order.
    in_time = _NUMBERS_BY_TIME.where(*_of_time(wanted)).limit(MOST_IN_TIME).subquery()
    number = in_time.c.number
    return select(number).where(number < below).order_by(number.desc()).limit(LOOKED_AT)


def _among(connection: Connection, wanted: Wanted, numbers: Sequence[int], limit: int, go_on: GoOn) -> Page:
    """What is wanted of the decisions with these numbers, which descend."""
    found = list[Summary]()
    for at in range(0, len(numbers), READ_AT_ONCE):
        go_on()
        some = numbers[at : at + READ_AT_ONCE]
        query = _SUMMARIES.where(_DECISIONS.c.number.in_(some), *_wants(wanted)).limit(limit + 1 - len(found))
        found += map(_summary, connection.execute(query))
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].number)
    # Not all of them may have been told.
    return Page(found, numbers[-1] if len(numbers) >= LOOKED_AT else None)


def _downwards(connection: Connection, wanted: Wanted, below: int, limit: int) -> Page:
    """What is wanted of the next decisions in the order of an index."""
    path = [*_path(wanted), _DECISIONS.c.number < below]
    lowest = connection.execute(_lowest(path)).scalar() if _is_looked_through(wanted) else None
    floor = [] if lowest is None else [_DECISIONS.c.number >= lowest]
    query = _SUMMARIES.where(*path, *floor, *_wants(wanted)).limit(limit + 1)
    found = [_summary(row) for row in connection.execute(query)]
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].number)
    return Page(found, lowest)


def _lowest(path: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The last number that a page comes to on its path; none where it comes to the end."""
    return (
        select(_DECISIONS.c.number)
        .where(*path)
        .order_by(_DECISIONS.c.number.desc())
        .offset(LOOKED_AT - 1)
        .limit(1)
    )


def _path(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What an index has in the order of numbers."""
    if wanted.license_id is not None:
        return [_DECISIONS.c.license_id == wanted.license_id]
    return [] if wanted.licensee_id is None else [_DECISIONS.c.licensee_id == wanted.licensee_id]


def _is_looked_through(wanted: Wanted) -> bool:
    """Whether something is wanted that is not in the path: much of that may be in vain."""
    both = wanted.license_id is not None and wanted.licensee_id is not None
    return both or wanted.outcome is not None or bool(_of_time(wanted))


def _wants(wanted: Wanted) -> list[ColumnElement[bool]]:
    """All that is wanted of a decision."""
    equal = {
        _DECISIONS.c.licensee_id: wanted.licensee_id,
        _DECISIONS.c.license_id: wanted.license_id,
        _DECISIONS.c.outcome: wanted.outcome,
        _DECISIONS.c.request_id: wanted.request_id,
        _DECISIONS.c.number: wanted.number,
    }
    return [*(column == value for column, value in equal.items() if value is not None), *_of_time(wanted)]


def _of_time(wanted: Wanted) -> list[ColumnElement[bool]]:
    at_us = _DECISIONS.c.decided_at_us
    since = [] if wanted.since_us is None else [at_us >= wanted.since_us]
    return since if wanted.until_us is None else [*since, at_us < wanted.until_us]


def _summary(row: Any) -> Summary:
    posts_released = row.posts_released
    if row.uncounted is not None:
        posts_released = int(np.count_nonzero(np.frombuffer(row.uncounted, np.uint8) == Reason.RELEASED))
    return Summary(
        decision_id=row.decision_id,
        number=row.number,
        request_id=row.request_id,
        asked_by=f"{row.principal_kind}:{row.principal}",
        licensee_id=row.licensee_id,
        license_id=row.license_id,
        license_version=row.license_version,
        purpose=row.purpose,
        outcome=Outcome(row.outcome),
        posts_asked=row.posts_asked,
        posts_released=posts_released,
        decided_at_us=row.decided_at_us,
        trace_id=row.trace_id,
    )
