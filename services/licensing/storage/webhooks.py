"""Webhooks in SQL: where recalls are announced, and how that stands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from services.chassis.database import Database
from services.licensing.domain.webhooks.webhooks import Failure, Fault, Queue, Webhook
from services.licensing.storage.contracts import ContractRows
from services.licensing.storage.recall_answers import newest_number
from services.licensing.storage.webhook_tables import RecallAnnouncementRow, RecallWebhookRow

T = TypeVar("T")

_TABLES = RecallWebhookRow.metadata.tables
_WEBHOOKS = _TABLES[RecallWebhookRow.__tablename__]
_ANNOUNCEMENTS = _TABLES[RecallAnnouncementRow.__tablename__]


class WebhookRows(ContractRows):
    """Webhooks, beside the licensees whose they are, inside one transaction."""

    def webhook(self, licensee_id: str) -> Webhook | None:
        """The webhook of a licensee."""
        return webhook_row(self._connection, licensee_id)

    def webhooks(self, licensee_id: str | None, after: str, limit: int) -> Sequence[tuple[Webhook, Queue]]:
        """Webhooks of licensees above `after`, by licensee; of one, or of all (None)."""
        page = select(_WEBHOOKS).where(_WEBHOOKS.c.licensee_id > after)
        if licensee_id is not None:
            page = page.where(_WEBHOOKS.c.licensee_id == licensee_id)
        rows = self._connection.execute(page.order_by(_WEBHOOKS.c.licensee_id).limit(limit)).all()
        queues = self._queues([row.licensee_id for row in rows])
        return [(_webhook(row), queues.get(row.licensee_id, Queue())) for row in rows]

    def queue(self, licensee_id: str) -> Queue:
        """What waits to be announced to a licensee."""
        return self._queues([licensee_id]).get(licensee_id, Queue())

    def put_webhook(self, webhook: Webhook) -> None:
        """Writes a webhook as it stands."""
        values = _columns(webhook)
        named = _WEBHOOKS.c.licensee_id == webhook.licensee_id
        if not self._connection.execute(update(_WEBHOOKS).where(named), values).rowcount:
            self._connection.execute(insert(_WEBHOOKS), values)

    def forget_waiting(self, licensee_id: str) -> None:
        """Has nothing wait any more."""
        theirs = _ANNOUNCEMENTS.c.licensee_id == licensee_id
        self._connection.execute(delete(_ANNOUNCEMENTS).where(theirs))

    def remove_webhook(self, licensee_id: str) -> None:
        """Removes a webhook that nothing waits for."""
        self._connection.execute(delete(_WEBHOOKS).where(_WEBHOOKS.c.licensee_id == licensee_id))

    def newest_number(self) -> int:
        """Of the recall that was issued last; 0 where none was."""
        return newest_number(self._connection)

    def _queues(self, licensee_ids: Sequence[str]) -> Mapping[str, Queue]:
        columns, webhooks = _ANNOUNCEMENTS.c, _WEBHOOKS.c
        asked = (
            select(columns.licensee_id, func.count(), func.min(columns.since_us), webhooks.next_try_us)
            .join(_WEBHOOKS, webhooks.licensee_id == columns.licensee_id)
            .where(columns.licensee_id.in_(licensee_ids))
            .group_by(columns.licensee_id, webhooks.next_try_us)
        )
        return {
            # It may have been free to be tried long before there was anything to announce.
            licensee_id: Queue(waiting, max(since_us, next_us))
            for licensee_id, waiting, since_us, next_us in self._connection.execute(asked)
        }


class WebhookStore:
    """Webhooks in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[WebhookRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(WebhookRows(connection)))

    async def read(self, query: Callable[[WebhookRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises."""
        return await self._database.read(lambda connection: query(WebhookRows(connection)))


def webhook_row(connection: Connection, licensee_id: str) -> Webhook | None:
    """The webhook of a licensee as it stands in this transaction."""
    row = connection.execute(select(_WEBHOOKS).where(_WEBHOOKS.c.licensee_id == licensee_id)).one_or_none()
    return _webhook(row) if row else None


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        licensee_id=row.licensee_id,
        url=row.url,
        enabled=row.enabled,
        told_number=row.told_number,
        secret=bytes(row.secret),
        secret_made_at_us=row.secret_made_at_us,
        put_by=row.put_by,
        put_at_us=row.put_at_us,
        old_secret=None if row.old_secret is None else bytes(row.old_secret),
        old_until_us=row.old_until_us,
        last_delivered_at_us=row.last_delivered_at_us,
        last_failure=None if row.last_fault is None else Failure(Fault(row.last_fault), row.last_status),
        last_failed_at_us=row.last_failed_at_us,
        given_up=row.given_up,
        last_given_up_at_us=row.last_given_up_at_us,
        tries=row.tries,
        next_try_us=row.next_try_us,
    )


def _columns(webhook: Webhook) -> dict[str, object]:
    failure = webhook.last_failure
    return {
        "licensee_id": webhook.licensee_id,
        "url": webhook.url,
        "enabled": webhook.enabled,
        "told_number": webhook.told_number,
        "secret": webhook.secret,
        "secret_made_at_us": webhook.secret_made_at_us,
        "old_secret": webhook.old_secret,
        "old_until_us": webhook.old_until_us,
        "put_by": webhook.put_by,
        "put_at_us": webhook.put_at_us,
        "last_delivered_at_us": webhook.last_delivered_at_us,
        "last_fault": None if failure is None else int(failure.fault),
        "last_status": 0 if failure is None else failure.status,
        "last_failed_at_us": webhook.last_failed_at_us,
        "given_up": webhook.given_up,
        "last_given_up_at_us": webhook.last_given_up_at_us,
        "tries": webhook.tries,
        "next_try_us": webhook.next_try_us,
    }
