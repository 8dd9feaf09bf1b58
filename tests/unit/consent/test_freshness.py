"""C9 and C10: an answer is as fresh as a read of the head that starts after the question."""

import asyncio

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.consent import freshness as freshness_module
from services.consent.domain.changes import Change, Contents, Revision
from services.consent.domain.policies import PolicyBook
from services.consent.freshness import Freshness, SharedRead
from services.consent.index import Index
from tests.support.consent import a_placement


class Source:
    """Counts reads; each waits until it is let through, and says when it started."""

    def __init__(self) -> None:
        self.started = 0
        self.gate = asyncio.Event()
        self.fails = False

    async def read(self) -> int:
        self.started += 1
        number = self.started
        await self.gate.wait()
        if self.fails:
            raise unavailable("DATABASE_UNAVAILABLE", "gone")
        return number


async def settle() -> None:
    """Lets every task run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def contents(number: int) -> Contents:
    return Contents(Revision(1, number), a_placement({}), {}, PolicyBook())


def a_step(before: int) -> Change:
    return Change(Revision(1, before), Revision(1, before + 1))


def a_freshness(number: int = 10) -> Freshness:
    freshness = Freshness(Index(seed=7))
    freshness.replace(contents(number))
    return freshness


async def test_c9_who_asks_while_a_read_runs_gets_the_next_one() -> None:
    source = Source()
    shared = SharedRead(source.read)
    early = asyncio.create_task(shared.get())
    await settle()

    late = [asyncio.create_task(shared.get()) for _ in range(3)]
    await settle()
    source.gate.set()

    assert await early == 1
    assert await asyncio.gather(*late) == [2, 2, 2]
    assert source.started == 2


async def test_c9_who_goes_away_takes_the_read_from_nobody() -> None:
    source = Source()
    shared = SharedRead(source.read)
    leaver, stayer = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
    await settle()

    leaver.cancel()
    await settle()
    source.gate.set()

    assert await stayer == 1


async def test_c10_a_failed_read_fails_all_who_share_it_and_none_after() -> None:
    source = Source()
    source.fails = True
    source.gate.set()
    shared = SharedRead(source.read)

    failed = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    source.fails = False

    assert [type(error) for error in failed] == [Refusal, Refusal]
    assert await shared.get() == 2


async def test_c9_a_check_waits_until_the_index_has_reached_the_head() -> None:
    freshness = a_freshness(10)
    waiting = asyncio.create_task(freshness.reach(Revision(1, 12)))
    await settle()
    waited_at_10 = not waiting.done()

    await asyncio.to_thread(freshness.apply, a_step(10))
    await settle()
    waited_at_11 = not waiting.done()
    await asyncio.to_thread(freshness.apply, a_step(11))

    assert waited_at_10
    assert waited_at_11
    assert (await waiting).revision == Revision(1, 12)


async def test_c9_an_index_beyond_the_head_answers_at_once() -> None:
    view = await a_freshness(10).reach(Revision(1, 9))

    assert view.revision == Revision(1, 10)


async def test_c10_an_index_that_never_gets_there_is_distrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness_module, "LONGEST_WAIT_SECONDS", 0.01)
    freshness = a_freshness(10)

    with pytest.raises(Refusal) as refused:
        await freshness.reach(Revision(1, 11))

    assert refused.value.reason == "INDEX_STALE"
    assert not freshness.trusted


async def test_c10_after_a_gap_nobody_is_answered_until_the_index_was_read_anew() -> None:
    freshness = a_freshness(10)
    freshness.apply(a_step(11))

    with pytest.raises(Refusal) as refused:
        await freshness.reach(Revision(1, 10))
    freshness.replace(contents(12))

    assert refused.value.reason == "INDEX_STALE"
    assert (await freshness.reach(Revision(1, 12))).revision == Revision(1, 12)


async def test_c10_who_waits_is_told_when_the_index_is_distrusted() -> None:
    freshness = a_freshness(10)
    waiting = asyncio.create_task(freshness.reach(Revision(1, 11)))
    await settle()

    freshness.distrust()

    with pytest.raises(Refusal) as refused:
        await waiting
    assert refused.value.reason == "INDEX_STALE"


async def test_an_index_of_another_epoch_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness_module, "LONGEST_WAIT_SECONDS", 0.01)

    with pytest.raises(Refusal) as refused:
        await a_freshness(10).reach(Revision(2, 3))

    assert refused.value.reason == "INDEX_STALE"
