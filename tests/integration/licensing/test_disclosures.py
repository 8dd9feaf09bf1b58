"""A subject is told who got their posts, and nobody else's (W4)."""

from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing.indexing import Indexing
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1.disclosure_service_pb2_grpc import DisclosureServiceStub
from sluice.licensing.v1.release_service_pb2 import DeliveryState
from tests.support.cluster import PERMIT_US, SECOND_US, TRAINING, Cluster, a_post


async def ask(
    cluster: Cluster, rpc: str, request: Message, kind: PrincipalKind, party: str, *roles: str
) -> Any:
    peer = cluster.licensing.peer(kind, party, [role for role in roles if role])
    return await peer.call(getattr(DisclosureServiceStub(peer.channel), rpc), request)


async def releases(cluster: Cluster, subject: int, **fields: Any) -> pb.ListSubjectReleasesResponse:
    """As the subject sees them."""
    request = pb.ListSubjectReleasesRequest(subject_id=subject, **fields)
    answer: pb.ListSubjectReleasesResponse = await ask(
        cluster, "ListSubjectReleases", request, PrincipalKind.SUBJECT, str(subject)
    )
    return answer


async def summary(cluster: Cluster, subject: int, asks: int | None = None) -> list[pb.SubjectReleaseSum]:
    request = pb.GetSubjectSummaryRequest(subject_id=subject)
    party = str(asks or subject)
    return list((await ask(cluster, "GetSubjectSummary", request, PrincipalKind.SUBJECT, party)).sums)


async def index_all(cluster: Cluster) -> None:
    while await Indexing(ReleaseIndexWriter(cluster.database)).advance():
        continue


def ids(release: pb.SubjectRelease) -> list[int]:
    return [int(id) for id in np.frombuffer(release.post_ids, "<u8")]


@pytest.mark.parametrize("indexed", [False, True])
async def test_own_and_embedding_posts_are_told_the_newest_first_with_the_receipt(
    cluster: Cluster, indexed: bool
) -> None:
    await cluster.opt_out(9)
    first = await cluster.decide([a_post(102, 2), a_post(101, 1), a_post(103, 3, (700, 1)), a_post(104, 9)])
    await cluster.decide([a_post(201, 3, (701, 2))])
    cluster.clock.advance(SECOND_US)
    third = await cluster.decide([a_post(301, 1, (702, 9)), a_post(302, 1)])
    if indexed:
        await index_all(cluster)

    told = (await releases(cluster, 1)).releases

    assert [release.decision_id for release in told] == [third.decision_id, first.decision_id]
    assert [ids(release) for release in told] == [[302], [101, 103]]
    assert [release.receipt_number for release in told] == [3, 1]
    assert [release.receipt for release in told] == [third.receipt, first.receipt]
    assert told[0].decided_at.ToMicroseconds() == cluster.clock.now_us()
    said = {(r.licensee_id, r.licensee_name, r.license_id, r.purpose) for r in told}
    assert said == {("acme", "Acme", "acme-training", TRAINING)}
    assert not (await releases(cluster, 9)).releases


async def test_confirmed_deliveries_and_unconfirmed_ones_are_told_apart(cluster: Cluster) -> None:
    posts = [a_post(101, 1), a_post(102, 2), a_post(103, 3, (700, 1))]
    confirmed = await cluster.decide(posts)
    await cluster.confirm(confirmed.decision_id, bytes([0b011]))
    await cluster.decide(posts)
    cluster.clock.advance(PERMIT_US)
    await cluster.sweeper.sweep()
    await cluster.decide([a_post(104, 1)])

    told = (await releases(cluster, 1)).releases

    assert [
        (r.delivery, r.posts, r.posts_delivered, r.posts_undelivered, r.posts_unconfirmed) for r in told
    ] == [
        (DeliveryState.DELIVERY_STATE_OPEN, 1, 0, 0, 1),
        (DeliveryState.DELIVERY_STATE_EXPIRED, 2, 0, 0, 2),
        (DeliveryState.DELIVERY_STATE_CONFIRMED, 2, 1, 1, 0),
    ]


async def test_pages_go_on_where_the_last_one_ended_whatever_is_released_meanwhile(cluster: Cluster) -> None:
    for number in range(3):
        await cluster.decide([a_post(100 + number, 1)])

    first = await releases(cluster, 1, page_size=2)
    await cluster.decide([a_post(200, 1)])
    second = await releases(cluster, 1, page_size=2, page_token=first.next_page_token)

    assert [r.receipt_number for r in [*first.releases, *second.releases]] == [3, 2, 1]
    assert second.next_page_token == ""


@pytest.mark.parametrize("token", ["nonsense", "YQ==", "MDE=", "LTE=", "OTIyMzM3MjAzNjg1NDc3NTgwOA=="])
async def test_a_token_that_no_page_gave_is_refused(cluster: Cluster, token: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await releases(cluster, 1, page_token=token)


async def test_the_summary_adds_up_by_licensee_and_purpose(cluster: Cluster) -> None:
    first = await cluster.decide([a_post(101, 1), a_post(102, 1)])
    await cluster.confirm(first.decision_id, bytes([0b01]))
    began_us = cluster.clock.now_us()
    cluster.clock.advance(SECOND_US)
    await cluster.decide([a_post(103, 2, (700, 1)), a_post(104, 2)])

    (sum,) = await summary(cluster, 1)

    assert (sum.licensee_id, sum.licensee_name, sum.purpose, sum.releases) == ("acme", "Acme", TRAINING, 2)
    counts = (sum.posts, sum.posts_delivered, sum.posts_undelivered, sum.posts_unconfirmed)
    assert counts == (3, 1, 1, 1)
    assert sum.first_decided_at.ToMicroseconds() == began_us
    assert sum.last_decided_at.ToMicroseconds() == began_us + SECOND_US


async def test_another_subjects_releases_look_like_nobodys(cluster: Cluster) -> None:
    await cluster.decide([a_post(101, 1)])
    request = pb.ListSubjectReleasesRequest(subject_id=1)

    seen = [
        await ask(cluster, "ListSubjectReleases", request, PrincipalKind.SUBJECT, party)
        for party in ("2", "01", "acme")
    ]

    assert seen == [pb.ListSubjectReleasesResponse()] * 3
    assert await summary(cluster, 1, asks=2) == []


async def test_an_agent_sees_the_releases_of_those_it_acts_for_and_of_nobody_else(cluster: Cluster) -> None:
    await cluster.decide([a_post(101, 1), a_post(102, 2)])

    async def told(asked: int, *subjects: int) -> tuple[int, int]:
        # The name of an agent is nobody's id.
        peer = cluster.licensing.peer(PrincipalKind.AGENT, str(asked), subjects=subjects)
        stub = DisclosureServiceStub(peer.channel)
        listed = pb.ListSubjectReleasesRequest(subject_id=asked)
        summed = pb.GetSubjectSummaryRequest(subject_id=asked)
        releases = (await peer.call(stub.ListSubjectReleases, listed)).releases
        return len(releases), len((await peer.call(stub.GetSubjectSummary, summed)).sums)

    assert await told(1, 1, 3) == (1, 1)
    assert await told(2, 1, 3) == (0, 0)


async def test_operators_of_trust_law_and_administration_see_anybodys_and_nobody_else_does(
    cluster: Cluster,
) -> None:
    await cluster.decide([a_post(101, 1)])
    request = pb.ListSubjectReleasesRequest(subject_id=1)
    operator, asked = PrincipalKind.OPERATOR, "ListSubjectReleases"

    for role in ("trust", "legal", "admin"):
        assert len((await ask(cluster, asked, request, operator, "ada", role)).releases) == 1
    for kind, role in [
        *((operator, "finance"), (PrincipalKind.LICENSEE, ""), (PrincipalKind.PIPELINE, "")),
        *((PrincipalKind.SERVICE, ""), (PrincipalKind.AUDITOR, "")),
    ]:
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            await ask(cluster, asked, request, kind, "acme", role)


async def test_an_admin_has_the_index_made_anew_and_answers_stay_what_they_were(cluster: Cluster) -> None:
    await cluster.decide([a_post(101, 1)])
    await index_all(cluster)
    before = await releases(cluster, 1)
    request = pb.RebuildReleaseIndexRequest(request_id=cluster.new_id())

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await ask(cluster, "RebuildReleaseIndex", request, PrincipalKind.OPERATOR, "ada", "trust")
    answers = [
        await ask(cluster, "RebuildReleaseIndex", request, PrincipalKind.OPERATOR, "ada", "admin")
        for _ in range(2)
    ]
    meanwhile = await releases(cluster, 1)
    await index_all(cluster)

    assert [answer.up_to_receipt_number for answer in answers] == [1, 1]
    assert before == meanwhile == await releases(cluster, 1)
