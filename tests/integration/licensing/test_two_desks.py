"""Two processes of licensing on one PostgreSQL database: a request still has one decision and one charge."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.cluster import Cluster, a_cluster, a_post, licensing_of
from tests.support.engines import urls_on
from tests.support.fences import before_each_conclusion, withdrawn

pytestmark = pytest.mark.slow

POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]
ROUNDS = 10


@pytest.fixture
async def desks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Cluster, Cluster]]:
    """The same three services twice, but for a licensing of its own in each."""
    urls = urls_on("postgresql", request, tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        one = await stack.enter_async_context(a_cluster(tmp_path, urls=urls))
        other = copy.copy(one)
        await stack.enter_async_context(licensing_of(other, tmp_path, urls["licensing"]))
        await one.publish_policy()
        await one.know(*range(1, 21))
        await one.license(limit=1_000)
        yield one, other


async def test_l5_the_same_request_at_both_at_once_is_concluded_once(desks: tuple[Cluster, Cluster]) -> None:
    one, other = desks
    request_ids = [one.new_id() for _ in range(ROUNDS)]

    answers = await asyncio.gather(
        *(desk.decide(POSTS, request_id) for request_id in request_ids for desk in (one, other, one, other))
    )
    for desk in desks:
        await desk.outbox.deliver()

    by_request = [answers[at : at + 4] for at in range(0, len(answers), 4)]
    assert all(len({answer.decision_id for answer in same}) == 1 for same in by_request)
    assert all([answer.replayed for answer in same].count(False) == 1 for same in by_request)
    assert {answer.outcome for answer in answers} == {pb.OUTCOME_RELEASED}
    assert sorted(await one.holds()) == sorted({answer.reservation_id for answer in answers})


async def test_receipts_of_both_are_numbered_without_a_gap(desks: tuple[Cluster, Cluster]) -> None:
    one, other = desks

    await asyncio.gather(*(desk.decide(POSTS) for _ in range(ROUNDS) for desk in (one, other)))
    numbers = await one.database.read(
        lambda c: c.execute(text("select number from decisions order by number")).scalars().all()
    )

    assert list(numbers) == list(range(1, 2 * ROUNDS + 1))


async def test_l4_a_license_suspended_at_one_desk_releases_nothing_at_the_other(
    desks: tuple[Cluster, Cluster],
) -> None:
    one, other = desks
    before = await other.decide(POSTS)

    await one.suspend()
    after = await other.decide(POSTS)

    assert before.outcome == pb.OUTCOME_RELEASED
    assert after.outcome == pb.OUTCOME_DENIED


async def test_w5_a_fence_that_one_process_moves_holds_for_a_decision_that_is_under_way_in_the_other(
    desks: tuple[Cluster, Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = desks
    before_each_conclusion(monkeypatch, withdrawn(one, 2))

    decision = await other.decide(POSTS)
    await one.outbox.deliver()

    assert list(decision.verdicts) == [1, 3, 1]
    assert (await one.reservation(decision.reservation_id)).posts_freed == 1


async def test_both_may_deliver_the_outbox_and_expire_permits_at_once(
    desks: tuple[Cluster, Cluster],
) -> None:
    one, other = desks
    decisions = [await one.decide(POSTS) for _ in range(ROUNDS)]
    one.clock.advance(61 * 1_000_000)

    await asyncio.gather(*(desk.sweeper.sweep() for desk in (one, other, one, other)))
    await asyncio.gather(*(desk.outbox.deliver() for desk in (one, other, one, other)))

    assert await one.holds() == []
    settled = [await one.reservation(decision.reservation_id) for decision in decisions]
    assert [reservation.posts_settled for reservation in settled] == [3] * ROUNDS
