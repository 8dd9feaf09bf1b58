"""R5: a database of licensing that has lost no receipt is noticed too, and so is a lost folder of the log."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from services.chassis.head_keeping import HeadKeeper
from services.chassis.kept_heads import HeadFile
from services.chassis.restores import Acceptance as Spoken
from services.licensing.accepting import FOLDER_LOST, Acceptance, Accepted
from services.licensing.storage.head import lock_head, take_recall_number
from services.licensing.storage.log import LogStore
from services.licensing.storage.log_folder import LogFolder
from services.licensing.storage.recall_answers import newest_number
from services.licensing.storage.restore_tables import RESTORES
from services.licensing.storage.restores import RestoreStore
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at
from tests.support.logs import the_log
from tests.support.published import a_publisher, add_receipts, publish_all, reader_of, shown_in
from tests.support.restoring import reason_of

WHY = Spoken("the disk broke", "ada")
LOST = Spoken("the disk broke", "ada", frozenset({FOLDER_LOST}))


class Place:
    """A database, its kept head and its log, as one process after the other opens it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.log, self.head = folder / "log", HeadFile(folder / "heads", "licensing")
        self._url = url
        self.database = licensing_database_at(url)

    async def change(self, unit: Callable[[Connection], object] = lock_head) -> None:
        """One transaction that writes, and nothing that a checkpoint shows."""
        await self.database.write(unit)

    async def publish(self, receipts: int) -> None:
        """Decides and publishes so many more."""
        await asyncio.to_thread(add_receipts, self.database, receipts)
        await publish_all(a_publisher(self.database, self.log))

    async def start(self) -> str | None:
        """Another process begins; why it serves nothing."""
        await self._reopen()
        keeper = HeadKeeper(self.database, RESTORES, self.head)
        refused = await reason_of(keeper.check())
        return refused or await reason_of(shown_in(LogStore(self.database), self.log).check_at_start())

    async def stop(self) -> None:
        """In order: the head is kept once more."""
        keeper = HeadKeeper(self.database, RESTORES, self.head)
        await keeper.check()
        await keeper.keep()

    async def go_back(self, changes: int) -> None:
        """As if the database were a backup from so many changes ago, that had every receipt."""
        undo = text(f"UPDATE head SET number = number - {changes}")
        await self._reopen(alone=True)
        await self.database.write(lambda connection: connection.execute(undo))
        await self._reopen()

    async def accept(self, spoken: Spoken = WHY) -> Accepted:
        await self._reopen(alone=True)
        store = RestoreStore(self.database, self.head)
        reader = reader_of(self.log)
        log, folder = LogStore(self.database), LogFolder(self.log)
        return await Acceptance(store, log, folder, reader, ManualClock()).accept(spoken)

    async def _reopen(self, *, alone: bool = False) -> None:
        await self.database.close()
        self.database = licensing_database_at(self._url, alone=alone)


@pytest_asyncio.fixture(params=ENGINES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(url_on(request.param, request, tmp_path, licensing_database_at), tmp_path)
    yield place
    await place.database.close()


async def test_r5_a_restore_that_loses_no_receipt_is_refused_until_it_is_accepted(place: Place) -> None:
    assert await place.start() is None
    await place.publish(3)
    await place.change()
    await place.change()
    await place.stop()
    await place.go_back(1)

    refused = await place.start()
    accepted = await place.accept()
    again = await reason_of(place.accept())

    assert (refused, again) == ("DATABASE_RESTORED", "NOT_RESTORED")
    assert (accepted.restore.epoch, accepted.of_log.epoch, accepted.of_log.lost) == (2, 2, None)
    assert accepted.restore.lost is not None
    assert accepted.restore.lost > accepted.restore.found
    assert await place.start() is None
    await place.publish(1)
    assert verify_log_folder(place.log, the_log()).size == 4


async def test_r5_what_the_kept_head_and_the_log_show_is_accepted_together(place: Place) -> None:
    assert await place.start() is None
    await place.publish(3)
    await place.publish(2)
    kept = (place.log / "checkpoint").read_bytes()
    await place.stop()
    for lost in ("DELETE FROM decisions WHERE number > 3", "DELETE FROM log_checkpoints WHERE size > 3"):
        await place.database.write(lambda connection, lost=lost: connection.execute(text(lost)))  # type: ignore[misc]
    await place.database.write(lambda c: c.execute(text("UPDATE head SET next_number = 4")))
    await place.go_back(4)

    refused = await place.start()
    accepted = await place.accept()

    assert refused == "DATABASE_RESTORED"
    assert (accepted.restore.epoch, accepted.of_log.lost) == (2, (4, 5))
    assert await place.start() is None
    await place.publish(1)
    shown = verify_log_folder(place.log, the_log())
    assert (shown.size, verify_kept(place.log, shown, kept, the_log()).size) == (6, 5)


async def test_r5_a_group_of_changes_raises_the_number_whatever_it_writes(place: Place) -> None:
    before = (await place.database.read(RESTORES.standing)).head

    await asyncio.gather(*(place.change() for _ in range(20)))

    after = (await place.database.read(RESTORES.standing)).head
    assert before.number < after.number <= before.number + 20


async def test_r5_an_emptied_folder_is_refused_and_written_again_only_on_the_word_of_an_operator(
    place: Place,
) -> None:
    assert await place.start() is None
    await place.publish(300)
    kept = (place.log / "checkpoint").read_bytes()
    await place.stop()
    place.log.rename(place.log.with_name("away"))

    refused = await place.start()
    without_a_word = await reason_of(place.accept())
    accepted = await place.accept(LOST)

    assert (refused, without_a_word) == ("LOG_FOLDER_EMPTY", "LOG_FOLDER_EMPTY")
    assert (accepted.folder_was_lost, accepted.of_log.lost, accepted.of_log.published) == (True, None, 300)
    assert (place.log / "checkpoint").read_bytes() == kept
    assert await place.start() is None
    assert await reason_of(place.accept(LOST)) == "LOG_FOLDER_THERE"
    await place.publish(1)
    assert verify_log_folder(place.log, the_log()).size == 301


async def test_r5_an_older_database_does_not_write_the_folder_again(place: Place) -> None:
    assert await place.start() is None
    await place.publish(3)
    await place.change()
    await place.stop()
    await place.go_back(1)
    (place.log / "checkpoint").unlink()

    refusals = [await place.start(), await reason_of(place.accept()), await reason_of(place.accept(LOST))]

    assert refusals == ["DATABASE_RESTORED", "LOG_FOLDER_EMPTY", "LOG_FOLDER_EMPTY"]
    assert not (place.log / "checkpoint").exists()


async def test_r5_a_process_that_died_before_the_first_checkpoint_was_in_the_folder_starts_again(
    place: Place,
) -> None:
    await asyncio.to_thread(add_receipts, place.database, 2)
    # It is signed, and goes into a folder that is not the one of the next process.
    elsewhere = place.log.with_name("elsewhere")
    await publish_all(a_publisher(place.database, elsewhere))
    await place.database.write(lambda c: c.execute(text("UPDATE head SET is_log_shown = false")))

    assert await place.start() is None
    await publish_all(a_publisher(place.database, place.log))
    (place.log / "checkpoint").unlink()
    assert await place.start() == "LOG_FOLDER_EMPTY"


async def test_r5_numbers_of_recalls_are_never_given_twice_and_no_reader_misses_one(place: Place) -> None:
    async def issue() -> int:
        def unit(connection: Connection) -> int:
            lock_head(connection)
            return take_recall_number(connection)

        return await place.database.write(unit)

    assert await place.start() is None
    assert [await issue() for _ in range(7)] == [1, 2, 3, 4, 5, 6, 7]
    await place.stop()
    await place.database.write(lambda c: c.execute(text("UPDATE head SET next_recall = 4")))
    await place.go_back(4)
    await place.accept()
    assert await place.start() is None

    # Who has read up to 7 is not ahead, and whatever comes is after it.
    assert await place.database.read(newest_number) >= 7
    assert await issue() == 1_000_000_000_001
