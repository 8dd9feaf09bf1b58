"""Recalls as licensees and operators meet them: over gRPC, on each engine (W2, W3)."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.refusals import Kind, Refusal
from services.licensing.storage import recall_entries
from sluice.licensing.v1 import recall_pb2
from sluice.licensing.v1 import recall_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.recalls import (
    ACME,
    AUDITOR,
    BETA,
    DAY_US,
    LEGAL,
    Shelf,
    decision_id,
    serving_recalls,
)
from tests.support.recalls import call_recalls as call


@pytest_asyncio.fixture
async def service(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving_recalls(database, clock, tmp_path) as server:
        yield server


async def listed(service: LocalServer, who: tuple[Any, ...] = LEGAL, **fields: Any) -> list[int]:
    answer = await call(service, who, "ListRecalls", pb.ListRecallsRequest(**fields))
    return [recall.number for recall in answer.recalls]


def a_resolution(
    outcome: int = recall_pb2.RECALL_STATE_DELETED, **fields: Any
) -> recall_pb2.RecallResolution:
    said: dict[str, Any] = {"name": "A Name", "role": "DPO", "statement": "deleted everywhere", **fields}
    return recall_pb2.RecallResolution(outcome=outcome, attestation=recall_pb2.Attestation(**said))  # type: ignore[arg-type]


async def resolve(
    service: LocalServer, recall_id: str, resolution: recall_pb2.RecallResolution, who: tuple[Any, ...] = ACME
) -> recall_pb2.Recall:
    request = pb.ResolveRecallRequest(recall_id=recall_id, resolution=resolution)
    recall: recall_pb2.Recall = (await call(service, who, "ResolveRecall", request)).recall
    return recall


async def test_recalls_are_listed_newest_first_page_by_page_and_by_state(
    service: LocalServer, shelf: Shelf
) -> None:
    recalls = [shelf.recall("acme"), shelf.recall("beta"), shelf.recall("acme")]
    await call(service, ACME, "AcknowledgeRecall", pb.AcknowledgeRecallRequest(recall_id=recalls[0]))

    first = await call(service, LEGAL, "ListRecalls", pb.ListRecallsRequest(page_size=2))
    rest = await call(
        service, LEGAL, "ListRecalls", pb.ListRecallsRequest(page_size=2, page_token=first.next_page_token)
    )

    told = [(recall.licensee_id, recall.number) for recall in (*first.recalls, *rest.recalls)]
    assert told == [("acme", 2), ("beta", 1), ("acme", 1)], "of how many others get nobody is told"
    assert rest.next_page_token == ""
    assert await listed(service, states=["RECALL_STATE_ACKNOWLEDGED"]) == [1]
    assert await listed(service, licensee_id="beta") == [1]
    assert await listed(service, AUDITOR) == [2, 1, 1]


async def test_w2_a_licensee_sees_their_own_and_anothers_look_like_those_that_are_not_there(
    service: LocalServer, shelf: Shelf
) -> None:
    shelf.decisions(1)
    recall_id = shelf.recall("acme", posts={1: [7]})
    not_there = str(uuid.uuid4())

    assert await listed(service, ACME) == [1]
    assert await listed(service, BETA) == []
    assert await listed(service, BETA, licensee_id="acme") == []
    for id, who in ((recall_id, BETA), (not_there, ACME), (not_there, LEGAL)):
        for rpc, request in (
            ("GetRecall", pb.GetRecallRequest(recall_id=id)),
            ("ListRecallEntries", pb.ListRecallEntriesRequest(recall_id=id)),
            ("AcknowledgeRecall", pb.AcknowledgeRecallRequest(recall_id=id)),
            ("ResolveRecall", pb.ResolveRecallRequest(recall_id=id, resolution=a_resolution())),
        ):
            with pytest.raises(Refusal) as refused:
                await call(service, who, rpc, request)
            expected = (Kind.NOT_FOUND, "RECALL_UNKNOWN")
            if who is LEGAL and rpc in {"AcknowledgeRecall", "ResolveRecall"}:
                expected = (Kind.FORBIDDEN, "NOT_ADMITTED")
            assert (refused.value.kind, refused.value.reason) == expected


async def test_w2_what_is_still_collected_is_not_there_for_anybody(
    service: LocalServer, shelf: Shelf
) -> None:
    recall_id = str(uuid.uuid4())
    shelf.collect(recall_id)

    assert await listed(service, LEGAL) == []
    for who in (ACME, LEGAL, AUDITOR):
        with pytest.raises(Refusal, match="RECALL_UNKNOWN"):
            await call(service, who, "GetRecall", pb.GetRecallRequest(recall_id=recall_id))
    with pytest.raises(Refusal, match="RECALL_UNKNOWN"):
        await resolve(service, recall_id, a_resolution())
    progress = await call(service, LEGAL, "GetRecallProgress", pb.GetRecallProgressRequest())
    assert progress.recalls_collecting == 1


async def test_w2_entries_name_releases_and_posts_and_nothing_of_whose_withdrawal_it_is(
    service: LocalServer, shelf: Shelf
) -> None:
    shelf.decisions(4, 9)
    recall_id = shelf.recall("acme", posts={4: [5, 2**63 + 1], 9: [1]}, subject_id=7_777_777_777)

    answer = await call(service, ACME, "ListRecallEntries", pb.ListRecallEntriesRequest(recall_id=recall_id))

    (entry,) = answer.entries
    assert [(each.decision_id, each.license_id) for each in entry.releases] == [
        (decision_id(4), "acme-training"),
        (decision_id(9), "acme-training"),
    ]
    assert np.frombuffer(entry.releases[0].post_ids, "<u8").tolist() == [5, 2**63 + 1]
    assert np.frombuffer(entry.releases[1].post_ids, "<u8").tolist() == [1]
    assert {field.name for field in recall_pb2.RecallEntry.DESCRIPTOR.fields} == {"withdrawal_id", "releases"}
    said = answer.SerializeToString()
    assert b"7777777777" not in said
    assert (7_777_777_777).to_bytes(8, "little") not in said


async def all_entries(
    service: LocalServer, recall_id: str, page_size: int
) -> tuple[list[tuple[str, int]], list[int]]:
    """(withdrawal id, first post) of each entry, and how many each page had."""
    token, found, sizes = "", [], []
    while True:
        request = pb.ListRecallEntriesRequest(recall_id=recall_id, page_size=page_size, page_token=token)
        page = await call(service, ACME, "ListRecallEntries", request)
        for entry in page.entries:
            post = int(np.frombuffer(entry.releases[0].post_ids, "<u8")[0])
            found.append((entry.withdrawal_id, post))
        sizes.append(len(page.entries))
        token = page.next_page_token
        if not token:
            return found, sizes


async def test_entries_come_in_pages_by_ids_that_are_chance_and_none_is_left_out(
    service: LocalServer, shelf: Shelf
) -> None:
    shelf.decisions(1, 2, 3)
    recall_id = str(uuid.uuid4())
    shelf.collect(recall_id)
    put = [(shelf.entry(recall_id, {1: [post]}), post) for post in range(10, 15)]
    large = shelf.entry(recall_id, {2: [20]})
    shelf.entry(recall_id, {3: [21]}, withdrawal_id=large, part=1)
    shelf.issue(recall_id)

    found, sizes = await all_entries(service, recall_id, 3)

    assert found == sorted([*put, (large, 20), (large, 21)])
    assert sizes == [3, 3, 1]


async def test_a_page_of_entries_ends_early_when_it_has_many_posts_or_releases(
    service: LocalServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall_entries, "POSTS_A_PAGE", 5)
    monkeypatch.setattr(recall_entries, "RELEASES_A_PAGE", 3)
    shelf.decisions(*range(1, 5))
    recall_id = str(uuid.uuid4())
    shelf.collect(recall_id)
    ids = sorted(str(uuid.uuid4()) for _ in range(5))
    # Posts: 9, 3, 2, 1, 4; releases: 1, 1, 1, 1, 4.
    some: list[dict[int, list[int]]] = [
        *({1: list(range(count))} for count in (9, 3, 2)),
        *({2: [1]}, {1: [1], 2: [1], 3: [1], 4: [1]}),
    ]
    for id, posts in zip(ids, some, strict=True):
        shelf.entry(recall_id, posts, withdrawal_id=id)
    shelf.issue(recall_id)

    found, sizes = await all_entries(service, recall_id, 100)

    assert [id for id, _ in found] == ids
    assert sizes == [1, 2, 1, 1]


async def test_w3_a_recall_is_acknowledged_once_and_then_resolved(
    service: LocalServer, shelf: Shelf, clock: ManualClock
) -> None:
    recall_id = shelf.recall()
    request = pb.AcknowledgeRecallRequest(recall_id=recall_id)
    clock.advance(5)
    first = (await call(service, ACME, "AcknowledgeRecall", request)).recall
    clock.advance(5)

    again = (await call(service, ACME, "AcknowledgeRecall", request)).recall
    ended = await resolve(service, recall_id, a_resolution(document_digest=b"d" * 32))

    assert (again, first.state) == (first, recall_pb2.RECALL_STATE_ACKNOWLEDGED)
    assert first.acknowledged_at.ToMicroseconds() == NOON_US + 5
    assert (ended.state, ended.acknowledged_at) == (recall_pb2.RECALL_STATE_DELETED, first.acknowledged_at)
    assert ended.resolution.resolved_at.ToMicroseconds() == NOON_US + 10
    assert ended.resolution.resolved_by == "licensee:acme"
    assert ended.resolution.attestation.document_digest == b"d" * 32
    assert (await call(service, LEGAL, "GetRecall", pb.GetRecallRequest(recall_id=recall_id))).recall == ended


async def test_w3_the_first_resolution_stands(service: LocalServer, shelf: Shelf, clock: ManualClock) -> None:
    recall_id = shelf.recall()
    first = await resolve(service, recall_id, a_resolution())
    clock.advance(5)

    assert await resolve(service, recall_id, a_resolution()) == first
    for other in (a_resolution(recall_pb2.RECALL_STATE_REFUSED), a_resolution(name="Bob")):
        with pytest.raises(Refusal) as refused:
            await resolve(service, recall_id, other)
        assert refused.value.kind is Kind.ALREADY_EXISTS
        assert refused.value.reason == "RECALL_RESOLVED_OTHERWISE"


async def test_w3_of_two_resolutions_that_come_at_once_one_stands(service: LocalServer, shelf: Shelf) -> None:
    recall_id = shelf.recall()

    outcomes = await asyncio.gather(
        *(resolve(service, recall_id, a_resolution(statement=words)) for words in "abab"),
        return_exceptions=True,
    )

    told = [outcome for outcome in outcomes if isinstance(outcome, recall_pb2.Recall)]
    assert len(told) == 2
    assert told[0] == told[1]


async def test_w3_an_overdue_recall_can_be_resolved(
    service: LocalServer, shelf: Shelf, clock: ManualClock
) -> None:
    recall_id = shelf.recall()
    clock.advance(31 * DAY_US)

    ended = await resolve(service, recall_id, a_resolution(recall_pb2.RECALL_STATE_CANNOT_UNTRAIN))

    assert ended.state == recall_pb2.RECALL_STATE_CANNOT_UNTRAIN
    assert ended.HasField("overdue_at")


@pytest.mark.parametrize(
    ("resolution", "field"),
    [
        (recall_pb2.RecallResolution(outcome=recall_pb2.RECALL_STATE_DELETED), "resolution.attestation"),
        (a_resolution(name=""), "resolution.attestation.name"),
        (a_resolution(role="a\nb"), "resolution.attestation.role"),
        (a_resolution(statement=""), "resolution.attestation.statement"),
        (a_resolution(document_digest=b"short"), "resolution.attestation.document_digest"),
        (a_resolution(recall_pb2.RECALL_STATE_ACKNOWLEDGED), "resolution.outcome"),
    ],
)
async def test_a_resolution_that_nobody_stands_for_is_refused_with_the_field(
    service: LocalServer, shelf: Shelf, resolution: recall_pb2.RecallResolution, field: str
) -> None:
    recall_id = shelf.recall()

    with pytest.raises(Refusal) as refused:
        await resolve(service, recall_id, resolution)

    assert refused.value.reason == "INVALID_REQUEST"
    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize(
    "token", ["nonsense", "LTE=", "MDE=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "YS9i", "Lw=="]
)
async def test_a_token_that_no_page_had_is_refused(service: LocalServer, shelf: Shelf, token: str) -> None:
    recall_id = shelf.recall()

    for rpc, request in (
        ("ListRecalls", pb.ListRecallsRequest(page_token=token)),
        ("ListRecallEntries", pb.ListRecallEntriesRequest(recall_id=recall_id, page_token=token)),
        ("ListReleaseGaps", pb.ListReleaseGapsRequest(page_token=token)),
    ):
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await call(service, AUDITOR, rpc, request)
