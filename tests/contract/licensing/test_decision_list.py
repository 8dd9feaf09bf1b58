"""Decisions are found by what is known of them, each once, page by page; on each engine."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from services.chassis.database import READERS, Database
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.releases import Outcome
from services.licensing.listing import Page, Summary, Wanted
from services.licensing.storage import listing as storage
from services.licensing.storage.listing import DecisionList
from tests.support.clock import NOON_US
from tests.support.counted import HOUR_US
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at
from tests.support.listed import LARGEST, LICENSEES, LICENSES, REQUESTS, TIMES, record, slowly, some
from tests.support.waiting import PATIENCE_SECONDS

ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000)"
    " SELECT SUM(i) FROM n"
)


@dataclass
class Books:
    """A ledger that grows, and what is in it."""

    database: Database
    chance: random.Random
    written: list[Summary] = field(default_factory=list)

    def grow(self, count: int) -> None:
        self.written += record(self.database, some(self.chance, count))


@pytest.fixture(scope="module", params=ENGINES)
def books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Pages that look at a few decisions only."""
    folder = tmp_path_factory.mktemp("books")
    database = licensing_database_at(url_on(request.param, request, folder, licensing_database_at))
    books = Books(database, random.Random(7))
    books.grow(60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "LOOKED_AT", 7)
        patch.setattr(storage, "MOST_IN_TIME", 30)
        patch.setattr(storage, "READ_AT_ONCE", 3)
        yield books
    database.close_now()


wants = st.builds(
    Wanted,
    licensee_id=st.none() | st.sampled_from([*LICENSEES, "nobody"]),
    license_id=st.none() | st.sampled_from([*LICENSES, "nothing"]),
    outcome=st.none() | st.sampled_from(Outcome),
    since_us=st.none() | st.sampled_from(TIMES),
    until_us=st.none() | st.sampled_from(TIMES),
    request_id=st.none() | st.none() | st.sampled_from(REQUESTS),
    number=st.none() | st.none() | st.none() | st.sampled_from([1, 17, 60, 10_000, 2**63, 2**64 - 1]),
)


@given(wanted=wants, limit=st.integers(1, 20), newcomers=st.integers(0, 2))
def test_all_pages_hold_what_is_wanted_once_and_nothing_that_came_meanwhile(
    books: Books, wanted: Wanted, limit: int, newcomers: int
) -> None:
    decisions = DecisionList(books.database)
    expected = slowly(books.written, wanted)

    found, below = list[Summary](), LARGEST
    while True:
        page = asyncio.run(decisions.page(wanted, below, limit))
        assert len(page.summaries) <= limit
        found += page.summaries
        if page.below is None:
            break
        assert page.below < below
        below = page.below
        books.grow(newcomers)

    assert found == expected


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many decisions a page looks at."""
    monkeypatch.setattr(storage, "LOOKED_AT", 10)
    monkeypatch.setattr(storage, "MOST_IN_TIME", 12)
    return 10


def of(licensee_id: str, count: int, at_us: int = NOON_US) -> list[dict[str, object]]:
    changes = {"licensee_id": licensee_id, "decided_at_us": at_us, "outcome": Outcome.DENIED}
    return [row | changes for row in some(random.Random(f"{licensee_id} {count} {at_us}"), count)]


def told(page: Page) -> tuple[list[int], int | None]:
    return [summary.number for summary in page.summaries], page.below


async def test_a_page_that_looked_at_enough_is_empty_and_says_where_to_go_on(
    database: Database, looked_at: int
) -> None:
    record(database, [*of("acme", 1), *of("beta", 25)])
    released = Wanted(outcome=Outcome.RELEASED)

    page = await DecisionList(database).page(released, LARGEST, 50)
    last = await DecisionList(database).page(released, 7, 50)

    assert told(page) == ([], 26 - looked_at + 1)
    assert told(last) == ([], None)


async def test_decisions_of_few_hours_are_found_at_once_however_many_there_are_besides(
    database: Database, looked_at: int
) -> None:
    early, late = of("acme", 2, NOON_US), of("acme", 40, NOON_US + 2 * HOUR_US)
    record(database, [early[0], *late, early[1]])

    page = await DecisionList(database).page(Wanted(until_us=NOON_US + HOUR_US), LARGEST, 50)

    assert told(page) == ([42, 1], None)


async def test_decisions_of_one_licensee_are_found_at_once_however_many_others_have(
    database: Database, looked_at: int
) -> None:
    record(database, [*of("acme", 2), *of("beta", 40), *of("acme", 1)])

    page = await DecisionList(database).page(Wanted(licensee_id="acme"), LARGEST, 2)
    rest = await DecisionList(database).page(Wanted(licensee_id="acme"), 2, 2)

    assert (told(page), told(rest)) == (([43, 2], 2), ([1], None))


async def test_however_many_pages_take_for_ever_what_decisions_read_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_SUMMARIES", Endless())
    asked = [asyncio.create_task(DecisionList(database).page(Wanted(), 9, 9)) for _ in range(READERS + 3)]
    await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(READERS + 1):
            assert await database.read(lambda connection: connection.execute(text("SELECT 7")).scalar()) == 7

    assert not any(page.done() for page in asked)
    for page in asked:
        page.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


class Endless:
    """A question that is never answered."""

    def where(self, *_: object) -> "Endless":
        return self

    def limit(self, _: int) -> object:
        return ENDLESS


async def test_a_page_too_many_is_refused_at_once_and_not_when_others_have_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "MOST_WAITING", 2)
    decisions = DecisionList(database)

    answers = await asyncio.gather(
        *(decisions.page(Wanted(), 9, 9) for _ in range(3)), return_exceptions=True
    )
    after = await decisions.page(Wanted(), 9, 9)

    refused = answers[2]
    assert isinstance(refused, Refusal)
    assert (refused.kind, refused.reason) == (Kind.EXHAUSTED, "DECISIONS_BUSY")
    assert (answers[:2], after) == ([Page([], None)] * 2, Page([], None))


PATHS = {
    "all": (Wanted(), "number"),
    "an outcome": (Wanted(outcome=Outcome.DENIED), "number"),
    "a licensee": (Wanted(licensee_id="acme"), "ix_decisions_licensee"),
    "a license": (Wanted(license_id="acme-1"), "ix_decisions_license"),
    "a license and an outcome": (
        Wanted(license_id="acme-1", outcome=Outcome.DENIED),
        "ix_decisions_license",
    ),
}


@pytest.mark.parametrize(("wanted", "index"), PATHS.values(), ids=PATHS)
async def test_decisions_come_out_of_an_index_in_their_order_and_nothing_is_sorted(
    database: Database, wanted: Wanted, index: str
) -> None:
    plans = await database.read(lambda connection: plans_of(connection, wanted))

    for plan in plans:
        assert index in plan
        assert not any(word in plan for word in ("sort", "temp b-tree", "seq scan"))


def plans_of(connection: Connection, wanted: Wanted) -> list[str]:
    """What the engine means to do for a page, where the table is too large to be read."""
    path = [*storage._path(wanted), storage._DECISIONS.c.number < 9]
    page = storage._SUMMARIES.where(*path, *storage._wants(wanted)).limit(51)
    return [plan_of(connection, query) for query in (storage._lowest(path), page)]


def plan_of(connection: Connection, query: object) -> str:
    explain = "EXPLAIN QUERY PLAN"
    if connection.dialect.name == "postgresql":
        explain = "EXPLAIN"
        # It knows that the table is empty, for which any plan is good.
        for way in ("seqscan", "sort", "bitmapscan"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
    written = query.compile(connection, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {written}")).lower()


async def test_a_time_is_looked_up_in_an_index_that_has_all_that_is_asked(database: Database) -> None:
    query = storage._in_time(Wanted(since_us=1, until_us=2), 9)

    plan = await database.read(lambda connection: plan_of(connection, query))

    assert "ix_decisions_decided" in plan
    assert "covering" in plan or "index only" in plan
