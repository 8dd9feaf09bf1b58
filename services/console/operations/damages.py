"""Liquidated damages: assessments on record, and everything about one (D1 to D4)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.console.damages_calls import assessment_of
from services.console.operations.assessments import TABLES, assessment_in, is_waiting, steps
from services.console.operations.dispute_steps import offered
from services.console.operations.own_ids import NO_ID, is_name
from services.console.operations.readings import reading_tables
from services.console.web.asking import asked, together
from services.console.web.page import SignedIn, page_of, shown
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1 import dispute_service_pb2 as disputes
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub
from sluice.metering.v1.usage_pb2 import UsageOf

router = APIRouter()
PAGE, NOTICES, STEPS = 50, 50, 50
MOST_LINES = 100
"""Periods, parties and stretches that a page shows of an assessment; its document has all."""
Name = Annotated[str, Query(max_length=100)]
PageToken = Annotated[str, Query(max_length=500)]


@router.get("/damages")
async def damages(
    request: Request, session: SignedIn, kind: str = "party", id: Name = "", page: PageToken = ""
) -> Response:
    """Assessments, latest first: all, or those of a party or a group."""
    of, metering = whose(kind, id.strip()), page_of(request).services.peer("metering")
    given: dict[str, Any] = {"kind": kind, "id": id.strip(), "token": page, **TABLES}
    if id.strip() and of is None:
        return shown(request, "damages.html", 400, found=None, fault=NO_ID, **given)
    wanted = pb.ListAssessmentsRequest(of=of, page_size=PAGE, page_token=page)
    call = metering.call(DamagesServiceStub(metering.channel).ListAssessments, wanted)
    return shown(request, "damages.html", found=await asked(call), fault="", **given)


@router.get("/damages/{id}")
async def one(request: Request, session: SignedIn, id: str, steps_page: PageToken = "") -> Response:
    """What is claimed, of whom and why, what else it might be, and what became of it."""
    metering = page_of(request).services.peer("metering")
    found = await assessment_of(metering, assessment_in(id))
    parts = await together(
        steps=steps(metering, id, steps_page, STEPS),
        waiting=steps(metering, id, size=1),
        notices=_notices(metering, id),
    )
    waits = next(filter(is_waiting, parts["waiting"].steps), None) if parts["waiting"] else None
    given: dict[str, Any] = {"readings": reading_tables(found), "waits": waits, "token": steps_page}
    may = offered(found, session) if waits is None else []
    return shown(
        request, "assessment.html", found=found, most=MOST_LINES, offered=may, **given, **parts, **TABLES
    )


def whose(kind: str, id: str) -> UsageOf | None:
    """A party or a group; None where it names neither."""
    if not is_name(id):
        return None
    return UsageOf(group_id=id) if kind == "group" else UsageOf(party_id=id)


async def _notices(metering: Peer, assessment_id: str) -> disputes.ListNoticesResponse:
    """The latest of them."""
    request = disputes.ListNoticesRequest(assessment_id=assessment_id, page_size=NOTICES)
    return await metering.call(DisputeServiceStub(metering.channel).ListNotices, request)
