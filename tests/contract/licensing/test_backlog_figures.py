"""What waits in licensing's database to be told to others, and what is shown of it, on either engine."""

from prometheus_client import Gauge
from sqlalchemy import Connection, insert

from services.chassis.database import Database
from services.licensing import metrics
from services.licensing.backlogs import Backlogs, BacklogWatch
from services.licensing.storage.backlogs import BacklogStore
from services.licensing.storage.ledger_tables import OutboxRow
from services.licensing.storage.outbox import OutboxStore
from services.licensing.storage.webhook_tables import RecallAnnouncementRow, RecallWebhookRow
from tests.support.clock import NOON_US, ManualClock
from tests.support.recalls import Shelf

SECOND_US = 1_000_000


def a_message(seq: int, written_at_us: int, parked: str | None = None) -> dict[str, object]:
    return {
        "seq": seq,
        "reservation_id": f"reservation-{seq}",
        "cancels": False,
        "reduces": False,
        "delivered": "[]",
        "written_at_us": written_at_us,
        "parked": parked,
    }


async def lay(database: Database, *messages: dict[str, object]) -> None:
    def unit(connection: Connection) -> None:
        connection.execute(insert(OutboxRow), list(messages))

    await database.write(unit)


async def announce(database: Database, licensee_id: str, since_us: int) -> None:
    """A recall waits for the webhook of a licensee."""
    webhook = {
        **{"licensee_id": licensee_id, "url": "https://example.org/recalls", "enabled": True},
        **{"told_number": 1, "secret": bytes(32), "secret_made_at_us": NOON_US, "last_status": 0},
        **{"put_by": "licensee acme", "put_at_us": NOON_US, "given_up": 0, "tries": 0, "next_try_us": 0},
    }

    def unit(connection: Connection) -> None:
        connection.execute(insert(RecallWebhookRow), [webhook])
        waiting = {"licensee_id": licensee_id, "number": 1, "since_us": since_us}
        connection.execute(insert(RecallAnnouncementRow), [waiting])

    await database.write(unit)


def shown(gauge: Gauge) -> float:
    value: float = gauge._value.get()
    return value


async def test_nothing_waits_in_a_new_database(database: Database) -> None:
    seen = await BacklogStore(database).backlogs(100)

    assert seen == Backlogs(0, None, 0, 0, None)


async def test_the_oldest_message_is_the_first_that_is_sent_and_not_one_that_is_parked(
    database: Database,
) -> None:
    await lay(
        database,
        a_message(1, NOON_US - 900 * SECOND_US, parked="HOLD_UNKNOWN"),
        a_message(2, NOON_US - 60 * SECOND_US),
        a_message(3, NOON_US - 30 * SECOND_US),
    )

    seen = await BacklogStore(database).backlogs(100)

    assert seen == Backlogs(2, NOON_US - 60 * SECOND_US, 1, 0, None)


async def test_no_more_rows_are_counted_than_asked_for(database: Database) -> None:
    await lay(database, *(a_message(seq, NOON_US) for seq in range(1, 8)))

    assert (await BacklogStore(database).backlogs(5)).messages == 5


async def test_the_age_of_the_oldest_message_grows_whichever_process_looks(
    database: Database, clock: ManualClock
) -> None:
    await lay(database, a_message(1, clock.now_us()), a_message(2, clock.now_us()))
    clock.advance(90 * SECOND_US)

    await BacklogWatch(BacklogStore(database), clock).look()
    first = shown(metrics.OUTBOX_AGE_SECONDS)
    await OutboxStore(database).remove([1], [])
    clock.advance(30 * SECOND_US)
    await BacklogWatch(BacklogStore(database), clock).look()

    assert (first, shown(metrics.OUTBOX_AGE_SECONDS)) == (90, 120)
    assert (shown(metrics.OUTBOX_WAITING), shown(metrics.OUTBOX_PARKED)) == (1, 0)


async def test_what_was_written_by_a_clock_that_is_ahead_has_no_age(
    database: Database, clock: ManualClock
) -> None:
    await lay(database, a_message(1, clock.now_us() + SECOND_US))

    await BacklogWatch(BacklogStore(database), clock).look()

    assert shown(metrics.OUTBOX_AGE_SECONDS) == 0


async def test_the_oldest_of_several_announcements_is_shown(
    database: Database, clock: ManualClock, shelf: Shelf
) -> None:
    now_us = clock.now_us()
    for licensee_id, since_us in (("acme", now_us - 20 * SECOND_US), ("beta", now_us - 70 * SECOND_US)):
        await announce(database, licensee_id, since_us)

    await BacklogWatch(BacklogStore(database), clock).look()

    assert shown(metrics.ANNOUNCEMENTS_WAITING) == 2
    assert shown(metrics.ANNOUNCEMENT_AGE_SECONDS) == 70
