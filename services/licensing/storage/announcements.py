"""What waits to be announced at webhooks, in SQL.

A row is written for each recall that was issued since its webhook last had one, whoever issued it and
whenever that is noticed: numbers are in the order of commits, so that none is passed over.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from services.chassis.database import Database
from services.licensing.domain.webhooks.webhooks import (
    LEASE_US,
    TRIED_FOR_US,
    Announced,
    Leased,
    Outcome,
    Waiting,
)
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
        """What is due, the caller's for `LEASE_US`: of each webhook the oldest, of at most `limit` webhooks.

        Those that were to be tried longest ago come first.
        """

        def is_any(connection: Connection) -> bool:
            return bool(connection.execute(_UNTOLD.limit(1)).first() or _due(connection, now_us, 1))

        # Looked at by a read first: mostly there is nothing, and decisions are not to wait for that.
        if not await self._database.read(is_any):
            return ()
        return await self._database.write(lambda connection: _lease(connection, now_us, limit))

    async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[int]:
        """Writes what became of them; how many announcements each had given up."""
        return await self._database.write(
            lambda connection: [_conclude(connection, outcome) for outcome in outcomes]
        )


def _lease(connection: Connection, now_us: int, limit: int) -> Sequence[Leased]:
    _take_down(connection, now_us)
    leased = []
    for waiting in _due(connection, now_us, limit):
        theirs = _WEBHOOKS.c.licensee_id == waiting.licensee_id
        connection.execute(update(_WEBHOOKS).where(theirs).values(next_try_us=now_us + LEASE_US))
        webhook = webhook_row(connection, waiting.licensee_id)
        assert webhook is not None, "what waits goes with its webhook"
        leased.append(Leased(waiting, webhook, _announced(connection, waiting.number)))
    return leased


def _take_down(connection: Connection, now_us: int) -> None:
    """Has the recalls wait that were issued since this was done before; in the writer's turn."""
    told: dict[str, int] = {}
    for licensee_id, number in connection.execute(_UNTOLD).all():
        row = {"licensee_id": licensee_id, "number": number, "since_us": now_us}
        connection.execute(insert(_ANNOUNCEMENTS), row)
        told[licensee_id] = number
    for licensee_id, number in told.items():
        theirs = _WEBHOOKS.c.licensee_id == licensee_id
        connection.execute(update(_WEBHOOKS).where(theirs).values(told_number=number))


def _due(connection: Connection, now_us: int, limit: int) -> Sequence[Waiting]:
    """Of each webhook that may be tried the oldest recall that waits."""
    columns, webhooks = _ANNOUNCEMENTS.c, _WEBHOOKS.c
    theirs = columns.licensee_id == webhooks.licensee_id
    # Looked up in the key for each webhook, however many recalls wait for those that take nothing.
    oldest = select(func.min(columns.number)).where(theirs).correlate(_WEBHOOKS).scalar_subquery()
    due = (
        select(columns.licensee_id, columns.number, columns.since_us)
        .select_from(_WEBHOOKS)
        .join(_ANNOUNCEMENTS, and_(theirs, columns.number == oldest))
        .where(webhooks.next_try_us <= now_us)
        .order_by(webhooks.next_try_us, webhooks.licensee_id)
        .limit(limit)
    )
    return [Waiting(*row) for row in connection.execute(due)]


def _announced(connection: Connection, number: int) -> Announced:
    row = connection.execute(select(_RECALLS).where(_RECALLS.c.number == number)).one()
    return Announced(
        *(row.recall_id, row.licensee_number, row.licensee_id),
        *(row.issued_at_us, row.due_at_us, row.posts),
    )


def _conclude(connection: Connection, outcome: Outcome) -> int:
    """Writes what became of it; how many announcements were given up."""
    waiting, webhook, failure = outcome.leased.waiting, outcome.leased.webhook, outcome.failure
    theirs = _WEBHOOKS.c.licensee_id == waiting.licensee_id
    if failure is None:
        # Whoever else may have it by now: it has arrived.
        connection.execute(delete(_ANNOUNCEMENTS).where(_named(waiting)))
        known: dict[str, object] = {"last_delivered_at_us": outcome.at_us}
    else:
        known = {
            "last_fault": int(failure.fault),
            "last_status": failure.status,
            "last_failed_at_us": outcome.at_us,
        }
    connection.execute(update(_WEBHOOKS).where(theirs).values(known))
    tries = 0 if failure is None else webhook.tries + 1
    # As it was when it was leased: who lost the lease changes no later try.
    mine = update(_WEBHOOKS).where(theirs, _WEBHOOKS.c.next_try_us == webhook.next_try_us)
    is_mine = connection.execute(mine.values(tries=tries, next_try_us=outcome.next_try_us)).rowcount
    return _give_up(connection, outcome) if is_mine and outcome.gives_up else 0


def _give_up(connection: Connection, outcome: Outcome) -> int:
    """Forgets all that has waited for so long: the oldest was tried for each of them. How many there were."""
    licensee_id, columns = outcome.leased.waiting.licensee_id, _ANNOUNCEMENTS.c
    too_old = and_(columns.licensee_id == licensee_id, columns.since_us <= outcome.at_us - TRIED_FOR_US)
    given_up: int = connection.execute(delete(_ANNOUNCEMENTS).where(too_old)).rowcount
    values = {"given_up": _WEBHOOKS.c.given_up + given_up, "last_given_up_at_us": outcome.at_us}
    connection.execute(update(_WEBHOOKS).where(_WEBHOOKS.c.licensee_id == licensee_id).values(values))
    return given_up


def _named(waiting: Waiting) -> ColumnElement[bool]:
    columns = _ANNOUNCEMENTS.c
    return and_(columns.licensee_id == waiting.licensee_id, columns.number == waiting.number)
