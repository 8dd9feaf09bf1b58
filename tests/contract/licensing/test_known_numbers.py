"""R5 while licensing runs: a database that lost something is used for nothing more; on each engine."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.group_commit import CommitUnknown
from services.chassis.refusals import Behind, Kind, Refusal
from services.licensing.storage.head import lock_head
from services.licensing.storage.known import Known
from services.licensing.storage.ledger import LedgerRows, LedgerStore
from services.licensing.storage.log import LogStore
from tests.support.published import a_publisher, add_receipts, publish_all


def take(rows: LedgerRows) -> int:
    rows.lock_head()
    return rows.take_number(None, None)


def set_head(database: Database, assignment: str) -> None:
    """Behind the back of whoever remembers."""

    def unit(connection: Connection) -> None:
        connection.execute(text(f"UPDATE head SET {assignment}"))

    database.write_now(unit)


async def refused(database: Database) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await LedgerStore(database).write(take)
    return refusal.value


async def test_a_number_that_was_acknowledged_and_is_free_again_ends_the_use_of_the_database(
    database: Database,
) -> None:
    ledger = LedgerStore(database)
    for number in (1, 2, 3):
        assert await ledger.write(take) == number
    set_head(database, "next_number = 3")

    first = await refused(database)
    set_head_again = [await refused(database) for _ in range(2)]

    assert (first.kind, first.reason) == (Kind.UNAVAILABLE, "DATABASE_BEHIND")
    assert [each.reason for each in set_head_again] == ["DATABASE_BEHIND"] * 2
    with pytest.raises(Refusal, match="DATABASE_BEHIND"):
        await ledger.read(lambda rows: rows.decision("none"))
    assert database.given_up.is_set()


async def test_it_is_used_no_more_when_the_numbers_have_come_back(database: Database) -> None:
    ledger = LedgerStore(database)
    await ledger.write(take)
    set_head(database, "next_number = 1")
    await refused(database)

    with pytest.raises(Refusal, match="DATABASE_BEHIND"):
        set_head(database, "next_number = 9")


async def test_what_others_published_is_known_too(database: Database, tmp_path: Path) -> None:
    add_receipts(database, 5)
    await publish_all(a_publisher(database, tmp_path / "log"))
    await LogStore(database).newest()
    set_head(database, "next_number = 5")

    assert (await refused(database)).reason == "DATABASE_BEHIND"


async def test_numbers_that_were_never_committed_are_not_missed(database: Database) -> None:
    ledger = LedgerStore(database)

    def take_and_fail(rows: LedgerRows) -> int:
        take(rows)
        raise CommitUnknown

    await ledger.write(take)
    with pytest.raises(CommitUnknown):
        await ledger.write(take_and_fail)

    assert await ledger.write(take) == 2


async def test_a_process_that_wrote_in_another_epoch_writes_no_more(database: Database) -> None:
    await LedgerStore(database).write(take)

    def accept(connection: Connection) -> None:
        lock_head(connection)
        connection.execute(text("UPDATE head SET epoch = 2"))

    database.write_now(accept)

    assert (await refused(database)).reason == "DATABASE_BEHIND"


def test_the_first_epoch_that_is_seen_is_the_one_that_is_written_in() -> None:
    known = Known()

    known.check(7, 1)
    known.has(4)
    known.check(7, 5)

    for epoch, next_number in ((7, 4), (8, 5), (6, 5)):
        with pytest.raises(Behind):
            known.check(epoch, next_number)
