"""However posts are put together, each gets the same verdict: the whole decision, over gRPC (hypothesis)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.licensing.v1 import post_pb2
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.cluster import Cluster, a_cluster, a_post
from tests.support.streams import a_request, decide_on_stream

SUBJECTS = range(0, 8)
"""0 is nobody, 7 is not known to consent, 2 and 5 have opted out."""
LANGUAGES = ["en", "en-GB", "de", "und", ""]


class World:
    """A cluster that lives as long as the module, driven from tests that are not coroutines."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self._context = a_cluster(folder)
        self.cluster: Cluster = self.run(self._context.__aenter__())
        self.run(self._furnish())

    async def _furnish(self) -> None:
        await self.cluster.publish_policy()
        await self.cluster.know(*range(1, 7))
        await self.cluster.know(6, jurisdiction="FR")
        await self.cluster.license(languages=["en", "de"], kinds=[1, 2, 3])
        await self.cluster.opt_out(2, 5)

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def close(self) -> None:
        self.run(self._context.__aexit__(None, None, None))
        self.runner.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


def embeds() -> st.SearchStrategy[list[tuple[int, int]]]:
    return st.lists(st.tuples(st.integers(0, 2**64 - 1), st.sampled_from(SUBJECTS)), max_size=3)


@st.composite
def batches(draw: st.DrawFn) -> list[post_pb2.Post]:
    """One to six posts with different ids, near-duplicates among them, faults included."""
    ids = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True))
    return [
        a_post(
            id,
            draw(st.sampled_from(SUBJECTS)),
            *draw(embeds()),
            kind=draw(st.integers(0, 5)),
            media_flags=draw(st.integers(0, 9)),
            language=draw(st.sampled_from(LANGUAGES)),
            posted_at=Timestamp(seconds=draw(st.sampled_from([0, 1_600_000_000, 3_000_000_000]))),
        )
        for id in ids
    ]


@settings(max_examples=25, deadline=None)
@given(posts=batches())
def test_a_batch_gets_what_its_posts_get_one_by_one(world: World, posts: list[post_pb2.Post]) -> None:
    together = world.run(world.cluster.decide(posts))

    alone = [world.run(world.cluster.decide([post])) for post in posts]

    assert list(together.reasons) == [decision.reasons[0] for decision in alone]


@settings(max_examples=25, deadline=None)
@given(posts=batches(), randomly=st.randoms(use_true_random=False))
def test_the_order_of_a_batch_does_not_matter(
    world: World, posts: list[post_pb2.Post], randomly: Any
) -> None:
    order = list(range(len(posts)))
    randomly.shuffle(order)
    ordered = world.run(world.cluster.decide(posts))

    shuffled = world.run(world.cluster.decide([posts[place] for place in order]))

    assert [ordered.reasons[place] for place in order] == list(shuffled.reasons)


@settings(max_examples=25, deadline=None)
@given(posts=batches(), randomly=st.randoms(use_true_random=False))
def test_a_stream_gives_each_post_what_a_batch_gives_it_in_whatever_order_it_is_sent(
    world: World, posts: list[post_pb2.Post], randomly: Any
) -> None:
    together = world.run(world.cluster.decide(posts))
    shuffled = list(range(len(posts)))
    randomly.shuffle(shuffled)

    singles = [a_request(world.cluster, [post]) for post in posts]
    whole, *alone = world.run(decide_on_stream(world.cluster, [a_request(world.cluster, posts), *singles]))
    again = [a_request(world.cluster, [posts[place]]) for place in shuffled]
    in_disorder = world.run(decide_on_stream(world.cluster, again))

    assert whole.decision.reasons == together.reasons
    assert b"".join(answer.decision.reasons for answer in alone) == together.reasons
    assert [answer.decision.reasons[0] for answer in in_disorder] == [
        together.reasons[place] for place in shuffled
    ]


@settings(max_examples=25, deadline=None)
@given(posts=batches())
def test_columns_and_messages_are_the_same_request(world: World, posts: list[post_pb2.Post]) -> None:
    request_id = world.cluster.new_id()
    of_messages = world.run(world.cluster.decide(posts, request_id))

    of_columns = world.run(world.cluster.decide(request_id=request_id, columns=as_columns(posts)))

    assert of_columns.replayed
    assert of_columns.receipt == of_messages.receipt


def as_columns(posts: list[post_pb2.Post]) -> post_pb2.PostColumns:
    """What the gate would send for the same posts."""
    return columns_of(
        [
            Post(
                id=post.id,
                author_id=post.author_id,
                kind=post.kind,
                media_flags=post.media_flags,
                posted_at_us=post.posted_at.ToMicroseconds(),
                language=post.language,
                embeds=tuple((embed.id, embed.author_id) for embed in post.embeds),
            )
            for post in posts
        ]
    )
