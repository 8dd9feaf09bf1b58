"""Watchers of one window share a poll, which begins with the first of them and ends with the last."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from services.chassis.refusals import Kind, Refusal, unavailable
from services.metering.domain.allowances import Account, Posts, Scope, Tally
from services.metering.domain.gauges import Fullest, Gauge, Look
from services.metering.domain.reservations import Revision
from services.metering.domain.windows import MINUTE_US, SECOND_US
from services.metering.watches import Watches
from tests.support.clock import NOON_US, ManualClock
from tests.support.waiting import PATIENCE_SECONDS, until

ACME = Account(Scope.LICENSEE, "acme")
NEVER = 3_600.0
"""Seconds between looks: only who comes has one made."""
AT_ONCE = 0.0
LIMIT = 10


class Held:
    """A window in which so many are held. Looks at it can be kept waiting, and can fail."""

    def __init__(self) -> None:
        self.posts = 0
        self.peak: int | None = None
        self.asked: list[tuple[Account, int, Look | None]] = []
        self.given: list[Look] = []
        self.error: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.one_by_one = False

    async def look(self, account: Account, window_us: int, at_us: int, before: Look | None) -> Look:
        self.asked.append((account, window_us, before))
        posts, peak = self.posts, self.peak
        await self.may_go_on.wait()
        if self.one_by_one:
            self.may_go_on.clear()
        if self.error is not None:
            raise self.error
        fullest = None if peak is None else Fullest(Posts(0, peak), at_us - 1, 1)
        now = Tally(0, posts, 0)
        self.given.append(Look(Revision(1, len(self.given)), at_us, now, now, fullest))
        return self.given[-1]

    async def looked_at(self, more: int) -> None:
        """Returns when it was looked at so many more times."""
        count = len(self.given) + more
        await until(lambda: len(self.given) >= count, f"{count} looks")


@pytest.fixture
def held() -> Held:
    return Held()


def watches(held: Held, interval_seconds: float = AT_ONCE) -> Watches:
    return Watches(held, ManualClock().now_us, interval_seconds=interval_seconds)


def polls() -> int:
    return sum(task.get_name() == "watch" for task in asyncio.all_tasks())


async def told(stream: AsyncGenerator[Gauge]) -> int:
    """How many are held, by the next answer."""
    return (await next_of(stream)).posts.held


async def next_of(stream: AsyncGenerator[Gauge]) -> Gauge:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(stream)


async def test_the_window_is_told_at_once_and_whenever_it_has_changed(held: Held) -> None:
    async with contextlib.aclosing(watches(held).watch(ACME, SECOND_US, LIMIT)) as stream:
        first = await next_of(stream)
        held.posts = 8
        second = await next_of(stream)

    assert (first.posts, first.notice, first.at_us) == (Posts(0, 0), False, NOON_US)
    assert (second.posts, second.notice) == (Posts(0, 8), True)


async def test_watchers_of_the_same_window_share_one_poll_whatever_their_limits(held: Held) -> None:
    desk = watches(held)
    async with contextlib.AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(contextlib.aclosing(desk.watch(ACME, SECOND_US, limit)))
            for limit in (10, 10, 1_000)
        ]
        assert [await told(stream) for stream in streams] == [0, 0, 0]
        held.posts = 10

        gauges = [await next_of(stream) for stream in streams]

        assert [gauge.posts.held for gauge in gauges] == [10, 10, 10]
        assert [gauge.notice for gauge in gauges] == [True, True, False]
        assert polls() == 1
        # One chain of looks, each of which goes on from the one before.
        assert [before for _, _, before in held.asked[: len(held.given)]] == [None, *held.given[:-1]]


async def test_another_window_has_a_poll_of_its_own(held: Held) -> None:
    desk = watches(held, NEVER)
    other = Account(Scope.LICENSE, "acme")
    async with contextlib.AsyncExitStack() as stack:
        for account, window_us in ((ACME, SECOND_US), (ACME, MINUTE_US), (other, SECOND_US)):
            stream = desk.watch(account, window_us, LIMIT)
            await stack.enter_async_context(contextlib.aclosing(stream))
            await told(stream)

        assert polls() == 3
    assert held.asked == [(ACME, SECOND_US, None), (ACME, MINUTE_US, None), (other, SECOND_US, None)]


async def test_a_poll_goes_on_until_the_last_watcher_has_gone_and_no_longer(held: Held) -> None:
    desk = watches(held)
    first, second = (desk.watch(ACME, SECOND_US, LIMIT) for _ in range(2))
    assert (await told(first), await told(second)) == (0, 0)

    await first.aclose()
    held.posts = 3
    assert await told(second) == 3
    await second.aclose()

    await until(lambda: polls() == 0, "the poll has ended")


async def test_a_watcher_who_is_cancelled_while_they_wait_has_gone(held: Held) -> None:
    stream = watches(held, NEVER).watch(ACME, SECOND_US, LIMIT)
    await told(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)

    waiting.cancel()

    await until(lambda: polls() == 0, "the poll has ended")
    assert waiting.cancelled()


async def test_a_poll_whose_last_watcher_goes_while_it_reads_reads_no_more(held: Held) -> None:
    stream = watches(held).watch(ACME, SECOND_US, LIMIT)
    await told(stream)
    held.may_go_on.clear()
    await until(lambda: len(held.asked) > len(held.given), "it reads")

    await stream.aclose()
    await until(lambda: polls() == 0, "the poll has ended")

    asked = len(held.asked)
    held.may_go_on.set()
    await asyncio.sleep(0)
    assert len(held.asked) == asked


async def test_whoever_comes_while_it_is_looked_at_is_told_by_a_look_that_begins_after_that(
    held: Held,
) -> None:
    desk = watches(held, NEVER)
    held.one_by_one = True
    held.may_go_on.clear()
    first = desk.watch(ACME, SECOND_US, LIMIT)
    early = asyncio.ensure_future(anext(first))
    await until(lambda: held.asked, "it is looked at")
    held.posts = 5
    second = desk.watch(ACME, SECOND_US, LIMIT)
    late = asyncio.ensure_future(anext(second))
    await asyncio.sleep(0)

    held.may_go_on.set()
    assert (await early).posts == Posts(0, 0)
    held.may_go_on.set()
    assert (await late).posts == Posts(0, 5)
    await first.aclose()
    await second.aclose()


async def test_a_watcher_who_is_slow_is_told_the_fullest_window_that_they_have_missed(held: Held) -> None:
    async with contextlib.aclosing(watches(held).watch(ACME, SECOND_US, LIMIT)) as stream:
        await told(stream)
        held.peak = 9
        await held.looked_at(2)
        held.peak, held.posts = 2, 1
        await held.looked_at(2)

        peak, standing = await next_of(stream), await next_of(stream)

    assert (peak.posts, peak.notice) == (Posts(0, 9), True)
    assert (standing.posts, standing.notice) == (Posts(0, 1), False)


async def test_each_watcher_is_refused_where_the_window_cannot_be_read(held: Held) -> None:
    desk = watches(held)
    streams = [desk.watch(ACME, SECOND_US, LIMIT) for _ in range(2)]
    assert [await told(stream) for stream in streams] == [0, 0]

    held.error = unavailable("DATABASE_UNAVAILABLE", "the database cannot be read now", retry_after_us=5)

    refusals = []
    for stream in streams:
        with pytest.raises(Refusal) as caught:
            await next_of(stream)
        refusals.append(caught.value)
    assert [(each.kind, each.reason) for each in refusals] == [(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE")] * 2
    assert [each.retry_after_us for each in refusals] == [5, 5]
    assert refusals[0] is not refusals[1]
    assert polls() == 0


async def test_whoever_comes_after_a_failure_begins_anew(held: Held) -> None:
    desk = watches(held)
    held.error = unavailable("DATABASE_UNAVAILABLE", "the database cannot be read now")
    failed = desk.watch(ACME, SECOND_US, LIMIT)
    with pytest.raises(Refusal):
        await next_of(failed)
    held.error, held.posts = None, 4

    async with contextlib.aclosing(desk.watch(ACME, SECOND_US, LIMIT)) as stream:
        assert await told(stream) == 4
    assert [before for _, _, before in held.asked[:2]] == [None, None]


async def test_a_defect_is_raised_to_the_watcher_with_its_cause(held: Held) -> None:
    stream = watches(held).watch(ACME, SECOND_US, LIMIT)
    await told(stream)
    held.error = LookupError("a defect")

    with pytest.raises(RuntimeError) as raised:
        await next_of(stream)

    assert raised.value.__cause__ is held.error
