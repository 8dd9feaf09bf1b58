"""What waits to be announced at webhooks, in SQL.

A row is written for each recall that was issued since its webhook last had one, whoever issued it and
whenever that is noticed: numbers are in the order of commits, so that none is passed over.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Update, and_, delete, func, insert, select, update

from services.chassis.database import Database
from services.licensing.domain.webhooks.webhooks import LEASE_US, Announced, Leased, Outcome, Waiting
from services.licensing.storage.recall_tables import RecallRow
from services.licensing.storage.webhook_tables import RecallAnnouncementRow, RecallWebhookRow
from services.licensing.storage.webhooks import webhook_row

_TABLES = RecallWebhookRow.metadata.tables
_RECALLS = _TABLES[RecallRow.__tablename__]
_WEBHOOKS = _TABLES[RecallWebhookRow.__tablename__]
_ANNOUNCEMENTS = _TABLES[RecallAnnouncementRow.__tablename__]

NOTICED_AT_ONCE = 200
"""Recalls that are taken down in one transaction."""

# From the webhooks, of which there are few, and in this order: else all recalls there ever were are walked.
_UNTOLD = (
    select(_WEBHOOKS.c.licensee_id, _RECALLS.c.number)
    .select_from(_WEBHOOKS)
    .join(_RECALLS, _RECALLS.c.licensee_id == _WEBHOOKS.c.licensee_id)
    .where(_WEBHOOKS.c.enabled, _RECALLS.c.number > _WEBHOOKS.c.told_number)
    .order_by(_WEBHOOKS.c.licensee_id, _RECALLS.c.number)
    .limit(NOTICED_AT_ONCE)
)


class AnnouncementStore:
    """Announcements in licensing's own database; raises what `Database.read` and `write` raise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(self, now_us: int, limit: int) -> Sequence[Leased]:
        """Announcements that are due, the caller's for `LEASE_US`: one a licensee, the longest due first."""

        def is_any(connection: Connection) -> bool:
            return bool(connection.execute(_UNTOLD.limit(1)).first() or _due(connection, now_us, 1))

        # Looked at by a read first: mostly there is nothing, and decisions are not to wait for that.
        if not await self._database.read(is_any):
            return ()
        return await self._database.write(lambda connection: _lease(connection, now_us, limit))

    async def conclude(self, outcomes: Sequence[Outcome]) -> None:
        """Writes what became of them."""

        def unit(connection: Connection) -> None:
            for outcome in outcomes:
                _conclude(connection, outcome)

        await self._database.write(unit)


def _lease(connection: Connection, now_us: int, limit: int) -> Sequence[Leased]:
    _take_down(connection, now_us)
    leased = []
    for waiting in _due(connection, now_us, limit):
        mine = replace(waiting, next_try_us=now_us + LEASE_US)
        connection.execute(_update(waiting).values(next_try_us=mine.next_try_us))
        webhook = webhook_row(connection, waiting.licensee_id)
        assert webhook is not None, "what waits goes with its webhook"
        leased.append(Leased(mine, webhook, _announced(connection, waiting.number)))
    return leased


def _take_down(connection: Connection, now_us: int) -> None:
    """Has the recalls wait that were issued since this was done before; in the writer's turn."""
    told: dict[str, int] = {}
    for licensee_id, number in connection.execute(_UNTOLD).all():
        row = {"licensee_id": licensee_id, "number": number, "since_us": now_us, "tries": 0}
        connection.execute(insert(_ANNOUNCEMENTS), row | {"next_try_us": now_us})
        told[licensee_id] = number
    for licensee_id, number in told.items():
        theirs = _WEBHOOKS.c.licensee_id == licensee_id
        connection.execute(update(_WEBHOOKS).where(theirs).values(told_number=number))


def _due(connection: Connection, now_us: int, limit: int) -> Sequence[Waiting]:
    """Of each licensee the oldest recall that is due."""
    columns = _ANNOUNCEMENTS.c
    first = (
        select(columns.licensee_id, func.min(columns.number).label("number"))
        .where(columns.next_try_us <= now_us)
        .group_by(columns.licensee_id)
        .order_by(func.min(columns.next_try_us))
        .limit(limit)
        .subquery()
    )
    same = and_(columns.licensee_id == first.c.licensee_id, columns.number == first.c.number)
    rows = connection.execute(select(_ANNOUNCEMENTS).join(first, same))
    return [Waiting(row.licensee_id, row.number, row.since_us, row.tries, row.next_try_us) for row in rows]


def _announced(connection: Connection, number: int) -> Announced:
    row = connection.execute(select(_RECALLS).where(_RECALLS.c.number == number)).one()
    return Announced(
        *(row.recall_id, row.licensee_number, row.licensee_id),
        *(row.issued_at_us, row.due_at_us, row.posts),
    )


def _conclude(connection: Connection, outcome: Outcome) -> None:
    waiting, failure = outcome.leased.waiting, outcome.failure
    theirs = _WEBHOOKS.c.licensee_id == waiting.licensee_id
    if failure is None:
        # Whoever else may have it by now: it has arrived.
        connection.execute(delete(_ANNOUNCEMENTS).where(_named(waiting)))
        connection.execute(update(_WEBHOOKS).where(theirs).values(last_delivered_at_us=outcome.at_us))
        return
    failed = {
        "last_fault": int(failure.fault),
        "last_status": failure.status,
        "last_failed_at_us": outcome.at_us,
    }
    connection.execute(update(_WEBHOOKS).where(theirs).values(failed))
    if outcome.next_try_us is not None:
        again = {"tries": waiting.tries + 1, "next_try_us": outcome.next_try_us}
        connection.execute(_update(waiting).values(again))
    elif connection.execute(delete(_ANNOUNCEMENTS).where(_named(waiting), _is_mine(waiting))).rowcount:
        given_up = {"given_up": _WEBHOOKS.c.given_up + 1, "last_given_up_at_us": outcome.at_us}
        connection.execute(update(_WEBHOOKS).where(theirs).values(given_up))


def _update(waiting: Waiting) -> Update:
    """Of the row as it was when it was read: who lost the lease changes nothing."""
    return update(_ANNOUNCEMENTS).where(_named(waiting), _is_mine(waiting))


def _named(waiting: Waiting) -> ColumnElement[bool]:
    columns = _ANNOUNCEMENTS.c
    return and_(columns.licensee_id == waiting.licensee_id, columns.number == waiting.number)


def _is_mine(waiting: Waiting) -> ColumnElement[bool]:
    return _ANNOUNCEMENTS.c.next_try_us == waiting.next_try_us
