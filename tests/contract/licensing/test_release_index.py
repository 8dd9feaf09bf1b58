"""Whose posts went out is found exactly at any moment, however far the index is made, and who dies."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import Connection, func, select

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.chassis.replays import ReplayKey
from services.licensing.domain.finding import pairs
from services.licensing.domain.released import EVERY_UNRESOLVED, KeyKind
from services.licensing.indexing import Indexing
from services.licensing.storage import release_index, release_index_writer
from services.licensing.storage.release_index import ReleaseIndex
from services.licensing.storage.release_index_tables import ReleaseBlockRow, ReleaseSegmentRow
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from tests.support.clock import NOON_US
from tests.support.engines import ENGINES, url_on
from tests.support.indexed import Post, Release, Remembered, record_releases, some_releases
from tests.support.licensing import licensing_database_at

pytestmark = pytest.mark.slow

BLOCKS = ReleaseBlockRow.metadata.tables["release_blocks"]
SEGMENTS = ReleaseSegmentRow.metadata.tables["release_segments"]


@pytest_asyncio.fixture(params=ENGINES)
async def databases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Database]]:
    """One database, opened by as many processes as the engine allows, two at most."""
    url = url_on(request.param, request, tmp_path, licensing_database_at)
    opened = [licensing_database_at(url) for _ in range(2 if request.param == "postgresql" else 1)]
    yield opened
    for database in opened:
        await database.close()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few decisions, blocks of a few pairs, merges in many steps."""
    monkeypatch.setattr(pairs, "BLOCK_PAIRS", 4)
    monkeypatch.setattr(release_index_writer, "ENTRIES_AT_ONCE", 8)
    monkeypatch.setattr(release_index_writer, "BLOCKS_AT_ONCE", 3)
    monkeypatch.setattr(release_index_writer, "REMOVED_AT_ONCE", 5)


async def check(database: Database, told: Remembered) -> None:
    """Everything is found, and nothing else: also keys that nothing has."""
    for kind in KeyKind:
        keys = [*told.keys(kind), 3, 2**63 + 5, 999_999]
        found = await ReleaseIndex(database).find(kind, np.array(keys, np.uint64))
        assert [numbers.tolist() for numbers in found] == told.find(kind, keys), kind


def levels(database: Database) -> list[int]:
    def read(connection: Connection) -> list[int]:
        return list(connection.execute(select(SEGMENTS.c.level).order_by(SEGMENTS.c.last_number)).scalars())

    return database.read_now(read)


def segments_of_blocks(database: Database) -> tuple[set[int], set[int]]:
    """The ids of segments, and of those that have blocks."""

    def read(connection: Connection) -> tuple[set[int], set[int]]:
        rows = connection.execute(select(SEGMENTS.c.id)).scalars()
        return set(rows), set(connection.execute(select(BLOCKS.c.segment)).scalars())

    return database.read_now(read)


async def settle(indexing: Indexing) -> None:
    while await indexing.advance():
        continue


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("seed", range(2))
async def test_found_is_what_a_dictionary_remembers_whatever_step_comes_next(
    databases: list[Database], seed: int
) -> None:
    chance, told = random.Random(seed), Remembered()
    writers = [ReleaseIndexWriter(database) for database in databases]

    for round in range(14):
        more = some_releases(chance, chance.randint(1, 25))
        record_releases(databases[0], more)
        told.add(more)
        for _ in range(chance.randint(0, 14)):
            writer = chance.choice(writers)
            await chance.choice([writer.add_next, writer.add_next, writer.merge_some, writer.remove_some])()
        if round % 3 == 0:
            await check(chance.choice(databases), told)
    await check(databases[0], told)
    await settle(Indexing(writers[0]))

    await check(databases[-1], told)
    assert await writers[0].indexed() == told.last
    assert max(levels(databases[0])) >= 2
    ids, with_blocks = segments_of_blocks(databases[0])
    assert with_blocks <= ids


@pytest.mark.usefixtures("_small")
async def test_processes_that_index_at_once_neither_double_nor_miss(databases: list[Database]) -> None:
    told, chance = Remembered(), random.Random(5)
    indexings = [Indexing(ReleaseIndexWriter(database)) for database in databases * 2]
    more = some_releases(chance, 120)
    record_releases(databases[0], more)
    told.add(more)

    await asyncio.gather(*(settle(indexing) for indexing in indexings))

    await check(databases[0], told)
    total = sum(len(numbers) for (kind, _), numbers in told.numbers.items() if kind in KeyKind)
    assert pairs_stored(databases[0]) == total


def pairs_stored(database: Database) -> int:
    def read(connection: Connection) -> int:
        return int(connection.execute(select(func.sum(func.length(BLOCKS.c.numbers)))).scalar_one()) // 4

    return database.read_now(read)


class Death(BaseException):
    """The process is gone."""


class Mortal:
    """A database before and after each of whose calls the process can die."""

    def __init__(self, database: Database, dies_at: int) -> None:
        self._database = database
        self._left = dies_at

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Death

    async def read(self, query: Callable[[Connection], Any]) -> Any:
        self._step()
        result = await self._database.read(query)
        self._step()
        return result

    async def write(self, unit: Callable[[Connection], Any], **options: Any) -> Any:
        self._step()
        result = await self._database.write(unit, **options)
        self._step()
        return result


@pytest.mark.usefixtures("_small")
async def test_killed_between_any_two_calls_of_the_database_the_next_one_goes_on(
    databases: list[Database],
) -> None:
    database, told, chance = databases[0], Remembered(), random.Random(6)
    deaths = 0

    for step in range(1, 60):
        more = some_releases(chance, 3)
        record_releases(database, more)
        told.add(more)
        mortal: Any = Mortal(database, step % 23 + 1)
        try:
            for _ in range(4):
                await Indexing(ReleaseIndexWriter(mortal)).advance()
        except Death:
            deaths += 1
        if step % 5 == 0:
            await check(database, told)
    await settle(Indexing(ReleaseIndexWriter(database)))

    await check(database, told)
    assert deaths > 40
    ids, with_blocks = segments_of_blocks(database)
    assert with_blocks <= ids


@pytest.mark.usefixtures("_small")
async def test_who_has_more_pairs_than_a_block_holds_is_found_whole_and_so_are_their_neighbours(
    databases: list[Database],
) -> None:
    told = Remembered()
    busy = [Release((Post(n + 1, 70), Post(n + 5000, 70 + n % 3 - 1))) for n in range(90)]
    record_releases(databases[0], busy)
    told.add(busy)
    indexing = Indexing(ReleaseIndexWriter(databases[0]))

    await settle(indexing)

    await check(databases[0], told)
    assert len(told.numbers[KeyKind.CONTRIBUTOR, 70]) == 90


async def test_an_index_that_lacks_too_many_is_refused_until_it_has_caught_up(
    databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_index, "MOST_BEHIND", 3)
    index, indexing = ReleaseIndex(databases[0]), Indexing(ReleaseIndexWriter(databases[0]))
    keys = np.array([7], np.uint64)
    record_releases(databases[0], [Release((Post(n, 7),)) for n in range(1, 5)])

    with pytest.raises(Refusal) as refused:
        await index.find(KeyKind.CONTRIBUTOR, keys)
    await settle(indexing)
    found = await index.find(KeyKind.CONTRIBUTOR, keys)

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "RELEASE_INDEX_BEHIND")
    assert refused.value.retry_after_us == 2_000_000
    assert found[0].tolist() == [1, 2, 3, 4]


async def test_a_decision_of_before_is_found_by_contributor_own_post_and_as_unresolved(
    databases: list[Database],
) -> None:
    index = ReleaseIndex(databases[0])
    old = Release((Post(11, 1, embeds=((12, 2),)), Post(13, 3, released=False)), resolved=False)
    nothing = Release((Post(14, 4, released=False),), resolved=False)
    record_releases(databases[0], [old, nothing, Release((Post(15, 1),))])

    async def looked_up() -> list[list[int]]:
        return [
            (await index.find(kind, np.array([key], np.uint64)))[0].tolist()
            for kind, key in [
                *((KeyKind.CONTRIBUTOR, 1), (KeyKind.CONTRIBUTOR, 2), (KeyKind.POST, 11)),
                *((KeyKind.POST, 12), (KeyKind.UNRESOLVED, EVERY_UNRESOLVED)),
            ]
        ]

    before = await looked_up()
    await settle(Indexing(ReleaseIndexWriter(databases[0])))
    after = await looked_up()
    contents = await index.contents([1, 2, 3, 4])

    assert before == after == [[1, 3], [1], [1], [], [1]]
    assert {number: (len(held), held.is_resolved) for number, held in contents.items()} == {
        1: (1, False),
        2: (0, False),
        3: (1, True),
    }


async def test_keys_are_answered_in_the_order_asked_and_as_often(databases: list[Database]) -> None:
    index = ReleaseIndex(databases[0])
    record_releases(databases[0], [Release((Post(1, 9),)), Release((Post(2, 8),))])

    found = await index.find(KeyKind.CONTRIBUTOR, np.array([9, 8, 9, 5], np.uint64))
    none = await index.find(KeyKind.CONTRIBUTOR, np.empty(0, np.uint64))

    assert ([numbers.tolist() for numbers in found], none) == ([[1], [2], [1], []], [])


@pytest.mark.usefixtures("_small")
async def test_few_decisions_wait_until_there_are_more_or_they_are_asked_for(
    databases: list[Database],
) -> None:
    writer = ReleaseIndexWriter(databases[0])
    record_releases(databases[0], [Release(tuple(Post(id, 7) for id in range(1, 6)))] * 3)

    added = [await writer.add_next(also_few=also_few) for also_few in (False, False, True, True)]

    assert (added, await writer.indexed()) == ([True, False, True, False], 3)


@pytest.mark.usefixtures("_small")
async def test_it_is_made_anew_once_for_a_request_and_answers_stay_exact_meanwhile(
    databases: list[Database],
) -> None:
    told, writer = Remembered(), ReleaseIndexWriter(databases[0])
    more = some_releases(random.Random(8), 40)
    record_releases(databases[0], more)
    told.add(more)
    await settle(Indexing(writer))
    before = pairs_stored(databases[0])
    key = ReplayKey("operator:ada", "RebuildReleaseIndex", uuid7(NOON_US), bytes(32))

    assert await writer.drop(key, NOON_US) == 40
    await check(databases[0], told)
    while await Indexing(writer).advance():
        await check(databases[0], told)

    assert await writer.drop(key, NOON_US) == 40
    assert await writer.indexed() == 40
    assert pairs_stored(databases[0]) == before


@pytest.mark.usefixtures("_small")
async def test_a_merge_that_the_index_was_made_anew_under_writes_nothing_more(
    databases: list[Database],
) -> None:
    told, writer = Remembered(), ReleaseIndexWriter(databases[0])
    more = some_releases(random.Random(9), 60)
    record_releases(databases[0], more)
    told.add(more)
    while await writer.add_next():
        continue
    await writer.merge_some()
    (merging, *_) = databases[0].read_now(release_index_writer._merging)
    step = databases[0].read_now(lambda connection: release_index_writer._next_step(connection, merging))
    key = ReplayKey("operator:ada", "RebuildReleaseIndex", uuid7(NOON_US), bytes(32))
    await writer.drop(key, NOON_US)

    databases[0].write_now(lambda connection: release_index_writer._take(connection, step))
    await settle(Indexing(writer))

    await check(databases[0], told)
    ids, with_blocks = segments_of_blocks(databases[0])
    assert with_blocks <= ids
