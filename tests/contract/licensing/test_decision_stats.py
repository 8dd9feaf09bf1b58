"""Counts of decisions are exact at every moment, however far the sums are made, by whom, and who dies."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.licensing.domain.releases import Outcome
from services.licensing.domain.statistics import Row, Stretch
from services.licensing.statistics import Question
from services.licensing.storage import statistics as storage
from services.licensing.storage.statistics import StatisticsStore
from services.licensing.storage.statistics_tables import DecisionCountRow
from tests.support.clock import NOON_US
from tests.support.counted import HOUR_US, Made, question, record, some
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at

COUNTS = DecisionCountRow.metadata.tables["decision_counts"]

Slow = list[tuple[int, str, int, dict[Outcome, int], dict[int, int]]]


def slowly(decisions: Sequence[Made], question: Question) -> Slow:
    """Every decision looked at for every row."""
    size = int(question.stretch)
    asked = [
        made
        for made in decisions
        if (question.licensee_id or made.licensee_id) == made.licensee_id
        and (question.since_us is None or made.decided_at_us >= question.since_us)
        and (question.until_us is None or made.decided_at_us < question.until_us)
    ]

    def place_of(made: Made) -> tuple[int, str, int]:
        since_us = made.decided_at_us // size * size
        return (since_us, "", 0) if question.together else (since_us, made.licensee_id, made.purpose)

    rows: Slow = []
    for place in sorted({place_of(made) for made in asked}):
        here = [made for made in asked if place_of(made) == place]
        posts = Counter(int(reason) for made in here for reason in made.reasons)
        rows.append((*place, dict(Counter(made.outcome for made in here)), dict(posts)))
    return rows


def plainly(rows: Sequence[Row]) -> Slow:
    return [(*row.place, dict(row.decisions), dict(row.posts)) for row in rows]


async def everything(store: StatisticsStore, asked: Question) -> Slow:
    """All pages."""
    rows: list[Row] = []
    after = None
    while True:
        page = await store.page(replace(asked, after=after))
        assert len(page.rows) <= asked.limit
        rows += page.rows
        if not page.more:
            return plainly(rows)
        after = page.rows[-1].place


@pytest_asyncio.fixture(params=ENGINES)
async def databases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Database]]:
    """One database, opened by as many processes as the engine allows, two at most."""
    url = url_on(request.param, request, tmp_path, licensing_database_at)
    opened = [licensing_database_at(url) for _ in range(2 if request.param == "postgresql" else 1)]
    yield opened
    for database in opened:
        await database.close()


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_NEXT", storage._NEXT.limit(5))
    monkeypatch.setattr(storage, "DROPPED_AT_ONCE", 4)


@pytest.mark.parametrize("stretch", Stretch)
async def test_counts_are_exact_however_far_the_sums_are_made(
    databases: list[Database], stretch: Stretch
) -> None:
    chance, database = random.Random(stretch), databases[0]
    store, made = StatisticsStore(database), list[Made]()

    for step in range(12):
        fresh = some(chance, chance.randint(0, 9))
        record(database, fresh)
        made += fresh
        if step % 2:
            await store.advance()
        since_us = stretch.begin(NOON_US + chance.randrange(0, 40 * HOUR_US))
        until_us = since_us + chance.randint(1, 30) * stretch
        for asked in (
            question(stretch),
            question(stretch, since_us=since_us, until_us=until_us),
            question(stretch, licensee_id="acme", since_us=since_us),
            question(stretch, limit=3, licensee_id=chance.choice([None, "beta"])),
            question(stretch, together=True, since_us=since_us, until_us=until_us),
            question(stretch, together=True, limit=2, licensee_id=chance.choice([None, "beta"])),
        ):
            assert await everything(store, asked) == slowly(made, asked)


async def test_an_answer_says_up_to_which_receipt_it_counts(databases: list[Database]) -> None:
    store = StatisticsStore(databases[0])
    record(databases[0], some(random.Random(1), 7))
    await store.advance()

    page = await store.page(question())

    assert page.as_of_number == 7
    assert sum(row.decisions.total() for row in page.rows) == 7


async def test_however_many_processes_count_at_once_nothing_is_counted_twice(
    databases: list[Database],
) -> None:
    stores = [StatisticsStore(database) for database in databases for _ in range(3)]
    made = some(random.Random(2), 60)
    record(databases[0], made)

    while any(await asyncio.gather(*(store.advance() for store in stores))):
        continue

    assert summed(databases[0]) == 60
    assert await everything(stores[0], question()) == slowly(made, question())


def summed(database: Database) -> int:
    """The decisions in the sums alone, which are the same for every length of stretches."""
    query = select(COUNTS.c.stretch_us, COUNTS.c.count).where(COUNTS.c.reason == 0)
    found: Counter[int] = Counter(dict.fromkeys(map(int, Stretch), 0))
    for stretch_us, count in database.read_now(lambda connection: connection.execute(query).all()):
        found[stretch_us] += count
    (decisions,) = set(found.values())
    return decisions


async def test_who_dies_before_the_commit_has_counted_nothing_and_it_is_counted_once(
    databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, made = StatisticsStore(databases[0]), some(random.Random(3), 5)
    record(databases[0], made)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "_ADD", DiesAfterAdding())
        with pytest.raises(ProcessDiedError):
            await store.advance()
    left_behind = summed(databases[0])

    while await store.advance():
        continue

    assert (left_behind, summed(databases[0])) == (0, 5)


class ProcessDiedError(Exception):
    """Stands for a process that is gone: nothing after this line happened."""


class DiesAfterAdding:
    """Adds to the sums as `_ADD` does, and then is gone."""

    def __init__(self) -> None:
        self._add = storage._ADD

    def run(self, connection: Connection, rows: Any) -> None:
        self._add.run(connection, rows)
        raise ProcessDiedError


async def test_sums_are_made_anew_once_for_a_request_and_answers_stay_exact_meanwhile(
    databases: list[Database],
) -> None:
    store, made = StatisticsStore(databases[0]), some(random.Random(4), 12)
    record(databases[0], made)
    while await store.advance():
        continue
    key = ReplayKey("operator:ada", "RebuildDecisionStats", uuid7(NOON_US), bytes(32))

    assert await store.drop(key, NOON_US) == 12
    answers = [await everything(store, question())]
    while await store.advance():
        answers.append(await everything(store, question()))
    record(databases[0], (more := some(random.Random(5), 1)))
    while await store.advance():
        continue

    assert await store.drop(key, NOON_US) == 12
    assert await store.advance() is False
    assert all(answer == slowly(made, question()) for answer in answers)
    assert summed(databases[0]) == len([*made, *more])
