"""The first page: how everything stands, and what waits for somebody."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.console.web.page import SignedIn, page_of, shown
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub

router = APIRouter()


@router.get("/")
async def overview(request: Request, session: SignedIn) -> HTMLResponse:
    """Halts in force."""
    peer = page_of(request).services.peer("consent")
    found = await peer.call(StateServiceStub(peer.channel).ListHalts, pb.ListHaltsRequest())
    return shown(
        request, "overview.html", halts=[halt for halt in found.halts if not halt.HasField("lifted_at")]
    )
