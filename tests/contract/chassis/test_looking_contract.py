"""Whether the database answers is known apart from whether its head is kept, on either engine."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.head_keeping import HeadKeeper
from services.chassis.kept_heads import HeadFile, KeptHead
from services.chassis.metrics import DATABASE_REACHED, HEAD_KEPT
from services.chassis.refusals import Refusal
from services.chassis.restore_rows import RestoreRows
from services.chassis.restores import Standing
from services.metering.schema.tables import RESTORES
from tests.support.engines import ENGINES, url_on
from tests.support.metering import metering_database_at


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = metering_database_at(url_on(request.param, request, tmp_path, metering_database_at))
    yield database
    await database.close()


@pytest.fixture
def file(tmp_path: Path) -> HeadFile:
    return HeadFile(tmp_path / "heads", "metering")


@pytest.fixture
def keeper(database: Database, file: HeadFile) -> HeadKeeper:
    return HeadKeeper(database, RESTORES, file)


class HangingFile(HeadFile):
    """As on a file server that is gone: whoever reads waits, and says that they do."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "metering")
        self.is_read = threading.Event()
        self.answers = threading.Event()

    def read(self) -> KeptHead | None:
        self.is_read.set()
        self.answers.wait()
        return super().read()


class CountedRows(RestoreRows):
    """Says when the database has been looked at more than once, in whichever thread."""

    looks = 0

    def __init__(self) -> None:
        vars(self).update(vars(RESTORES))
        self.enough = threading.Event()

    def standing(self, connection: Connection, action: int = 0) -> Standing:
        self.looks += 1
        if self.looks > 2:
            self.enough.set()
        return super().standing(connection, action)


async def test_a_database_that_answers_is_said_to_though_the_file_of_its_head_hangs(
    database: Database, tmp_path: Path
) -> None:
    rows, file = CountedRows(), HangingFile(tmp_path / "heads")
    DATABASE_REACHED.labels(database.name).set(0)
    keeping = asyncio.create_task(HeadKeeper(database, rows, file, interval_seconds=0.01).run())

    await asyncio.to_thread(file.is_read.wait)
    await asyncio.to_thread(rows.enough.wait)
    reached = DATABASE_REACHED.labels(database.name)._value.get()

    keeping.cancel()
    file.answers.set()
    await asyncio.gather(keeping, return_exceptions=True)
    assert reached > 0


async def test_a_database_that_answers_is_said_to_though_the_file_of_its_head_is_damaged(
    database: Database, keeper: HeadKeeper, file: HeadFile, tmp_path: Path
) -> None:
    await keeper.check()
    path = tmp_path / "heads" / "metering.head"
    path.write_bytes(path.read_bytes()[:-9])
    DATABASE_REACHED.labels(database.name).set(0)
    HEAD_KEPT.labels(database.name).set(0)

    await keeper.look()
    with pytest.raises(Refusal, match="HEAD_DAMAGED"):
        await keeper.keep()

    assert DATABASE_REACHED.labels(database.name)._value.get() > 0
    assert HEAD_KEPT.labels(database.name)._value.get() == 0


async def test_a_database_that_does_not_answer_is_not_said_to_though_the_file_is_there(
    database: Database, keeper: HeadKeeper
) -> None:
    await keeper.check()
    await keeper.look()
    DATABASE_REACHED.labels(database.name).set(0)

    await database.close()
    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await keeper.look()

    assert DATABASE_REACHED.labels(database.name)._value.get() == 0
