"""What a subject has chosen, and the switches by which they choose."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.web.page import SignedIn, page_of, shown
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

router = APIRouter()


@router.get("/")
async def choices(request: Request, session: SignedIn) -> Response:
    """The page that everything else hangs on: it needs consent alone. An agent has one of their own."""
    if session.kind == "agent":
        return RedirectResponse("/agent", 303)
    peer = page_of(request).services.peer("consent")
    asked = pb.GetChoicesRequest(subject_id=int(session.party))
    found = await peer.call(ConsentServiceStub(peer.channel).GetChoices, asked)
    return shown(request, "choices.html", found=found)
