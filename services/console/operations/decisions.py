"""Releases and denials over time, and the way to one decision."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, invalid
from services.console.moments import from_us
from services.console.operations.charts import picture
from services.console.operations.counting import Counted, Stretch, count, stretches, total
from services.console.operations.decision_charts import label, outcomes_chart, reasons_chart, reasons_of
from services.console.operations.decision_wishes import Sought, Wish, read_wish, sought
from services.console.operations.words_decisions import OUTCOMES, REASONS
from services.console.stats import By
from services.console.web.asking import together
from services.console.web.page import Reading, SignedIn, page_of, shown
from services.console.web.reading import msgid
from services.console.web.words import PURPOSES, word
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub

router = APIRouter()
CHARTS = {"outcomes": outcomes_chart, "reasons": reasons_chart}
WORDS: dict[str, Any] = {
    "word": word,
    "OUTCOMES": OUTCOMES,
    "REASONS": REASONS,
    "PURPOSES": PURPOSES,
    "STRETCHES": {By.MINUTE: msgid("Minutes"), By.HOUR: msgid("Hours"), By.DAY: msgid("Days")},
    "label": label,
    "from_us": from_us,
}
"""What templates say numbers with."""
PageToken = Annotated[str, Query(max_length=500)]


@dataclass(frozen=True)
class Counts:
    """Counts as a page shows them."""

    counted: Counted
    stretches: Sequence[Stretch]
    total: Stretch

    @property
    def reasons(self) -> Counter[int]:
        """Denied posts by exact Reason."""
        return reasons_of(self.stretches)


@router.get("/decisions")
async def decisions(request: Request, session: SignedIn, page: PageToken = "") -> Response:
    """Counts over time with charts, and the decisions of the same time, newest first."""
    wish, faults = read_wish(request.query_params, page_of(request).clock.now_us())
    given: dict[str, Any] = {"wish": wish, "faults": faults, "given": request.query_params, **WORDS}
    if faults:
        return shown(request, "decisions.html", 400, **given)
    licensing = page_of(request).services.peer("licensing")
    parts = await together(counts=_counted(licensing, wish), listed=_listed(licensing, wish.request(page)))
    return shown(request, "decisions.html", page_token=page, **given, **parts)


@router.get("/decisions/chart/{name}.svg")
async def chart(
    request: Request, session: SignedIn, reader: Reading, name: str, theme: str = "light"
) -> Response:
    """One of the charts, of the same time as the page that shows it."""
    wish, faults = read_wish(request.query_params, page_of(request).clock.now_us())
    if faults or name not in CHARTS:
        raise invalid("CHART_UNKNOWN", "there is no such chart, or the address of it says no time")
    counts = await _counted(page_of(request).services.peer("licensing"), wish)
    return await picture(CHARTS[name](reader, counts.stretches, wish.by), theme)


@router.get("/decisions/find")
async def find(
    request: Request, session: SignedIn, reader: Reading, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """On to the decision that an id or a number is of; a page where there is none, or more than one."""
    licensing, wanted = page_of(request).services.peer("licensing"), sought(reader.ungrouped(q))
    found = await _found(licensing, wanted) if wanted else []
    if len(found) == 1:
        return RedirectResponse(f"/decisions/{found[0].decision_id}", 303)
    status = 200 if found else 404 if wanted else 400
    return shown(request, "decisions-found.html", status, q=q, wanted=wanted, found=found, **WORDS)


async def _counted(licensing: Peer, wish: Wish) -> Counts:
    counted = await count(licensing, wish.by, wish.since_us, wish.until_us, wish.licensee_id)
    return Counts(
        counted,
        stretches(counted.rows, wish.by, wish.since_us, wish.until_us),
        total(counted.rows, wish.since_us),
    )


async def _listed(licensing: Peer, asked: pb.ListDecisionsRequest) -> pb.ListDecisionsResponse:
    return await licensing.call(ReleaseServiceStub(licensing.channel).ListDecisions, asked)


async def _found(licensing: Peer, wanted: Sought) -> Sequence[pb.DecisionSummary | pb.Decision]:
    """The decision with the id, else those that were asked for under it, or the one with the number."""
    if not wanted.id:
        by_number = pb.ListDecisionsRequest(receipt_number=wanted.receipt_number)
        return (await _listed(licensing, by_number)).decisions
    try:
        by_id = pb.GetDecisionRequest(decision_id=wanted.id)
        return [(await licensing.call(ReleaseServiceStub(licensing.channel).GetDecision, by_id)).decision]
    except Refusal as refusal:
        if refusal.kind is not Kind.NOT_FOUND:
            raise
    return (await _listed(licensing, pb.ListDecisionsRequest(request_id=wanted.id))).decisions
