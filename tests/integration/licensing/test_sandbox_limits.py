"""The sandbox stays small: so many posts a minute for each holder, and no answer is kept over a day."""

from pathlib import Path

import pytest
from sqlalchemy import text

from services.chassis.ids import DAY_US, uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.forgetting import MARGIN_US, Forgetting
from services.licensing.storage.sandbox import SandboxAnswers
from sluice.licensing.v1 import post_pb2
from tests.integration.licensing.test_sandbox import asking, decide
from tests.support.api_keys import KeyCaller
from tests.support.cluster import SECOND_US, Cluster, a_post, licensing_of


@pytest.fixture
def engine() -> str:
    """What the rows are kept in is the subject of tests/contract."""
    return "sqlite"


def some(posts: int, first: int = 1) -> post_pb2.PostList:
    return post_pb2.PostList(posts=[a_post(100 + first + number, 1) for number in range(posts)])


async def test_a_holder_of_sandbox_keys_may_ask_about_so_many_posts_a_minute(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with licensing_of(cluster, tmp_path, f"sqlite:///{tmp_path}/small.db", sandbox_posts_per_minute=4):
        await cluster.license()
        trial = await KeyCaller(cluster).peer(sandbox=True)
        other = await KeyCaller(cluster).peer(party="other", sandbox=True)
        first = asking(cluster, posts=some(3))
        await decide(trial, first)
        cluster.clock.advance(10 * SECOND_US)

        with pytest.raises(Refusal) as refused:
            await decide(trial, asking(cluster, posts=some(2)))
        with pytest.raises(Refusal) as never:
            await decide(trial, asking(cluster, posts=some(5)))

        assert (refused.value.kind, refused.value.reason) == (Kind.EXHAUSTED, "SANDBOX_LIMIT")
        assert refused.value.retry_after_us == 50 * SECOND_US
        assert (never.value.kind, never.value.reason) == (Kind.INVALID, "TOO_MANY_POSTS")
        # What was answered is told again; others have room of their own, and who is not in the sandbox all.
        assert (await decide(trial, first)).replayed
        assert not (await decide(other, asking(cluster, posts=some(4)))).replayed
        assert (await cluster.decide([a_post(300 + n, 1) for n in range(9)])).receipt_number == 1
        cluster.clock.advance(50 * SECOND_US)
        assert not (await decide(trial, asking(cluster, posts=some(2)))).replayed


async def test_an_answer_is_forgotten_after_a_day_and_its_request_is_refused_from_then_on(
    cluster: Cluster,
) -> None:
    trial = await KeyCaller(cluster).peer(sandbox=True)
    old, young = asking(cluster), asking(cluster, uuid7(cluster.clock.now_us() + 2 * 60 * SECOND_US))
    await decide(trial, old)
    await decide(trial, young)
    forgetting = Forgetting(SandboxAnswers(cluster.database), cluster.clock, interval_seconds=1)

    await forgetting.forget_all()
    kept = await answers_kept(cluster)
    cluster.clock.advance(DAY_US + MARGIN_US + SECOND_US)
    await forgetting.forget_all()

    assert (kept, await answers_kept(cluster)) == (2, 1)
    # Tokens last minutes: the holder comes with another one.
    with pytest.raises(Refusal, match="REQUEST_ID_TOO_OLD"):
        await decide(await KeyCaller(cluster).peer(sandbox=True), old)


async def answers_kept(cluster: Cluster) -> int:
    query = text("SELECT count(*) FROM replays WHERE operation = 'DecideInSandbox'")
    count: int = await cluster.database.read(lambda connection: connection.execute(query).scalar_one())
    return count
