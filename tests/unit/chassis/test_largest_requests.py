"""The largest requests that the contracts allow get through, and those that would stop a process do not."""

import pytest

from services.chassis.channels import LARGEST_REQUEST_BYTES
from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.chassis.validation import read_message
from sluice.licensing.v1.post_pb2 import Embed, Post, PostColumns, PostList
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice.type.v1 import content_pb2, purpose_pb2

LARGEST_ID = 2**64 - 1


def a_request(*posts: Post) -> DecideRequest:
    return DecideRequest(
        license_id="a" * 63, purpose=purpose_pb2.PURPOSE_AI_TRAINING_OTHER, posts=PostList(posts=posts)
    )


def the_largest_post() -> Post:
    """With its share of the embeds that a batch may have."""
    post = Post(
        id=LARGEST_ID,
        author_id=LARGEST_ID,
        kind=content_pb2.CONTENT_KIND_REPOST,
        media_flags=7,
        language="x" * 35,
        embeds=[Embed(id=LARGEST_ID, author_id=LARGEST_ID)] * 10,
    )
    post.posted_at.FromMicroseconds(4_000_000_000_999_999)
    return post


def test_the_largest_batch_of_messages_is_read() -> None:
    payload = a_request(*[the_largest_post()] * 10_000).SerializeToString()

    assert len(payload) < LARGEST_REQUEST_BYTES
    assert len(read_message(payload, DecideRequest.FromString).posts.posts) == 10_000


@pytest.mark.parametrize("posts", [40_000, 500_000])
def test_far_too_many_posts_are_refused_by_their_number(posts: int) -> None:
    payload = a_request(*[Post(id=1)] * posts).SerializeToString()

    with pytest.raises(Refusal, match="the request holds over 32768 fields") as caught:
        read_message(payload, DecideRequest.FromString)

    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "INVALID_REQUEST")


def test_far_too_many_embeds_in_one_post_are_refused_by_their_number() -> None:
    payload = a_request(Post(id=1, embeds=[Embed()] * 20_000)).SerializeToString()

    with pytest.raises(Refusal) as caught:
        read_message(payload, DecideRequest.FromString)

    assert caught.value.violations == (
        FieldViolation("posts.posts[].embeds", "a list holds over 16384 elements"),
    )


def test_far_too_many_languages_are_refused_by_their_number() -> None:
    payload = DecideRequest(columns=PostColumns(languages=[""] * 1_000_000)).SerializeToString()

    with pytest.raises(Refusal, match="the request holds over 32768 fields"):
        read_message(payload, DecideRequest.FromString)
