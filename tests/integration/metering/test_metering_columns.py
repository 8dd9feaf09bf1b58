"""Sums and moments as columns, and the fullest windows made of them, against all entries (M1, M6)."""

import asyncio
import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.metering import usage
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.peaks import Ints, Peak, equal_parts, peaks
from services.metering.domain.projections import SPANS_US
from services.metering.domain.reservations import Revision
from services.metering.domain.usage import Stretch
from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US
from services.metering.storage import sums
from services.metering.storage.projecting import SqlProjections
from services.metering.storage.sums import SqlCounted
from services.metering.storage.usage import SqlUsage
from services.metering.storage.waiting import read_while_awaited
from services.metering.usage import UsageDesk
from sluice.metering.v1 import usage_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering_usage import REQUEST, UsageCaller, an_access, of_party

pytestmark = pytest.mark.slow

KINDS = (2, 3)
SEEN_OF_ACME = Account(Scope.SEEN, "acme")


def read_moments(
    connection: Connection, stretches: list[Stretch], since_us: int, until_us: int
) -> tuple[Ints, Ints]:
    """Times in (since, until] with the posts that count at each."""
    counted = SqlCounted(connection, clipped(stretches, since_us, until_us), KINDS)
    return counted.moments(np.array([since_us + 1]), np.array([until_us + 1]))


def read_sums(
    connection: Connection, stretches: list[Stretch], span_us: int, since_us: int, until_us: int
) -> tuple[Ints, Ints]:
    """Beginnings of spans with the posts that count in each, as far as it is in (since, until]."""
    counted = SqlCounted(connection, clipped(stretches, since_us, until_us), KINDS)
    first_us, end_us = since_us // span_us * span_us, -(-(until_us + 1) // span_us) * span_us
    return counted.sums(span_us, np.array([first_us]), np.array([end_us]))


def clipped(stretches: list[Stretch], since_us: int, until_us: int) -> list[Stretch]:
    parts = ((each.account, max(each.since_us, since_us), min(each.until_us, until_us)) for each in stretches)
    return [Stretch(account, since, until) for account, since, until in parts if since < until]


async def project(database: Database) -> None:
    """Brings the sums up to date."""
    while await SqlProjections(database).advance():
        pass


async def a_history(call: UsageCaller, clock: ManualClock, database: Database, chance: random.Random) -> None:
    """Two parties that come and go, are seen, hold, settle and free; half of it in the sums."""
    clock.advance(-12 * HOUR_US)
    for n in range(1, 41):
        clock.advance(chance.choice((1, 400, SECOND_US, MINUTE_US - 1, MINUTE_US, 20 * MINUTE_US)))
        party = chance.choice(("acme", "other"))
        await call.reserve(n, chance.randint(1, 9), party)
        if n % 3:
            # Some come to nothing: what was counted is taken back at the same time.
            await call.settle(n, 0 if n % 2 else 1)
        if n == 15:
            await project(database)
        ago = [chance.choice((0, 0, 1, SECOND_US, HOUR_US, 90 * MINUTE_US)) for _ in range(4)]
        seen = [
            an_access(
                f"{n}-{more}",
                clock.now_us() - ago_us,
                party,
                posts=chance.randint(1, 9),
                access=chance.choice((REQUEST, 2, 3)),
            )
            for more, ago_us in enumerate(ago)
        ]
        await call.report(*seen)
    for party in ("acme", "other"):
        at_us = NOON_US - 12 * HOUR_US
        for group in ("red", "", "red", "blue"):
            at_us += chance.choice((MINUTE_US + 7, HOUR_US - 1, HOUR_US, 2 * HOUR_US + 123_456))
            await call.move(party, group, at_us)
    clock.advance(NOON_US + HOUR_US - clock.now_us())


def all_there_is(connection: Connection, stretches: list[Stretch]) -> dict[int, int]:
    """Posts by time, entry by entry."""
    query = text(
        "SELECT a.scope, a.key, e.counted_at_us, e.access, e.used + e.held"
        " FROM entries e JOIN accounts a ON a.id = e.account_id"
    )
    counted: dict[int, int] = {}
    for scope, key, at_us, access, posts in connection.execute(query):
        for stretch in stretches:
            is_inside = stretch.since_us < at_us <= stretch.until_us
            if stretch.account == (scope, key) and is_inside and access in KINDS:
                counted[at_us] = counted.get(at_us, 0) + int(posts)
    return {at_us: posts for at_us, posts in counted.items() if posts}


def pairs(columns: tuple[Ints, Ints]) -> list[tuple[int, int]]:
    return list(zip(columns[0].tolist(), columns[1].tolist(), strict=True))


@pytest.fixture(params=["some behind", "all behind", "in small pieces"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums with what they lack, no sums, or so many statements as there can be."""
    if request.param == "all behind":
        monkeypatch.setattr(sums, "FURTHEST_BEHIND", -1)
    elif request.param == "in small pieces":
        monkeypatch.setattr(sums, "SPANS_AT_ONCE", 5)
        monkeypatch.setattr(sums, "LENGTH_AT_ONCE_US", 2 * SECOND_US)
        monkeypatch.setattr(sums, "SHORT_US", SECOND_US)
        monkeypatch.setattr(sums, "MOST_ROWS", 3)


@pytest.mark.usefixtures("reading")
async def test_m1_columns_of_stretches_are_those_of_all_entries(
    call: UsageCaller, clock: ManualClock, database: Database
) -> None:
    chance = random.Random(4)
    await a_history(call, clock, database, chance)
    edges = [NOON_US - chance.randint(-HOUR_US, 13 * HOUR_US) for _ in range(12)] + [NOON_US, NOON_US - 1]

    for _ in range(20):
        stretches = [
            Stretch(
                Account(chance.choice((Scope.LICENSEE, Scope.SEEN)), party), *sorted(chance.sample(edges, 2))
            )
            for party in ("acme", "other", "nobody")
        ]
        since, until = sorted(chance.sample(edges, 2))

        def check(
            connection: Connection,
            stretches: list[Stretch] = stretches,
            since: int = since,
            until: int = until,
        ) -> None:
            everything = all_there_is(connection, stretches)
            inside = {at_us: posts for at_us, posts in everything.items() if since < at_us <= until}
            assert pairs(read_moments(connection, stretches, since, until)) == sorted(inside.items())
            for span_us in SPANS_US:
                expected: dict[int, int] = {}
                for at_us, posts in inside.items():
                    begin = at_us // span_us * span_us
                    expected[begin] = expected.get(begin, 0) + posts
                found = read_sums(connection, stretches, span_us, since, until)
                assert pairs(found) == sorted(expected.items())

        await database.read(check)


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("whose", [Account(Scope.GROUP, "red"), Account(Scope.LICENSEE, "acme")], ids=str)
async def test_m1_m6_peaks_are_those_of_a_full_read(
    call: UsageCaller, clock: ManualClock, database: Database, whose: Account
) -> None:
    chance = random.Random(9)
    await a_history(call, clock, database, chance)
    records = SqlUsage(database)

    for window_us in (
        1,
        1_000,
        SECOND_US,
        7 * SECOND_US + 3,
        MINUTE_US,
        61 * MINUTE_US,
        HOUR_US,
        ROLLING_DAY_US,
    ):
        for parts in (1, 7, 60):
            begin_us = NOON_US - chance.randint(HOUR_US, 13 * HOUR_US)
            bounds = equal_parts(begin_us, NOON_US + HOUR_US - chance.choice((0, 1, HOUR_US)), parts)
            expected = await full_read(database, whose, window_us, bounds)

            found, _ = await records.fullest(whose, KINDS, window_us, bounds)

            assert found == expected


async def full_read(database: Database, whose: Account, window_us: int, bounds: Ints) -> list[Peak]:
    """The peaks of every moment."""
    from services.metering.storage.usage import _stretches

    def query(connection: Connection) -> list[Peak]:
        stretches = _stretches(connection, whose, int(bounds[0]) - window_us, int(bounds[-1]))
        counted = sorted(all_there_is(connection, stretches).items())
        times = np.array([at_us for at_us, _ in counted], np.int64)
        return peaks(times, np.array([posts for _, posts in counted], np.int64), window_us, bounds)

    return await database.read(query)


async def test_moments_of_more_than_a_page_come_whole(
    call: UsageCaller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "_LAST_OF_PAGE", sums.last_of_page(3))
    await call.report(*(an_access(str(n), NOON_US - n // 4 * MINUTE_US, posts=n + 1) for n in range(40)))
    stretch = [Stretch(SEEN_OF_ACME, 0, NOON_US)]

    found = await database.read(lambda connection: read_moments(connection, stretch, 0, NOON_US))

    assert len(found[0]) == 10
    assert found[1].sum() == 820


async def test_a_read_that_nobody_waits_for_ends_at_its_next_statement(database: Database) -> None:
    started, ended, looked = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def query(_: Connection, go_on: Callable[[], object]) -> None:
        loop.call_soon_threadsafe(started.set)
        looked.wait()
        try:
            go_on()
        except Exception:
            ended.set()
            raise

    reading = asyncio.create_task(read_while_awaited(database, query))
    await started.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    looked.set()

    assert await asyncio.to_thread(ended.wait, 5)


class Held:
    """Records whose look for peaks ends when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.together = 0
        self.most_together = 0

    async def fullest(self, *_: object) -> tuple[list[Peak], Revision]:
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        try:
            await self.let_go.wait()
        finally:
            self.together -= 1
        return [], Revision(1, 0)


async def test_looks_for_peaks_take_turns_and_too_many_are_refused() -> None:
    held = Held()
    desk = UsageDesk(held, lambda: NOON_US)  # type: ignore[arg-type]
    whose = Account(Scope.LICENSEE, "acme")
    looks = [asyncio.create_task(desk.peaks(whose, 1, 0, NOON_US)) for _ in range(usage.PEAKS_WAITING)]
    await asyncio.sleep(0)

    with pytest.raises(Refusal, match="OVERLOADED"):
        await desk.peaks(whose, 1, 0, NOON_US)
    looks[0].cancel()
    looks[1].cancel()
    await asyncio.wait(looks[:2])
    looks.append(asyncio.create_task(desk.peaks(whose, 1, 0, NOON_US)))
    held.let_go.set()

    assert await asyncio.gather(*looks[2:]) == [([], Revision(1, 0))] * (usage.PEAKS_WAITING - 1)
    assert held.most_together == usage.PEAKS_AT_ONCE


async def test_a_peak_of_a_stretch_is_asked_for_by_kind_of_access(call: UsageCaller) -> None:
    await call.report(an_access("a", access=REQUEST, posts=7), an_access("b", posts=2))
    request = pb.MaxWindowRequest(of=of_party(), accesses=[REQUEST])

    answer = await call.peer.call(call.usage.MaxWindow, request)

    assert [peak.posts for peak in answer.peaks] == [7]
