"""Many lines that show one receipt, over gRPC: absorbed as if all had come at once (M7)."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.bulk import Row
from services.chassis.database import Database
from services.metering.domain.seen import Kept
from services.metering.domain.windows import SECOND_US
from services.metering.storage import absorbing
from services.metering.storage.sighting_rows import from_row
from sluice.metering.v1 import access_pb2
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import an_id, metering_database_at
from tests.support.metering_usage import ACCEPTED, ACCESS, GATE, SEEN, UsageCaller, an_access, of_party
from tests.support.postgres import PostgresServer

POST = CONTENT_KIND_POST
SHOWN: dict[str, Any] = {"reservation_id": an_id(1)}
SOURCES = ["Edge", "edge", "edge-2", "é", "_"]


async def settled(call: UsageCaller, clock: ManualClock, posts: int) -> None:
    """The first reservation, of so many posts; an hour passes."""
    await call.reserve(1, posts)
    clock.advance(3_600 * SECOND_US)
    await call.settle(1, posts)


def truth(posts: int, lines: Iterable[access_pb2.SeenAccess]) -> dict[tuple[str, str], int]:
    """What is absorbed of each, by source and id: all of it at once, in the order of times."""
    absorbed: dict[tuple[str, str], int] = {}
    for line in sorted(lines, key=lambda each: (each.accessed_at.ToMicroseconds(), each.source, each.id)):
        absorbed[line.source, f"id:{line.id}"] = taken = min(posts, line.posts)
        posts -= taken
    return absorbed


async def kept(database: Database) -> dict[tuple[str, str], int]:
    """What is absorbed of each, as it is on record."""
    query = text("SELECT source, id, absorbed FROM sightings")
    rows = await database.read(lambda connection: connection.execute(query).all())
    return {(source, id): absorbed for source, id, absorbed in rows}


def lines_at_random(chance: random.Random, count: int) -> list[access_pb2.SeenAccess]:
    return [
        an_access(
            str(n),
            NOON_US + chance.randrange(10),
            source=chance.choice(SOURCES),
            posts=chance.randint(1, 4),
            reservation_id=an_id(1),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_m7_absorption_depends_on_no_order_and_no_page(
    call: UsageCaller, database: Database, clock: ManualClock, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query in ("_FORWARDS", "_BACKWARDS"):
        # So that all that is read comes in several parts.
        monkeypatch.setattr(absorbing, query, getattr(absorbing, query).limit(3))
    monkeypatch.setattr(absorbing, "LINES_AT_ONCE", 3)
    chance = random.Random(seed)
    lines = lines_at_random(chance, 60)
    before = chance.choice([0, 20, 60])
    pages = [*range(0, before, 10), *range(before, 60, 7)]

    for start in [page for page in pages if page < before]:
        await call.report(*lines[start : min(start + 10, before)])
    await settled(call, clock, 40)
    for start in [page for page in pages if page >= before]:
        await call.report(*lines[start : start + 7], *lines[:3])

    assert await kept(database) == truth(40, lines)
    assert await call.differences() == {}


def test_m7_sources_and_ids_are_in_the_order_of_their_bytes_whatever_the_language_of_the_database(
    postgres: PostgresServer,
) -> None:
    database = metering_database_at(postgres.new_database())
    query = text(
        "SELECT column_name, collation_name FROM information_schema.columns"
        " WHERE table_name = 'sightings' AND column_name IN ('source', 'id')"
    )

    rows = database.read_now(lambda connection: connection.execute(query).all())
    database.close_now()

    assert {tuple(row) for row in rows} == {("source", "C"), ("id", "C")}


async def test_m7_a_page_reads_as_much_however_many_lines_came_before(
    call: UsageCaller, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 2_000
    await settled(call, clock, count)
    await call.report(*(an_access(str(n), NOON_US + n, **SHOWN) for n in range(1, count + 1)))
    read: list[Row] = []

    def counting(row: Row) -> Kept:
        read.append(row)
        return from_row(row)

    monkeypatch.setattr(absorbing, "from_row", counting)

    late = await call.report(an_access("late", NOON_US + count + 1, **SHOWN))
    after_late = len(read)
    early = await call.report(an_access("early", NOON_US, **SHOWN))

    assert (late.absorbed, early.absorbed) == (0, 1)
    assert after_late == 1
    assert len(read) - after_late <= 1 + absorbing.LINES_AT_ONCE


async def test_m7_what_is_displaced_is_named_in_the_answer_to_the_page_that_displaced_it(
    call: UsageCaller, clock: ManualClock
) -> None:
    await settled(call, clock, 5)
    await call.report(
        an_access("first", NOON_US + 2, posts=2, **SHOWN),
        an_access(line_digest=b"d" * 32, at_us=NOON_US + 3, posts=2, **SHOWN),
        an_access("last", NOON_US + 4, source="scraper", **SHOWN),
    )

    answer = await call.report(an_access("z", NOON_US + 9), an_access("early", NOON_US + 1, posts=2, **SHOWN))

    assert list(answer.outcomes) == [ACCEPTED, ACCEPTED]
    assert (answer.absorbed, answer.displaced_count) == (2, 2)
    assert [(remark.line, remark.outcome, remark.reason, remark.displaced) for remark in answer.remarks] == [
        (2, ACCEPTED, "ACCESS_DISPLACED", pb.DisplacedAccess(source="scraper", id="last", posts=1)),
        (2, ACCEPTED, "ACCESS_DISPLACED", pb.DisplacedAccess(source="edge", line_digest=b"d" * 32, posts=1)),
    ]
    assert answer.remarks[0].message == (
        "it came before access last of source scraper and took its place under the receipt;"
        " 1 post of that is counted from now on"
    )
    assert await call.rows(of_party()) == [(GATE, ACCESS, POST, 0, 5, 0), (SEEN, ACCESS, POST, 0, 3, 0)]
    assert await call.differences() == {}


async def test_m7_a_page_that_is_sent_again_names_what_it_displaced_again(
    call: UsageCaller, clock: ManualClock
) -> None:
    await settled(call, clock, 1)
    await call.report(an_access("late", NOON_US + 2, **SHOWN))
    id = call.new_id()

    first = await call.report(an_access("early", NOON_US + 1, **SHOWN), id=id)
    again = await call.report(an_access("early", NOON_US + 1, **SHOWN), id=id)

    assert first.remarks[0].displaced.id == "late"
    assert again == first


async def test_m7_all_that_is_displaced_is_counted_and_the_first_thousand_named(
    call: UsageCaller, clock: ManualClock
) -> None:
    await settled(call, clock, 1_200)
    await call.report(*(an_access(str(n), NOON_US + n, **SHOWN) for n in range(1, 1_201)))

    answer = await call.report(an_access("early", NOON_US, posts=1_100, **SHOWN))

    assert answer.displaced_count == 1_100
    assert len(answer.remarks) == 1_000
    assert await call.differences() == {}


async def test_an_answer_that_an_earlier_release_kept_is_given_again(
    call: UsageCaller, database: Database
) -> None:
    id = call.new_id()
    await call.report(an_access("a"), id=id)
    kept_before = b'["1", [[1, 1, "RESERVATION_UNKNOWN", "there is none"]], 0, 1, 7]'
    change = text("UPDATE replays SET answer = :answer")
    database.write_now(lambda connection: connection.execute(change, {"answer": kept_before}))

    again = await call.report(an_access("a"), id=id)

    assert (list(again.outcomes), again.revision.number, again.displaced_count) == ([ACCEPTED], 7, 0)
    assert not again.remarks[0].HasField("displaced")
