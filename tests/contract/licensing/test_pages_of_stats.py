"""Reading counts holds nobody up: an index gives a page, on a reader of its own, and only so many wait."""

import asyncio
import functools
import importlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Row, Select, text

from services.chassis.database import READERS, Database
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.reasons import Reason
from services.licensing.domain.statistics import Place, Stretch
from services.licensing.statistics import Question
from services.licensing.storage import statistics as storage
from services.licensing.storage.statistics import StatisticsStore
from tests.support.clock import NOON_US
from tests.support.counted import HOUR_US, Made, question, record, some
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at
from tests.support.waiting import PATIENCE_SECONDS

ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000)"
    " SELECT SUM(i) FROM n"
)


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


async def waiting_pages(store: StatisticsStore, count: int) -> list[asyncio.Task[Any]]:
    """Pages that are asked for, by callers who have not been told anything yet."""
    asked = [asyncio.create_task(store.page(question())) for _ in range(count)]
    await asyncio.sleep(0)
    return asked


async def test_however_many_pages_take_for_ever_what_decisions_read_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_POSITION", ENDLESS)
    asked = await waiting_pages(StatisticsStore(database), READERS + 3)

    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(READERS + 1):
            assert await database.read(lambda connection: connection.execute(text("SELECT 7")).scalar()) == 7

    assert not any(page.done() for page in asked)
    for page in asked:
        page.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_a_page_is_stopped_when_its_caller_goes_and_the_next_one_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StatisticsStore(database)
    record(database, some(random.Random(1), 3))
    with monkeypatch.context() as patch:
        patch.setattr(storage, "_POSITION", ENDLESS)
        for page in (asked := await waiting_pages(store, 3)):
            page.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await store.page(question())).as_of_number == 3


async def test_a_page_too_many_is_refused_at_once_and_not_when_others_have_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StatisticsStore(database)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "_POSITION", ENDLESS)
        asked = await waiting_pages(store, storage.MOST_PAGES)
        with pytest.raises(Refusal) as refused:
            await store.page(question())
        for page in asked:
            page.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    assert (refused.value.kind, refused.value.reason) == (Kind.EXHAUSTED, "STATS_BUSY")
    assert (await store.page(question())).rows == []


async def test_a_page_is_refused_while_the_sums_lack_more_than_a_page_adds_by_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_NEXT", storage._NEXT.limit(5))
    monkeypatch.setattr(storage, "MOST_BEHIND", 10)
    store = StatisticsStore(database)
    record(database, some(random.Random(2), 11))

    with pytest.raises(Refusal) as refused:
        await store.page(question())
    await store.advance()

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "STATS_BEHIND")
    assert (await store.page(question())).as_of_number == 11


QUESTIONS = {
    "all": question(Stretch.MINUTE),
    "a page in the middle": question(Stretch.DAY, after=Place(NOON_US, "acme", 2)),
    "some time": question(Stretch.HOUR, since_us=NOON_US, until_us=NOON_US + HOUR_US),
    "one licensee": question(Stretch.HOUR, licensee_id="acme", until_us=NOON_US),
    "one licensee from the middle on": question(
        Stretch.MINUTE, licensee_id="acme", since_us=0, after=Place(NOON_US, "acme", 2)
    ),
}


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
async def test_a_page_comes_out_of_an_index_in_its_order_and_nothing_is_sorted(
    database: Database, asked: Question
) -> None:
    plan = await database.read(lambda connection: plan_of(connection, asked))

    assert "index" in plan
    assert ("ix_decision_counts_licensee" in plan) == (asked.licensee_id is not None)
    assert not any(word in plan for word in ("sort", "temp b-tree", "seq scan", "scan decision"))


@pytest.mark.parametrize("licensee_id", [None, "acme"])
async def test_sums_of_all_together_are_of_the_stretches_of_the_page_and_an_index_finds_them(
    database: Database, licensee_id: str | None
) -> None:
    asked = question(
        Stretch.MINUTE, together=True, licensee_id=licensee_id, since_us=0, after=Place(NOON_US, "", 0)
    )

    for query in (storage._stretches(asked), storage._sums_together(asked, NOON_US + HOUR_US)):
        plan = await database.read(functools.partial(plan_of_query, asked=query))
        assert "index" in plan
        assert not any(word in plan for word in ("seq scan", "scan decision"))


def plan_of(connection: Connection, asked: Question) -> str:
    """What the engine means to do for a page."""
    return plan_of_query(connection, storage._sums(asked))


def plan_of_query(connection: Connection, asked: Select[Any]) -> str:
    """What the engine means to do, in its own words, where a table is too large to be read."""
    explain = "EXPLAIN QUERY PLAN"
    if connection.dialect.name == "postgresql":
        explain = "EXPLAIN"
        # It knows that the table is empty, for which any plan is good.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
    query = asked.compile(connection, compile_kwargs={"literal_binds": True})
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {query}")).lower()


async def test_after_a_migration_the_sums_are_made_anew_and_come_out_the_same(database: Database) -> None:
    store = StatisticsStore(database)
    record(database, [*some(random.Random(3), 30), Made(NOON_US, "acme", -5, (Reason.NO_ROOM,))])
    while await store.advance():
        continue
    before = await database.read(all_sums)

    for way in ("downgrade", "upgrade"):
        await database.write(functools.partial(migrate, way=way))
    between = await database.read(all_sums)
    while await store.advance():
        continue

    assert (between, await database.read(all_sums)) == ([], before)


def all_sums(connection: Connection) -> list[Row[Any]]:
    return sorted(connection.execute(text("SELECT * FROM decision_counts")).all())


def migrate(connection: Connection, way: str) -> None:
    """Goes the step to sums of every length, forth or back."""
    folder = Path("services/licensing/schema/versions")
    (step,) = (Path(storage.__file__).parents[3] / folder).glob("*_sums_by_stretch.py")
    module = importlib.import_module(f"{'.'.join(folder.parts)}.{step.stem}")
    with Operations.context(MigrationContext.configure(connection)):
        getattr(module, way)()
