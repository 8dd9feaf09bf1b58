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
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.recalls.recalls import Gap
from services.licensing.recall_watching import RecallWatch
from services.licensing.recalling import RecallDesk
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.recalls import bolt
from services.licensing.storage import recall_entries
from services.licensing.storage.recall_answers import RecallAnswerStore
from sluice.licensing.v1 import recall_pb2
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.recalls import DAY_US, NoFollowing, Shelf, decision_id

ACME = (PrincipalKind.LICENSEE, "acme")
BETA = (PrincipalKind.LICENSEE, "beta")
LEGAL = (PrincipalKind.OPERATOR, "ada", ("legal",))
AUDITOR = (PrincipalKind.AUDITOR, "eve")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def shelf(database: Database) -> Shelf:
    shelf = Shelf(database)
    shelf.licensees("acme", "beta")
    return shelf


@pytest_asyncio.fixture
async def service(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[LocalServer]:
    store = RecallAnswerStore(database)
    desk, watch = RecallDesk(store, NoFollowing(), clock), RecallWatch(store, look_seconds=0.01)
    async with serving(tmp_path, bolt(desk, watch), admissions=ADMISSIONS, clock=clock) as server:
        yield server


async def call(service: LocalServer, who: tuple[Any, ...], rpc: str, request: Any) -> Any:
    peer = service.peer(*who)
    return await peer.call(getattr(RecallServiceStub(peer.channel), rpc), request)


async def listed(service: LocalServer, who: tuple[Any, ...] = LEGAL, **fields: Any) -> list[int]:
    answer = await call(service, who, "ListRecalls", pb.ListRecallsRequest(**fields))
    return [recall.number for recall in answer.recalls]


def a_resolution(
    outcome: int = recall_pb2.RECALL_STATE_DELETED, **fields: Any
) -> recall_pb2.RecallResolution:
    said: dict[str, Any] = {"name": "Ann Lee", "role": "DPO", "statement": "deleted everywhere", **fields}
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

    assert [recall.number for recall in (*first.recalls, *rest.recalls)] == [3, 2, 1]
    assert rest.next_page_token == ""
    assert await listed(service, states=["RECALL_STATE_ACKNOWLEDGED"]) == [1]
    assert await listed(service, licensee_id="beta") == [2]
    assert await listed(service, AUDITOR) == [3, 2, 1]


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


async def watched(
    service: LocalServer, who: tuple[Any, ...], count: int, **fields: Any
) -> list[tuple[int, bool]]:
    """The first steps: their numbers, and whether they have a recall."""
    peer, taken = service.peer(*who), []
    request = pb.WatchRecallsRequest(**fields)
    async with peer.open(RecallServiceStub(peer.channel).WatchRecalls, request) as stream:
        async for step in stream:
            taken.append((step.number, step.HasField("recall")))
            if len(taken) == count:
                break
    return taken


async def test_w2_recalls_are_told_as_they_are_issued_and_anothers_are_passed_over(
    service: LocalServer, shelf: Shelf
) -> None:
    for licensee in ("acme", "beta", "acme", "beta"):
        shelf.recall(licensee)

    assert await watched(service, ACME, 3) == [(1, True), (3, True), (4, False)]
    assert await watched(service, BETA, 1, after=2) == [(4, True)]
    assert await watched(service, LEGAL, 2, after=2) == [(3, True), (4, True)]
    assert await watched(service, BETA, 1, licensee_id="acme") == [(4, False)]
    with pytest.raises(Refusal, match="CURSOR_AHEAD"):
        await watched(service, ACME, 1, after=5)


async def test_w2_whoever_waits_is_told_of_the_next_recall(service: LocalServer, shelf: Shelf) -> None:
    following = asyncio.create_task(watched(service, ACME, 2))
    while not following.done():
        await asyncio.sleep(0.02)
        if not await listed(service, ACME):
            shelf.recall("acme")

    assert following.result()[-1] == (1, True)


async def test_streams_end_well_when_the_process_is_told_to_stop(service: LocalServer, shelf: Shelf) -> None:
    peer = service.peer(*ACME)
    async with peer.open(RecallServiceStub(peer.channel).WatchRecalls, pb.WatchRecallsRequest()) as stream:
        steps = aiter(stream)
        first = await anext(steps)
        await service.drain()

        rest = [step async for step in steps]

    assert (first.number, rest) == (0, [])


async def gaps(service: LocalServer, **fields: Any) -> pb.ListReleaseGapsResponse:
    answer: pb.ListReleaseGapsResponse = await call(
        service, AUDITOR, "ListReleaseGaps", pb.ListReleaseGapsRequest(**fields)
    )
    return answer


async def test_w3_gaps_are_listed_newest_withdrawal_first_with_what_happened_when(
    service: LocalServer, shelf: Shelf
) -> None:
    shelf.decisions(1, 2, 3)
    recall_id = str(uuid.uuid4())
    shelf.collect(recall_id)
    shelf.entry(recall_id, {1: [5]})
    old = shelf.entry(recall_id, {1: [5, 6], 2: [7], 3: [8]}, gaps={1: Gap.PERMIT_OPEN, 3: Gap.DECIDED_AFTER})
    new = shelf.entry(None, {2: [9]}, licensee_id="beta", gaps={2: Gap.PERMIT_OPEN})
    shelf.issue(recall_id)

    found = (await gaps(service)).gaps

    open_permit, after = recall_pb2.ReleaseGap.KIND_PERMIT_OPEN, recall_pb2.ReleaseGap.KIND_DECIDED_AFTER
    assert [(gap.withdrawal_id, gap.decision_id, gap.kind, gap.posts) for gap in found] == [
        (new, decision_id(2), open_permit, 1),
        (old, decision_id(1), open_permit, 2),
        (old, decision_id(3), after, 1),
    ]
    assert [gap.recall_id for gap in found] == ["", recall_id, recall_id]
    assert found[0].withdrawn_at.ToMicroseconds() == NOON_US + 3
    assert found[0].not_after.ToMicroseconds() == NOON_US + 30_000_000
    assert [gap.licensee_id for gap in (await gaps(service, licensee_id="beta")).gaps] == ["beta"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
async def test_w3_gaps_come_in_pages_and_none_is_left_out(
    service: LocalServer, shelf: Shelf, page_size: int
) -> None:
    shelf.decisions(*range(1, 6))
    for count in (1, 4, 2, 5):
        posts = {number: [number] for number in range(1, count + 1)}
        shelf.entry(None, posts, gaps=dict.fromkeys(posts, Gap.PERMIT_OPEN))
    everything = [(gap.withdrawal_id, gap.decision_id) for gap in (await gaps(service)).gaps]

    token, found = "", []
    while True:
        page = await gaps(service, page_size=page_size, page_token=token)
        found += [(gap.withdrawal_id, gap.decision_id) for gap in page.gaps]
        token = page.next_page_token
        if not token:
            break

    assert len(everything) == len(set(everything)) == 12
    assert found == everything


async def test_how_far_withdrawals_were_followed_is_told(service: LocalServer) -> None:
    progress = await call(service, AUDITOR, "GetRecallProgress", pb.GetRecallProgressRequest())

    assert progress == pb.GetRecallProgressResponse(
        fence={"epoch": 0, "number": 0},
        scanned={"epoch": 0},
        followed={"epoch": 0},
    )


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
