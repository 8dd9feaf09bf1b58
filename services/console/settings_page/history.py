"""Everything that a subject ever chose, page by page: consent alone is asked."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.console.settings_page.whose import OwnSubject, PageToken
from services.console.settings_page.words_records import recorder
from services.console.web import words
from services.console.web.page import page_of, shown
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

PAGE = 25
"""Choices."""

router = APIRouter()


@router.get("/history")
async def history(request: Request, subject_id: OwnSubject, token: PageToken) -> HTMLResponse:
    """The newest first."""
    peer = page_of(request).services.peer("consent")
    asked = pb.ListChoiceHistoryRequest(subject_id=subject_id, page_size=PAGE, page_token=token)
    found = await peer.call(ConsentServiceStub(peer.channel).ListChoiceHistory, asked)
    return shown(request, "history.html", found=found, token=token, words=words, recorder=recorder)
