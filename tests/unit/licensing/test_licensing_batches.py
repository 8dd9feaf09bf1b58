"""Requests as messages and as columns: what says the same is the same."""

from collections.abc import Sequence

import pytest
from hypothesis import given

from services.chassis.refusals import Refusal
from services.licensing.domain.reasons import Reason
from services.licensing.rpc.batches import batch_of
from sluice.licensing.v1 import post_pb2, release_service_pb2
from tests.support.clock import NOON_US
from tests.support.licensing import Post, a_post, any_posts, batches_of_posts, canonical_request, columns_of

LAST_SECOND_US = 253_402_300_799_000_000


def as_messages(posts: Sequence[Post]) -> release_service_pb2.DecideRequest:
    request = release_service_pb2.DecideRequest(license_id="license-1", purpose=2)  # type: ignore[arg-type]
    for post in posts:
        message = request.posts.posts.add(
            id=post.id,
            author_id=post.author_id,
            kind=post.kind,
            media_flags=post.media_flags,
            language=post.language,
            embeds=[post_pb2.Embed(id=id, author_id=author_id) for id, author_id in post.embeds],
        )
        message.posted_at.seconds, micros = divmod(post.posted_at_us, 1_000_000)
        message.posted_at.nanos = micros * 1_000
    return request


def as_columns(posts: Sequence[Post]) -> release_service_pb2.DecideRequest:
    columns = columns_of(posts)
    languages = columns.pop("languages")
    contents = {name: column.tobytes() for name, column in columns.items()}
    return release_service_pb2.DecideRequest(
        license_id="license-1",
        purpose=2,  # type: ignore[arg-type]
        columns=post_pb2.PostColumns(languages=languages, **contents),
    )


@given(batches_of_posts)
def test_columns_and_messages_that_say_the_same_are_the_same_request(posts: list[Post]) -> None:
    of_messages, of_columns = batch_of(as_messages(posts)), batch_of(as_columns(posts))

    assert of_messages.canonical() == of_columns.canonical() == canonical_request(posts)
    assert of_messages.faults(NOON_US, 0).tolist() == of_columns.faults(NOON_US, 0).tolist()


@given(any_posts())
def test_one_post_as_a_message_is_one_post_as_columns(post: Post) -> None:
    assert batch_of(as_messages([post])).canonical() == batch_of(as_columns([post])).canonical()


@pytest.mark.parametrize(
    "message",
    [
        post_pb2.Post(id=1, author_id=2, kind=300),  # type: ignore[arg-type]
        post_pb2.Post(id=1, author_id=2, kind=-1),  # type: ignore[arg-type]
        post_pb2.Post(id=1, author_id=2, kind=-255),  # type: ignore[arg-type]
        post_pb2.Post(id=1, author_id=2, kind=1, media_flags=2**32 - 1),  # type: ignore[arg-type]
    ],
)
def test_a_number_that_no_byte_can_hold_is_a_fault_of_its_post(message: post_pb2.Post) -> None:
    message.posted_at.FromMicroseconds(NOON_US)
    request = as_messages([a_post()])
    request.posts.posts.append(message)

    assert batch_of(request).faults(NOON_US, 0).tolist() == [0, Reason.FAULT_KIND]


def test_a_post_without_a_time_is_a_fault() -> None:
    request = as_messages([a_post()])
    request.posts.posts[0].ClearField("posted_at")

    assert batch_of(request).faults(NOON_US, 0).tolist() == [Reason.FAULT_TIME]


@pytest.mark.parametrize("seconds", [2**63 - 1, -(2**63), LAST_SECOND_US])
def test_a_time_that_no_column_can_hold_is_a_fault(seconds: int) -> None:
    request = as_messages([a_post()])
    request.posts.posts[0].posted_at.seconds = seconds

    assert batch_of(request).faults(NOON_US, 0).tolist() == [Reason.FAULT_TIME]


@pytest.mark.parametrize("nanos", [-5, 1_000_000_000, 2**31 - 1])
def test_a_time_that_is_none_is_a_fault_of_its_post_alone(nanos: int) -> None:
    request = as_messages([a_post(1), a_post(2)])
    request.posts.posts[1].posted_at.nanos = nanos

    assert batch_of(request).faults(NOON_US, 0).tolist() == [0, Reason.FAULT_TIME]


@pytest.mark.parametrize("form", ["none", "columns", "posts"])
def test_a_request_without_posts_is_refused(form: str) -> None:
    request = release_service_pb2.DecideRequest(license_id="license-1", purpose=2)  # type: ignore[arg-type]
    if form != "none":
        getattr(request, form).SetInParent()

    with pytest.raises(Refusal, match="EMPTY_BATCH"):
        batch_of(request)


def test_too_many_messages_are_refused() -> None:
    request = release_service_pb2.DecideRequest(license_id="license-1", purpose=2)  # type: ignore[arg-type]
    request.posts.posts.extend([post_pb2.Post(id=1)] * 10_001)

    with pytest.raises(Refusal, match="TOO_MANY_POSTS"):
        batch_of(request)
