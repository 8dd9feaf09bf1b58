"""M1: what takes long to add up is made ahead on a reader, and comes to what the plain sum says."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.database import Database
from services.metering.domain.allowances import Allowance, Scope
from services.metering.domain.postings import Cancel, Hold, Posting, Settle
from services.metering.domain.reservations import Reservation
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from services.metering.storage import tallies
from services.metering.storage.books import SqlBooks
from tests.support.clock import ManualClock
from tests.support.metering import MemoryBooks, a_count, a_wanted, an_allowance, an_id

FEW = 3
"""Entries that the writer adds up by itself, in place of thousands."""
FREE = an_allowance(1_000, SECOND_US, "other", Scope.LICENSEE)
"""On another account than those that are looked at."""
DAY, MINUTE, FOR_TERM = (an_allowance(30, length_us) for length_us in (ROLLING_DAY_US, MINUTE_US, TERM))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_LONG", tallies.longer_than(FEW))


class Both:
    """Does to the books in a database and to those in memory the same things, and compares."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.books = SqlBooks(database, clock.now_us)
        self.memory = MemoryBooks(clock)

    async def post(self, posting: Posting) -> Reservation:
        answer = (await self.books.post(posting)).reservation
        assert answer == (await self.memory.post(posting)).reservation
        return answer

    async def hold(self, n: int, posts: int, *limits: Allowance) -> Reservation:
        return await self.post(Hold(a_wanted(n, posts, *limits or (FREE,), party_id="other")))


@pytest.fixture
def both(database: Database, clock: ManualClock) -> Both:
    return Both(database, clock)


class SlowReads:
    """Lets a read see its snapshot, and keeps what it saw back until something else has been done."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.seen, self.go_on = asyncio.Event(), asyncio.Event()
        self._read: Callable[..., Any] = database.read
        monkeypatch.setattr(database, "read", self.read)

    async def read(self, query: Any, **how: bool) -> Any:
        self.count += 1
        result = await self._read(query, **how)
        self.seen.set()
        await self.go_on.wait()
        return result


@pytest.fixture
def reads(database: Database, monkeypatch: pytest.MonkeyPatch) -> SlowReads:
    return SlowReads(database, monkeypatch)


async def counted_before(both: Both, clock: ManualClock) -> None:
    """Six holds of three posts each, ten seconds apart, one of them settled in part, one cancelled."""
    for n in range(1, 7):
        await both.hold(n, 3)
        clock.advance(10 * SECOND_US)
    await both.post(Settle(an_id(1), (a_count(2),)))
    await both.post(Cancel(an_id(2)))


async def test_m1_a_window_nobody_asked_about_counts_all_that_was_changed_while_it_was_added_up(
    both: Both, clock: ManualClock, reads: SlowReads
) -> None:
    await counted_before(both, clock)
    wanted = a_wanted(7, 25, DAY, party_id="other")
    asked = asyncio.create_task(both.books.post(Hold(wanted)))
    await reads.seen.wait()

    # Others are decided meanwhile: new holds, and ends of holds that the reader saw as they were.
    await both.hold(8, 1)
    await both.post(Settle(an_id(3), (a_count(1),)))
    await both.post(Cancel(an_id(4)))
    assert not asked.done()
    reads.go_on.set()
    refused = (await asked).reservation

    expected = (await both.memory.post(Hold(wanted))).reservation
    assert refused.no_room is not None
    assert (refused.no_room.used, refused.no_room.held) == (3, 7)
    assert refused.no_room == expected.no_room


async def test_m1_a_window_that_rested_gives_up_all_that_left_it_meanwhile(
    both: Both, clock: ManualClock, reads: SlowReads
) -> None:
    reads.go_on.set()
    await both.hold(20, 1, MINUTE)
    await counted_before(both, clock)

    clock.advance(30 * SECOND_US)
    refused = await both.hold(21, 30, MINUTE)

    assert reads.count == 1
    assert refused.no_room is not None
    # Those of the last minute: two holds of three posts.
    assert (refused.no_room.used, refused.no_room.held) == (0, 6)


async def test_m1_where_the_clock_goes_back_meanwhile_it_is_made_again(
    both: Both, clock: ManualClock, reads: SlowReads
) -> None:
    await counted_before(both, clock)
    clock.advance(SECOND_US)
    wanted = a_wanted(7, 30, MINUTE, party_id="other")
    asked = asyncio.create_task(both.books.post(Hold(wanted)))
    await reads.seen.wait()

    clock.advance(-SECOND_US)
    reads.go_on.set()
    refused = (await asked).reservation

    assert reads.count == 2
    assert refused.no_room == (await both.memory.post(Hold(wanted))).reservation.no_room


async def test_of_many_that_wait_for_the_same_window_one_has_it_made(
    both: Both, clock: ManualClock, reads: SlowReads
) -> None:
    await counted_before(both, clock)
    asked = [
        asyncio.create_task(both.books.post(Hold(a_wanted(n, 1, DAY, FOR_TERM, party_id="other"))))
        for n in range(7, 27)
    ]
    await reads.seen.wait()
    reads.go_on.set()
    answers = [(await each).reservation for each in asked]

    # Each of the two windows once, and what has become the tally on record is kept nowhere else.
    assert reads.count == 2
    assert both.books._ahead.made == {}
    assert sum(answer.posts_reserved for answer in answers) == 16


async def test_what_is_quickly_added_up_needs_no_reader(
    both: Both, clock: ManualClock, reads: SlowReads
) -> None:
    for n in range(1, FEW + 1):
        await both.hold(n, 1)
        clock.advance(SECOND_US)

    await both.hold(FEW + 1, 1, DAY)

    assert reads.count == 0
