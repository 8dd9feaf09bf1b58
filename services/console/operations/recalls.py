"""Recalls: what licensees are told to delete, by when, and how it ended (W2, W3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.console.operations.deadlines import deadline
from services.console.operations.licensee_names import names_of
from services.console.operations.own_ids import NO_ID, is_name
from services.console.operations.recall_wishes import UNRESOLVED, RecallWish, Which, read_recalls
from services.console.operations.recall_wishes import WORDS as WHICH
from services.console.operations.standing import SOON_US, newest_recalls
from services.console.operations.words_recalls import GAP_KINDS, RECALL_STATES, WEBHOOK_FAULTS
from services.console.web.asking import NAME_US, Missing, asked, together
from services.console.web.page import SignedIn, page_of, shown
from services.console.web.words import word
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1.recall_pb2 import Recall, RecallState
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub

router = APIRouter()
MOST_URGENT = 200
GAPS = 50
TABLES: dict[str, Any] = {
    "word": word,
    "deadline": deadline,
    "RECALL_STATES": RECALL_STATES,
    "GAP_KINDS": GAP_KINDS,
    "WEBHOOK_FAULTS": WEBHOOK_FAULTS,
    "WHICH": WHICH,
}
"""What templates say numbers with."""
PageToken = Annotated[str, Query(max_length=500)]


@dataclass(frozen=True)
class Found:
    """Recalls as a page shows them."""

    recalls: Sequence[Recall]
    next_page_token: str = ""
    is_whole: bool = True
    """Whether all were looked through where some were picked."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of licensees; none where nobody could be asked."""


@router.get("/recalls")
async def recalls(request: Request, session: SignedIn, page: PageToken = "") -> Response:
    """Recalls, newest first; what is due soon, most urgent first."""
    wish, now_us = read_recalls(request.query_params), page_of(request).clock.now_us()
    given: dict[str, Any] = {"wish": wish, "given": request.query_params, "now_us": now_us, **TABLES}
    licensing = page_of(request).services.peer("licensing")
    if wish.faults:
        return shown(request, "recalls.html", 400, found=None, progress=None, token="", **given)
    parts = await together(found=_found(licensing, wish, page, now_us), progress=_progress(licensing))
    return shown(request, "recalls.html", token=page, **given, **parts)


@router.get("/recalls/gaps")
async def gaps(request: Request, session: SignedIn, licensee: str = "", page: PageToken = "") -> Response:
    """Releases that were made, or could still be delivered, when a withdrawal of them was known (W3)."""
    licensing, is_id = page_of(request).services.peer("licensing"), not licensee or is_name(licensee)
    wanted = pb.ListReleaseGapsRequest(licensee_id=licensee if is_id else "", page_size=GAPS, page_token=page)
    call = licensing.call(RecallServiceStub(licensing.channel).ListReleaseGaps, wanted)
    given: dict[str, Any] = {"fault": "" if is_id else NO_ID, "licensee": licensee, "token": page, **TABLES}
    return shown(request, "gaps.html", 200 if is_id else 400, found=await asked(call), **given)


def soonest(recalls: Collection[Recall], now_us: int) -> list[Recall]:
    """Those that are neither overdue nor due later than soon, the most urgent first."""
    due = [
        (recall.due_at.ToMicroseconds(), recall.number, recall)
        for recall in recalls
        if recall.state != RecallState.RECALL_STATE_OVERDUE
    ]
    within = [each for each in due if now_us < each[0] <= now_us + SOON_US]
    return [recall for _, _, recall in sorted(within, key=lambda each: each[:2])]


async def _found(licensing: Peer, wish: RecallWish, token: str, now_us: int) -> Found:
    if wish.which is Which.SOON:
        unresolved, is_whole = await newest_recalls(licensing, UNRESOLVED, wish.licensee_id)
        picked = soonest(unresolved, now_us)
        found, is_whole = picked[:MOST_URGENT], is_whole and len(picked) <= MOST_URGENT
        return Found(found, is_whole=is_whole, names=await _names(licensing, found))
    listed = await licensing.call(RecallServiceStub(licensing.channel).ListRecalls, wish.request(token))
    return Found(listed.recalls, listed.next_page_token, names=await _names(licensing, listed.recalls))


async def _names(licensing: Peer, recalls: Collection[Recall]) -> Mapping[str, str]:
    # A list without the names is one all the same.
    found = await asked(names_of(licensing, {each.licensee_id for each in recalls}), NAME_US)
    return {} if isinstance(found, Missing) else found


async def _progress(licensing: Peer) -> pb.GetRecallProgressResponse:
    stub = RecallServiceStub(licensing.channel)
    return await licensing.call(stub.GetRecallProgress, pb.GetRecallProgressRequest())
