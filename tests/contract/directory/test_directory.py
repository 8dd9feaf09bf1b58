"""The local post directory: what is put last stands, and what is asked for comes in the order asked."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from services.directory.domain.posts import Post
from services.directory.rpc.columns import columns_of
from sluice.directory.v1 import directory_service_pb2 as pb
from sluice.directory.v1 import directory_service_pb2_grpc as pb_grpc
from sluice.licensing.v1 import post_pb2
from tests.support.clock import NOON_US, ManualClock
from tests.support.cluster import a_post
from tests.support.directory import Directory

LARGE = 2**64 - 1
POSTED_US = 1_600_000_000_000_000


def kept(id: int, author_id: int, *embeds: tuple[int, int], **changes: Any) -> Post:
    """What `a_post` of the same numbers is as it is kept."""
    return Post(id, author_id, 1, 0, POSTED_US, "en", embeds)._replace(**changes)


async def refusal_of(call: Any) -> str:
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value.reason


async def test_what_is_known_comes_in_the_order_asked_and_the_rest_is_left_out(directory: Directory) -> None:
    assert await directory.put(a_post(1, 11), a_post(LARGE, LARGE, (7, 0), (8, LARGE))) == 2

    answer = await directory.get(LARGE, 99, 1)

    assert answer.posts == columns_of([kept(LARGE, LARGE, (7, 0), (8, LARGE)), kept(1, 11)])
    assert answer.as_of.ToMicroseconds() == NOON_US


async def test_where_nothing_is_known_the_columns_are_empty(directory: Directory) -> None:
    answer = await directory.get(5)

    assert answer.posts == post_pb2.PostColumns(embed_offsets=bytes(4))


async def test_what_was_put_last_stands_also_within_one_request(directory: Directory) -> None:
    await directory.put(a_post(1, 11), a_post(2, 12), a_post(1, 13))
    await directory.put(a_post(2, 14, language="de", kind=4, media_flags=7))

    answer = await directory.get(1, 2)

    assert answer.posts == columns_of([kept(1, 13), kept(2, 14, language="de", kind=4, media_flags=7)])


async def test_a_request_that_is_repeated_late_does_not_bring_back_what_it_put(
    directory: Directory, clock: ManualClock
) -> None:
    request = pb.PutPostsRequest(
        request_id=directory_id(clock), posts=post_pb2.PostList(posts=[a_post(1, 11)])
    )
    first = await directory.send(request)
    clock.advance(1)
    await directory.put(a_post(1, 12))

    again = await directory.send(request)

    assert (first.posts_kept, again.posts_kept) == (1, 1)
    assert (await directory.get(1)).posts == columns_of([kept(1, 12)])
    request.posts.posts[0].author_id = 13
    assert await refusal_of(directory.send(request)) == "REQUEST_ID_REUSED"


def directory_id(clock: ManualClock) -> str:
    return uuid7(clock.now_us())


async def test_both_forms_say_the_same(directory: Directory, clock: ManualClock) -> None:
    columns = columns_of([kept(1, 11, (5, 6)), kept(2, 12, language="de")])

    await directory.send(pb.PutPostsRequest(request_id=directory_id(clock), columns=columns))

    assert (await directory.get(1, 2)).posts == columns


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ids": bytes(15)}, "COLUMN_LENGTHS"),
        ({"embed_offsets": bytes(4)}, "COLUMN_LENGTHS"),
        ({"embed_offsets": b"\x01\x00\x00\x00" * 3}, "COLUMN_LENGTHS"),
        ({"language_indexes": b"\x00\x01"}, "COLUMN_LENGTHS"),
        ({"language_indexes": b"\x00"}, "COLUMN_LENGTHS"),
        ({"media_flags": b""}, "COLUMN_LENGTHS"),
        ({"embed_ids": bytes(8)}, "COLUMN_LENGTHS"),
        ({"kinds": b""}, "EMPTY_BATCH"),
    ],
)
async def test_columns_that_do_not_fit_are_refused_as_a_whole(
    directory: Directory, clock: ManualClock, changes: dict[str, bytes], reason: str
) -> None:
    columns = columns_of([kept(1, 11), kept(2, 12)])
    for name, value in changes.items():
        setattr(columns, name, value)

    refused = await refusal_of(
        directory.send(pb.PutPostsRequest(request_id=directory_id(clock), columns=columns))
    )

    assert refused == reason
    assert (await directory.get(1, 2)).posts.kinds == b""


@pytest.mark.parametrize(
    "post",
    [
        a_post(0, 1),
        a_post(1, 1, (0, 5)),
        a_post(1, 1, kind=0),
        a_post(1, 1, media_flags=8),
        a_post(1, 1, posted_at=Timestamp()),
        a_post(1, 1, language="e\nn"),
        a_post(1, 1, language="e\0n"),
    ],
)
async def test_a_post_with_a_fault_is_left_out_alone_and_named_again_with_the_stored_answer(
    directory: Directory, clock: ManualClock, post: post_pb2.Post
) -> None:
    posts = post_pb2.PostList(posts=[a_post(5, 5), post, a_post(6, 6)])
    request = pb.PutPostsRequest(request_id=directory_id(clock), posts=posts)

    answer = await directory.send(request)

    assert (answer.posts_kept, [each.position for each in answer.faults]) == (2, [1])
    assert (await directory.get(1, 5, 6)).posts == columns_of([kept(5, 5), kept(6, 6)])
    assert await directory.send(request) == answer


async def test_of_columns_with_faults_in_every_post_nothing_is_kept(
    directory: Directory, clock: ManualClock
) -> None:
    columns = columns_of([kept(1, 11), kept(2, 12)])
    columns.kinds = b"\x00\x05"

    answer = await directory.send(pb.PutPostsRequest(request_id=directory_id(clock), columns=columns))

    assert (answer.posts_kept, len(answer.faults)) == (0, 2)


async def test_what_is_known_but_has_too_many_languages_for_one_answer_is_refused(
    directory: Directory,
) -> None:
    for start in (1, 201):
        posts = [a_post(id, 1, language=f"x-{id}") for id in range(start, start + 200)]
        await directory.put(*posts)

    assert await refusal_of(directory.get(*range(1, 401))) == "TOO_MANY_LANGUAGES"
    assert len((await directory.get(*range(1, 257))).posts.kinds) == 256


@pytest.mark.parametrize(
    ("kind", "party", "roles", "reads", "writes"),
    [
        (PrincipalKind.SERVICE, "licensing", [], True, False),
        (PrincipalKind.SERVICE, "gateway", [], False, False),
        (PrincipalKind.OPERATOR, "ada", ["admin"], False, False),
        (PrincipalKind.PIPELINE, "firehose", [], True, True),
        (PrincipalKind.LICENSEE, "acme", [], False, False),
        (PrincipalKind.SUBJECT, "1", [], False, False),
    ],
)
async def test_each_caller_does_what_the_contract_admits(
    directory: Directory,
    clock: ManualClock,
    *,
    kind: PrincipalKind,
    party: str,
    roles: list[str],
    reads: bool,
    writes: bool,
) -> None:
    peer = directory.server.peer(kind, party, roles)
    put = pb.PutPostsRequest(request_id=directory_id(clock), posts=post_pb2.PostList(posts=[a_post(1, 11)]))
    get = pb.GetPostsRequest(ids=[1])
    directory_stub = pb_grpc.PostDirectoryServiceStub(peer.channel)
    store_stub = pb_grpc.PostStoreServiceStub(peer.channel)

    admitted = [
        await is_admitted(peer.call(directory_stub.GetPosts, get)),
        await is_admitted(peer.call(store_stub.PutPosts, put)),
    ]

    assert admitted == [reads, writes]


async def is_admitted(call: Any) -> bool:
    try:
        await call
    except Refusal as refusal:
        return refusal.reason != "NOT_ADMITTED"
    return True
