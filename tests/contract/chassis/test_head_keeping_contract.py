"""R5: the head that is kept outside of a database, on either engine; metering's stands for all."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.chassis.action_rows import SqlActions, forget_subject
from services.chassis.database import Database
from services.chassis.head_keeping import HeadKeeper, accept_restore
from services.chassis.heads import Head
from services.chassis.kept_heads import HeadFile, KeptHead
from services.chassis.refusals import Behind, Refusal
from services.chassis.restores import Acceptance
from services.metering.assembly import SCHEMA
from services.metering.schema.tables import ACTIONS, RESTORES
from services.metering.storage.head import lock_head, next_number, read_head
from tests.support.actions import a_begun, a_begun_of, a_caller
from tests.support.clock import NOON_US, ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.metering import metering_database_at
from tests.support.restoring import reason_of

WHY = Acceptance("the disk died", "olga")


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_on(request.param, request, tmp_path, metering_database_at)


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = metering_database_at(url)
    yield database
    await database.close()


@pytest.fixture
def file(tmp_path: Path) -> HeadFile:
    return HeadFile(tmp_path / "heads", "metering")


@pytest.fixture
def keeper(database: Database, file: HeadFile) -> HeadKeeper:
    return HeadKeeper(database, RESTORES, file)


async def head_of(file: HeadFile) -> Head:
    kept = await asyncio.to_thread(file.read)
    assert kept is not None
    return kept.head


async def lose(database: Database, statement: str = "UPDATE head SET number = number - 1") -> None:
    await database.write(lambda connection: connection.execute(text(statement)))


async def refusal_of(keeper: HeadKeeper) -> str | None:
    return await reason_of(keeper.check())


async def a_restored(database: Database, keeper: HeadKeeper) -> None:
    """Keeps a head of 3 outside, and leaves the database at 2."""
    await keeper.check()
    for _ in range(3):
        await database.write(next_number)
    await keeper.keep()
    await lose(database)


async def test_r5_the_head_is_kept_from_the_first_start_on(
    database: Database, keeper: HeadKeeper, file: HeadFile
) -> None:
    await keeper.check()
    first = await head_of(file)
    for _ in range(3):
        await database.write(next_number)

    await keeper.keep()

    assert (first, await head_of(file)) == (Head(1, 0), Head(1, 3))
    assert await refusal_of(keeper) is None


async def act(database: Database, times: int = 1) -> None:
    actions = SqlActions(database, ACTIONS, ManualClock())
    for _ in range(times):
        await actions.begin(a_caller(), a_begun())


async def test_r5_a_backup_that_lacks_actions_alone_is_noticed_too(
    database: Database, keeper: HeadKeeper, file: HeadFile
) -> None:
    await keeper.check()
    await act(database, 3)
    await keeper.keep()
    whole = await refusal_of(keeper)

    await lose(database, "DELETE FROM actions WHERE number = 3")
    with pytest.raises(Behind):
        await keeper.keep()

    assert (whole, await head_of(file)) == (None, Head(1, 0))


@pytest.mark.parametrize(
    "change", ["DELETE FROM actions WHERE number = 3", "UPDATE actions SET operator = 'eve' WHERE number = 3"]
)
async def test_r5_a_log_of_actions_that_is_not_the_one_that_was_kept_is_refused_until_it_is_accepted(
    database: Database, keeper: HeadKeeper, file: HeadFile, change: str
) -> None:
    await keeper.check()
    await act(database, 3)
    await keeper.keep()
    await lose(database, change)

    refused = await refusal_of(keeper)
    await accept_restore(database, RESTORES, file, WHY, NOON_US)
    await act(database)

    assert refused == "DATABASE_RESTORED"
    assert await refusal_of(HeadKeeper(database, RESTORES, file)) is None
    assert await head_of(file) == Head(2, 0)


async def test_r5_c11_what_an_erasure_takes_out_of_the_log_of_actions_is_no_loss(
    database: Database, keeper: HeadKeeper
) -> None:
    await keeper.check()
    await SqlActions(database, ACTIONS, ManualClock()).begin(a_caller(), a_begun_of(7))
    await keeper.keep()

    await database.write(lambda connection: forget_subject(connection, ACTIONS, 7))

    assert await refusal_of(keeper) is None


async def test_r5_a_process_that_dies_in_its_first_start_can_be_started_again(
    database: Database, keeper: HeadKeeper, file: HeadFile
) -> None:
    await keeper.check()
    await lose(database, "UPDATE identity SET is_kept = false")

    assert await refusal_of(keeper) is None
    assert (await database.read(RESTORES.standing)).is_kept


class SlowFile(HeadFile):
    """Another process starts and goes on between the first read of it and whatever follows."""

    other: Callable[[], None] | None = None

    def read(self) -> KeptHead | None:
        kept = super().read()
        if (other := self.other) is not None:
            self.other = None
            other()
        return kept


async def test_r5_two_processes_may_start_together_the_first_time(
    database: Database, keeper: HeadKeeper, tmp_path: Path
) -> None:
    async def start_and_go_on() -> None:
        await keeper.check()
        await database.write(next_number)
        await keeper.keep()

    slow, loop = SlowFile(tmp_path / "heads", "metering"), asyncio.get_running_loop()
    slow.other = lambda: asyncio.run_coroutine_threadsafe(start_and_go_on(), loop).result()

    assert await refusal_of(HeadKeeper(database, RESTORES, slow)) is None
    assert await head_of(slow) == Head(1, 1)


async def test_r5_what_shows_nothing_is_no_reason_to_start(
    keeper: HeadKeeper, file: HeadFile, tmp_path: Path
) -> None:
    await keeper.check()
    path = tmp_path / "heads" / "metering.head"

    path.write_bytes(path.read_bytes()[:-9])
    damaged = await refusal_of(keeper)
    path.unlink()
    missing = await refusal_of(keeper)
    path.mkdir()
    unreadable = await refusal_of(keeper)

    assert (damaged, missing, unreadable) == ("HEAD_DAMAGED", "HEAD_MISSING", "HEAD_UNREADABLE")


async def test_r5_a_head_that_cannot_be_kept_is_no_reason_to_start(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "no folder").write_bytes(b"")
    keeper = HeadKeeper(database, RESTORES, HeadFile(tmp_path / "no folder" / "heads", "metering"))

    assert await refusal_of(keeper) in {"HEAD_UNREADABLE", "HEAD_UNWRITABLE"}


async def test_r5_a_database_that_is_behind_what_another_process_kept_is_given_up(
    database: Database, keeper: HeadKeeper, file: HeadFile
) -> None:
    await keeper.check()
    standing = await database.read(RESTORES.standing)
    await asyncio.to_thread(file.raise_to, KeptHead("metering", standing.mark, Head(1, 9)))

    with pytest.raises(Behind):
        await keeper.keep()

    assert database.given_up.is_set()
    assert await reason_of(database.read(read_head)) == "DATABASE_BEHIND"


async def test_r5_another_database_in_the_place_of_ours_is_given_up(
    database: Database, keeper: HeadKeeper
) -> None:
    await keeper.check()
    await lose(database, "UPDATE identity SET mark = 'theirs'")

    with pytest.raises(Behind):
        await keeper.keep()

    assert database.given_up.is_set()


async def test_r5_a_file_that_cannot_be_written_is_tried_again_and_ends_nothing(
    database: Database, keeper: HeadKeeper, file: HeadFile, tmp_path: Path
) -> None:
    await keeper.check()
    heads = tmp_path / "heads"
    shutil.move(heads, tmp_path / "away")
    heads.write_bytes(b"")
    await database.write(next_number)

    await keeper.close()
    heads.unlink()
    await keeper.close()

    assert not database.given_up.is_set()
    assert await head_of(file) == Head(1, 1)


@pytest.mark.parametrize("notice", [read_head, next_number], ids=["reads", "writes"])
async def test_r5_a_process_that_saw_more_of_its_database_reads_and_writes_nothing_more(
    database: Database, notice: Callable[..., object]
) -> None:
    for _ in range(3):
        await database.write(next_number)
    await database.read(read_head)
    await lose(database)
    if database.dialect == "sqlite" and notice is next_number:
        pytest.skip("a file has one writer, which is the only one that can change it")

    first = database.read(read_head) if notice is read_head else database.write(next_number)
    noticed = [await reason_of(first), await reason_of(database.write(next_number))]

    assert noticed == ["DATABASE_BEHIND"] * 2
    assert database.given_up.is_set()


async def test_r5_a_file_that_was_replaced_under_its_process_is_noticed(
    database: Database, keeper: HeadKeeper, tmp_path: Path
) -> None:
    if database.dialect != "sqlite":
        pytest.skip("a session goes on with the database that it began with")
    await keeper.check()
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "service.db", copy)
    copy.replace(tmp_path / "service.db")

    with pytest.raises(Behind):
        await keeper.keep()

    assert database.given_up.is_set()


async def test_r5_nobody_is_alone_with_a_database_that_a_process_serves_and_none_serves_meanwhile(
    url: str,
) -> None:
    def opened(*, alone: bool) -> Database:
        return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head, alone=alone)

    def refused(*, alone: bool) -> str:
        with pytest.raises(Refusal) as refusal:
            opened(alone=alone)
        return refusal.value.reason

    serving = opened(alone=False)
    while_served = refused(alone=True)
    await serving.close()
    accepting = opened(alone=True)
    meanwhile = refused(alone=False)
    await accepting.close()
    opened(alone=False).close_now()

    assert (while_served, meanwhile) == ("DATABASE_IN_USE", "DATABASE_IN_USE")


async def test_r5_an_accepted_restore_begins_an_epoch_that_all_later_numbers_are_of(
    url: str, database: Database, keeper: HeadKeeper, file: HeadFile
) -> None:
    await a_restored(database, keeper)
    await database.close()
    database = metering_database_at(url)

    restore = await accept_restore(database, RESTORES, file, WHY, NOON_US)
    after = await database.write(next_number)

    assert (restore.epoch, restore.shared, restore.found, restore.lost) == (2, 2, Head(1, 2), Head(1, 3))
    assert after == (2, 3)
    assert await database.read(lambda c: RESTORES.page(c, None, 10)) == (restore,)
    assert await head_of(file) == Head(2, 2)
    await database.close()


async def test_r5_a_file_that_says_nothing_is_accepted_away_where_no_head_was_ever_kept(
    url: str, database: Database, keeper: HeadKeeper, file: HeadFile, tmp_path: Path
) -> None:
    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / "metering.head").write_bytes(b"torn")
    refused = await refusal_of(keeper)
    await database.close()
    database = metering_database_at(url)

    restore = await accept_restore(database, RESTORES, file, WHY, NOON_US)

    assert (refused, restore.epoch, restore.shared, restore.lost) == ("HEAD_DAMAGED", 2, 0, None)
    assert await refusal_of(HeadKeeper(database, RESTORES, file)) is None
    await database.close()


async def test_r5_a_file_that_is_removed_comes_back_with_the_restores_that_the_database_does_not_know(
    database: Database, keeper: HeadKeeper, file: HeadFile, tmp_path: Path
) -> None:
    standing = await database.read(RESTORES.standing)
    lost = KeptHead("metering", standing.mark, Head(1, 0), (Head(2, 60),))
    await asyncio.to_thread(file.replace, lost)
    await keeper.check()

    (tmp_path / "heads" / "metering.head").unlink()
    await keeper.keep()

    assert await asyncio.to_thread(file.read) == lost


async def test_r5_an_acceptance_that_died_before_the_head_was_kept_has_happened(
    url: str, database: Database, keeper: HeadKeeper, file: HeadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_restored(database, keeper)
    await database.close()
    database = metering_database_at(url)

    def full(_self: HeadFile, _kept: KeptHead) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched, pytest.raises(Refusal) as refused:
        patched.setattr(HeadFile, "replace", full)
        await accept_restore(database, RESTORES, file, WHY, NOON_US)

    assert refused.value.reason == "HEAD_UNWRITABLE"
    assert await head_of(file) == Head(1, 3)
    assert await refusal_of(HeadKeeper(database, RESTORES, file)) is None
    assert await head_of(file) == Head(2, 2)
    await database.close()
