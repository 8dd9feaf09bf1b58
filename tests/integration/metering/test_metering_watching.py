"""Watched windows: as exact as a limit is, also between two looks, and from what was counted since (M1)."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.metering.domain.allowances import Account, Allowance, Posts, Scope
from services.metering.domain.gauges import Fullest, Gauge, Look
from services.metering.domain.postings import Cancel, Hold, Reduce, Settle
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from services.metering.storage.books import SqlBooks
from services.metering.storage.watching import SqlWindows
from services.metering.watches import Watches
from sluice.metering.v1 import usage_pb2
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.window_pb2 import WINDOW_ROLLING_DAY, WINDOW_SECOND
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering import a_count, a_wanted, an_allowance, an_id
from tests.support.metering_usage import UsageCaller, an_access, of_party
from tests.support.waiting import PATIENCE_SECONDS, until

LICENSE = Account(Scope.LICENSE, "license-1")
NEVER = 3_600.0
"""Seconds between looks: only who comes to watch has one made."""


async def test_a_window_is_watched_as_it_fills_with_a_notice_at_80_and_at_100_percent(
    call: UsageCaller, clock: ManualClock
) -> None:
    told: list[tuple[int, int, int, bool]] = []
    request = pb.WatchUsageRequest(of=of_party(), window=WINDOW_ROLLING_DAY, limit=10)

    async with call.peer.open(call.usage.WatchUsage, request) as stream:

        async def hear() -> None:
            answer = await asyncio.wait_for(stream.receive(), 5)
            told.append((answer.used, answer.held, answer.level, answer.notice))

        await hear()
        for n, count in ((1, 7), (2, 1), (3, 2), (4, 3)):
            await call.reserve(n, count)
            await hear()
        await call.settle(4, 0)
        await hear()
        await call.settle(1, 7)
        await hear()
        clock.advance(ROLLING_DAY_US)
        await hear()

    below, high, full = pb.USAGE_LEVEL_BELOW, pb.USAGE_LEVEL_HIGH, pb.USAGE_LEVEL_FULL
    assert told == [
        (0, 0, below, False),
        (0, 7, below, False),
        (0, 8, high, True),
        (0, 10, full, True),
        (0, 13, full, False),
        (0, 10, full, False),
        (7, 3, full, False),
        (0, 0, below, False),
    ]


def polls() -> int:
    return sum(task.get_name() == "watch" for task in asyncio.all_tasks())


class Books:
    """Holds and ends reservations under one license, at two replicas whose clocks may differ."""

    def __init__(self, database: Database, clock: ManualClock, *limits: Allowance, n: int = 0) -> None:
        self.ahead = ManualClock(clock.now_us())
        self._replicas = [SqlBooks(database, each.now_us) for each in (clock, self.ahead)]
        self._limits = limits or (an_allowance(1_000_000),)
        self._n = n

    async def hold(self, posts: int, replica: int = 0) -> tuple[int, int, int]:
        """Its place among all, its number and the time that it counts at."""
        self._n += 1
        answer = await self._replicas[replica].post(Hold(a_wanted(self._n, posts, *self._limits)))
        assert answer.reservation.counted_at_us is not None
        assert answer.reservation.posts_reserved == posts
        return self._n, answer.revision.number, answer.reservation.counted_at_us

    async def settle(self, n: int, posts: int) -> int:
        """The number of the change."""
        delivered = (a_count(posts),) if posts else ()
        return (await self._replicas[0].post(Settle(an_id(n), delivered))).revision.number

    async def reduce(self, n: int, posts: int) -> int:
        return (await self._replicas[0].post(Reduce(an_id(n), (a_count(posts),)))).revision.number

    async def cancel(self, n: int) -> int:
        return (await self._replicas[0].post(Cancel(an_id(n)))).revision.number


async def sql(database: Database, statement: str) -> None:
    """Does to the rows what no service does."""
    await database.write(lambda connection: connection.execute(text(statement)))


@contextlib.asynccontextmanager
async def watched(
    database: Database, clock: ManualClock, window_us: int
) -> AsyncIterator[Callable[[], Awaitable[list[tuple[int, bool, int]]]]]:
    """What a watcher of the license is told of the next look, which is made when it is asked for."""
    watches = Watches(SqlWindows(database), clock.now_us, interval_seconds=NEVER)
    stream = watches.watch(LICENSE, window_us, 10)

    async def look() -> list[tuple[int, bool, int]]:
        """Posts, whether it is a notice, and the time, of each gauge."""
        other = watches.watch(LICENSE, window_us, 1_000_000)
        async with asyncio.timeout(PATIENCE_SECONDS), contextlib.aclosing(other):
            last = await anext(other)
            told: list[Gauge] = []
            while not told or (told[-1].posts, told[-1].at_us) != (last.posts, last.at_us):
                told.append(await anext(stream))
        return [(gauge.posts.used + gauge.posts.held, gauge.notice, gauge.at_us) for gauge in told]

    async with contextlib.aclosing(stream):
        await anext(stream)
        yield look


async def test_m1_a_window_that_fills_and_empties_between_two_looks_has_its_notice(
    database: Database, clock: ManualClock
) -> None:
    books = Books(database, clock)
    async with watched(database, clock, SECOND_US) as look:
        await books.hold(6)
        clock.advance(SECOND_US - 1)
        await books.hold(4)
        clock.advance(SECOND_US // 2)
        await books.hold(1)
        clock.advance(SECOND_US // 2)

        told = await look()

    full_us = NOON_US + SECOND_US - 1
    assert told == [(10, True, full_us), (1, False, full_us + SECOND_US)]


async def test_m1_what_is_freed_before_the_next_look_has_been_counted(
    database: Database, clock: ManualClock
) -> None:
    books = Books(database, clock)
    async with watched(database, clock, TERM) as look:
        n, _, at_us = await books.hold(8)
        await books.cancel(n)
        m, _, _ = await books.hold(3)
        await books.settle(m, 2)

        told = await look()

    assert told == [(8, True, at_us), (2, False, at_us)]


async def test_m1_a_hold_of_a_replica_whose_clock_is_behind_is_not_missed(
    database: Database, clock: ManualClock
) -> None:
    """It counts at a time that lies before the look which could not see it yet."""
    books = Books(database, clock)
    books.ahead.advance(-SECOND_US // 2)
    async with watched(database, clock, SECOND_US) as look:
        clock.advance(SECOND_US // 4)
        _, _, at_us = await books.hold(9, replica=1)
        clock.advance(SECOND_US)

        told = await look()

    assert at_us == NOON_US - SECOND_US // 2
    assert told == [(9, True, at_us), (0, False, clock.now_us())]


async def test_m2_a_window_that_a_hold_filled_before_it_was_reduced_has_its_notice(
    database: Database, clock: ManualClock
) -> None:
    books = Books(database, clock)
    async with watched(database, clock, SECOND_US) as look:
        n, _, at_us = await books.hold(10)
        await books.reduce(n, 7)
        filled = await look()
        await books.reduce(n, 2)

        freed = await look()

    assert filled == [(10, True, at_us), (7, False, at_us)]
    assert freed == [(2, False, at_us)]


@dataclass
class Truth:
    """Every change there was: number, time, used, held; added up anew for each question."""

    changes: list[tuple[int, int, int, int]] = field(default_factory=list)
    holds: list[tuple[int, int]] = field(default_factory=list)

    def posts(self, window_us: int, end_us: int, number: int) -> Posts:
        since_us = end_us - window_us if window_us else -1
        inside = [each for each in self.changes if each[0] <= number and each[1] > since_us]
        return Posts(sum(each[2] for each in inside), sum(each[3] for each in inside))

    def fullest(self, window_us: int, after: int) -> Fullest | None:
        best: Fullest | None = None
        for number, at_us in self.holds:
            posts = self.posts(window_us, at_us, number)
            if number > after and (
                best is None or posts.used + posts.held > best.posts.used + best.posts.held
            ):
                best = Fullest(posts, at_us, number)
        return best


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("window_us", [SECOND_US, MINUTE_US, TERM])
async def test_m1_sums_that_are_carried_on_are_those_of_adding_up_anew(
    database: Database, clock: ManualClock, window_us: int, seed: int
) -> None:
    """The license has a tally over the second and, from half of the way on, over the minute."""
    chance, truth, windows = random.Random(seed), Truth(), SqlWindows(database)
    late = Books(database, clock, an_allowance(1_000_000), an_allowance(1_000_000, MINUTE_US), n=1_000)
    early, opened = Books(database, clock), dict[int, tuple[int, int]]()
    look: Look | None = None
    for step in range(160):
        books = early if step < 80 else late
        for each in (clock, early.ahead, late.ahead):
            each.advance(
                chance.choice((0, 1, 250_000, 499_999, 999_999, SECOND_US, -300_000, MINUTE_US // 2))
            )
        if opened and chance.random() < 0.4:
            n, (at_us, posts) = opened.popitem()
            settled = chance.randint(0, posts)
            number = await books.settle(n, settled)
            truth.changes.append((number, at_us, settled, -posts))
        else:
            posts = chance.randint(1, 5)
            n, number, at_us = await books.hold(posts, chance.randint(0, 1))
            opened[n] = at_us, posts
            truth.changes.append((number, at_us, 0, posts))
            truth.holds.append((number, at_us))
        if chance.random() < 0.3:
            before, look = look, await windows.look(LICENSE, window_us, clock.now_us(), look)
            anew = await windows.look(LICENSE, window_us, look.at_us, None)
            expected = truth.posts(window_us, look.at_us, look.revision.number)
            assert (look.now, look.counted) == (anew.now, anew.counted)
            assert Posts(look.now.used, look.now.held) == expected
            assert look.fullest == (truth.fullest(window_us, before.revision.number) if before else None)


async def test_m1_a_window_is_added_up_once_and_carried_on_from_there(
    database: Database, clock: ManualClock
) -> None:
    """What was counted before the first look and is still inside is never read again."""
    windows, books = SqlWindows(database), Books(database, clock)
    await books.hold(5)
    first = await windows.look(LICENSE, ROLLING_DAY_US, clock.now_us(), None)
    clock.advance(SECOND_US)
    await sql(database, "DELETE FROM entries")
    await books.hold(2)

    second = await windows.look(LICENSE, ROLLING_DAY_US, clock.now_us(), first)

    assert (second.now.held, second.fullest) == (7, Fullest(Posts(0, 7), NOON_US + SECOND_US, 2))


async def test_r5_after_an_accepted_restore_it_is_added_up_anew(
    database: Database, clock: ManualClock
) -> None:
    windows, books = SqlWindows(database), Books(database, clock)
    await books.hold(5)
    before = await windows.look(LICENSE, TERM, clock.now_us(), None)
    await books.hold(2)
    later = await windows.look(LICENSE, TERM, clock.now_us(), before)

    await sql(database, "DELETE FROM entries WHERE number = 2")
    await sql(database, "UPDATE head SET number = 2, epoch = 2")

    look = await windows.look(LICENSE, TERM, clock.now_us(), later)
    assert (look.now.held, look.fullest) == (5, None)


async def test_m7_what_was_seen_elsewhere_fills_no_window(call: UsageCaller, clock: ManualClock) -> None:
    await call.reserve(1, 3)
    await call.report(an_access("a", posts=100))
    request = pb.WatchUsageRequest(of=of_party(), window=WINDOW_ROLLING_DAY, limit=10)

    async with call.peer.open(call.usage.WatchUsage, request) as stream:
        answer = await asyncio.wait_for(stream.receive(), PATIENCE_SECONDS)

    assert (answer.used, answer.held, answer.level) == (0, 3, pb.USAGE_LEVEL_BELOW)


async def test_a_licensee_watches_their_own_alone(server: LocalServer, call: UsageCaller) -> None:
    await call.reserve(1, 5)
    acme = server.peer(PrincipalKind.LICENSEE, "acme")
    stub = UsageServiceStub(acme.channel)

    def asking(whose: usage_pb2.UsageOf) -> pb.WatchUsageRequest:
        return pb.WatchUsageRequest(of=whose, window=WINDOW_SECOND, limit=5)

    async with acme.open(stub.WatchUsage, asking(of_party())) as stream:
        own = await asyncio.wait_for(stream.receive(), PATIENCE_SECONDS)

    assert (own.held, own.level, own.notice) == (5, pb.USAGE_LEVEL_FULL, True)
    for whose in (
        of_party("other"),
        usage_pb2.UsageOf(group_id="acme"),
        usage_pb2.UsageOf(license_id="acme"),
    ):
        with pytest.raises(Refusal) as refused:
            async with acme.open(stub.WatchUsage, asking(whose)) as stream:
                await stream.receive()
        assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "PARTY_UNKNOWN")


async def test_nobody_looks_any_more_when_the_caller_has_hung_up(call: UsageCaller) -> None:
    request = pb.WatchUsageRequest(of=of_party(), window=WINDOW_SECOND, limit=5)

    async with call.peer.open(call.usage.WatchUsage, request) as stream:
        await asyncio.wait_for(stream.receive(), PATIENCE_SECONDS)
        assert polls() == 1

    await until(lambda: polls() == 0, "the poll has ended")


async def test_a_watcher_is_let_go_when_metering_is_told_to_stop(
    server: LocalServer, call: UsageCaller
) -> None:
    request = pb.WatchUsageRequest(of=of_party(), window=WINDOW_SECOND, limit=5)

    async with call.peer.open(call.usage.WatchUsage, request) as stream:
        await asyncio.wait_for(stream.receive(), PATIENCE_SECONDS)
        await server.drain()
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            await stream.receive()

    await until(lambda: polls() == 0, "the poll has ended")


async def test_a_watcher_is_told_where_the_window_cannot_be_read(
    database: Database, call: UsageCaller
) -> None:
    request = pb.WatchUsageRequest(of=of_party(), window=WINDOW_SECOND, limit=5)

    with pytest.raises(Refusal) as refused:
        async with call.peer.open(call.usage.WatchUsage, request) as stream:
            await asyncio.wait_for(stream.receive(), PATIENCE_SECONDS)
            await database.close()
            await asyncio.wait_for(stream.receive(), PATIENCE_SECONDS)

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "DATABASE_CLOSED")
