"""Recalls as they are issued, and the gaps on record: over gRPC, on each engine (W2, W3)."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.licensing.domain.recalls.recalls import Gap
from sluice.licensing.v1 import recall_pb2
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.recalls import (
    ACME,
    AUDITOR,
    BETA,
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

    assert await watched(service, ACME, 2) == [(1, True), (2, True)]
    assert await watched(service, BETA, 1, after=1) == [(2, True)]
    assert await watched(service, LEGAL, 2, after=2) == [(3, True), (4, True)]
    assert await watched(service, BETA, 1, licensee_id="acme") == [(0, False)]
    with pytest.raises(Refusal, match="CURSOR_AHEAD"):
        await watched(service, ACME, 1, after=3)


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
