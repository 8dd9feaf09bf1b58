"""A directory is believed about the posts that it was asked about, each once and in order."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.chassis.refusals import Kind, Refusal, exhausted, invalid, precondition, unavailable
from services.directory.domain.posts import Post
from services.directory.rpc.columns import columns_of
from sluice.directory.v1 import directory_service_pb2 as directory_pb
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Reason
from tests.support.clock import NOON_US, ManualClock
from tests.support.cluster import Cluster, a_cluster
from tests.support.directory import ScriptedDirectory, a_scripted_directory

DAY_US = 86_400_000_000


@pytest.fixture
def engine() -> str:
    """What the directory says has nothing to do with the engine."""
    return "sqlite"


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[tuple[ScriptedDirectory, str]]:
    async with a_scripted_directory(tmp_path, ManualClock(), lambda ids: told(*ids)) as scripted:
        yield scripted


@pytest.fixture
async def cluster(
    tmp_path: Path, engine: str, scripted: tuple[ScriptedDirectory, str]
) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path, directory_target=scripted[1]) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 11))
        await cluster.license(limit=10)
        yield cluster


def told(*ids: int, **changes: Any) -> directory_pb.GetPostsResponse:
    """These posts, each by the author of the same number."""
    posts = [Post(id, id, 1, 0, NOON_US - DAY_US, "en", ()) for id in ids]
    response = directory_pb.GetPostsResponse(posts=columns_of(posts))
    for name, value in changes.items():
        setattr(response.posts, name, value)
    response.as_of.FromMicroseconds(NOON_US)
    return response


def as_of(us: int, *ids: int) -> directory_pb.GetPostsResponse:
    response = told(*ids)
    response.as_of.FromMicroseconds(us)
    return response


HOUR_US, MARGIN_US = 3_600_000_000, 1_000_000


@pytest.mark.parametrize("us", [NOON_US + MARGIN_US, NOON_US - HOUR_US - MARGIN_US])
async def test_an_answer_may_be_as_old_as_the_setting_says_and_ahead_by_the_margin_of_clocks(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], us: int
) -> None:
    scripted[0].answer = lambda ids: as_of(us, 1)

    assert (await cluster.request([1])).outcome == pb.OUTCOME_RELEASED


async def test_nothing_known_may_be_said_without_any_offset(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str]
) -> None:
    scripted[0].answer = lambda ids: told(embed_offsets=b"")

    assert (await cluster.request([1])).outcome == pb.OUTCOME_DENIED


def undated(*ids: int) -> directory_pb.GetPostsResponse:
    response = told(*ids)
    response.ClearField("as_of")
    return response


@pytest.mark.parametrize(
    "answer",
    [
        told(1, 2, 4),
        told(2, 1, 3),
        told(1, 1, 2),
        told(1, 2, 3, 3),
        told(0),
        told(1, 2, 3, author_ids=bytes(16)),
        told(1, 2, 3, ids=bytes(23)),
        told(1, 2, 3, language_indexes=bytes([0, 1, 0])),
        told(1, 2, 3, embed_offsets=bytes([1, 0, 0, 0]) * 4),
        told(1, 2, 3, kinds=b""),
        undated(1, 2, 3),
        undated(),
        as_of(0, 1, 2, 3),
        as_of(NOON_US + MARGIN_US + 1, 1, 2, 3),
        as_of(NOON_US - HOUR_US - MARGIN_US - 1),
        told(author_ids=bytes(24)),
        told(embed_author_ids=bytes(8)),
        told(embed_offsets=bytes(16)),
        told(embed_offsets=bytes([1, 0, 0, 0])),
    ],
    ids=[
        *("of another post", "in another order", "a post twice", "more than asked", "the id 0"),
        *("authors missing", "half an id", "no such language", "offsets astray", "no kinds"),
        *("without a time", "nothing without a time", "of 1970", "of the future", "nothing, long ago"),
        *("authors of nobody", "authors of no embeds", "offsets of no posts", "an offset astray"),
    ],
)
async def test_an_answer_that_cannot_be_right_releases_nothing_and_holds_nothing(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], answer: directory_pb.GetPostsResponse
) -> None:
    scripted[0].answer = lambda ids: answer

    with pytest.raises(Refusal) as refused:
        await cluster.request([1, 2, 3])
    while await cluster.outbox.deliver():
        continue

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "PEER_ANSWER_INVALID")
    assert await cluster.holds() == []


async def test_the_directory_is_asked_once_for_each_post_and_never_for_what_can_be_none(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str]
) -> None:
    await cluster.request([3, 0, 1, 3, 2, 1])

    assert scripted[0].asked == [[3, 1, 2]]


async def test_an_embedded_post_whose_author_is_not_at_hand_denies_the_post_c6(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str]
) -> None:
    post = Post(1, 1, 3, 0, NOON_US - DAY_US, "en", ((77, 0),))
    answer = directory_pb.GetPostsResponse(posts=columns_of([post]))
    answer.as_of.FromMicroseconds(NOON_US)
    scripted[0].answer = lambda ids: answer

    decision = await cluster.request([1])

    assert list((await cluster.decision(decision.decision_id)).reasons) == [Reason.REASON_CONTRIBUTOR_UNNAMED]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (invalid("TOO_MANY_EMBEDS", "secret"), "TOO_MANY_EMBEDS"),
        (invalid("TOO_MANY_LANGUAGES", "secret"), "TOO_MANY_LANGUAGES"),
        (invalid("SECRET_OF_THE_PLATFORM", "secret"), "PEER_REFUSED"),
        (precondition("TOO_MANY_EMBEDS", "secret"), "PEER_REFUSED"),
        (unavailable("SECRET_OF_THE_PLATFORM", "secret"), "PEER_UNAVAILABLE"),
        (unavailable("PEER_UNAVAILABLE", "secret"), "PEER_UNAVAILABLE"),
        (exhausted("SECRET_OF_THE_PLATFORM", "secret", retry_after_us=10**15), "PEER_UNAVAILABLE"),
    ],
)
async def test_what_the_directory_refuses_is_told_in_our_own_words(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], refusal: Refusal, reason: str
) -> None:
    def refuses(ids: Sequence[int]) -> directory_pb.GetPostsResponse:
        raise refusal

    scripted[0].answer = refuses

    with pytest.raises(Refusal) as refused:
        await cluster.request([1])

    assert refused.value.reason == reason
    told = (refused.value.message, refused.value.violations, refused.value.metadata)
    assert "secret" not in str(told).lower()
    assert (refused.value.retry_after_us or 0) <= 60_000_000


async def test_without_a_directory_a_request_is_refused(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as cluster:
        await cluster.license(limit=10)

        with pytest.raises(Refusal) as refused:
            await cluster.request([1])

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "DIRECTORY_MISSING")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"purpose": 0}, "PURPOSE_UNSPECIFIED"),
        ({"request_id": "no uuid"}, "REQUEST_ID_MALFORMED"),
        ({"license_id": "no-such-license"}, "LICENSE_UNKNOWN"),
        ({"license_id": "NO"}, "INVALID_REQUEST"),
        ({"post_ids": []}, "EMPTY_BATCH"),
        ({"post_ids": range(1, 10_002)}, "INVALID_REQUEST"),
    ],
)
async def test_faults_of_the_envelope_are_refused_before_anything_is_looked_up(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], fields: dict[str, Any], reason: str
) -> None:
    sent = pb.RequestReleaseRequest(
        **{
            "request_id": cluster.new_id(),
            "license_id": "acme-training",
            "purpose": 2,
            "post_ids": [1],
            **fields,
        }
    )

    with pytest.raises(Refusal) as refused:
        await cluster.as_licensee("RequestRelease", sent)

    assert refused.value.reason == reason
    assert scripted[0].asked == []
