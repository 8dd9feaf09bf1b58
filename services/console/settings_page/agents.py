"""The pages of an agent: whom they act for, and one choice for many of them.

Ids of subjects are in forms and on pages, and never in addresses.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import HTMLResponse

from services.console.settings_page.agent_forms import LARGEST_LIST, Filled, understood
from services.console.settings_page.bulk import Bulk, record_all
from services.console.settings_page.represented import how_they_stand, part_of
from services.console.settings_page.whose import PageToken, SignedInAgent
from services.console.web import words
from services.console.web.page import form_of, page_of, shown
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

ACTION = "agent-record"

router = APIRouter()


async def _filled(
    *,
    whom: Annotated[str, Form(max_length=10)],
    about: Annotated[str, Form(max_length=20)],
    licensee_id: Annotated[str, Form(max_length=100)] = "",
    listed: Annotated[str, Form()] = "",
    file: UploadFile | None = None,
) -> Filled:
    content = await file.read(LARGEST_LIST + 1) if file else b""
    return Filled(whom, listed, content, about, licensee_id)


@router.get("/agent")
async def agent(request: Request, session: SignedInAgent, token: PageToken) -> HTMLResponse:
    """Those they act for, and the form."""
    part = part_of(session.subjects, token)
    peer = page_of(request).services.peer("consent")
    stub = ConsentServiceStub(peer.channel)
    represented = await how_they_stand(
        part.subjects, lambda one: peer.call(stub.GetChoices, pb.GetChoicesRequest(subject_id=one))
    )
    return shown(request, "agent.html", part=part, token=token, represented=represented, words=words)


@router.post("/agent/check")
async def check(
    request: Request,
    session: SignedInAgent,
    form: Annotated[Filled, Depends(_filled)],
) -> HTMLResponse:
    """Says for whom what would be recorded; nothing is."""
    found = understood(form, session.subjects)
    return shown(request, "agent-check.html", found=found, action=ACTION, words=words)


@router.post("/agent/record")
async def record(
    request: Request, session: SignedInAgent, form: Annotated[str, Form(max_length=50_000)]
) -> HTMLResponse:
    """Has it recorded, and says what became of it; the same form sent again repeats the same requests."""
    opened = form_of(request, session, ACTION, form)
    peer = page_of(request).services.peer("consent")
    stub = ConsentServiceStub(peer.channel)
    bulk = Bulk.of(opened.seen)
    outcomes = await record_all(bulk, opened.request_id, lambda asked: peer.call(stub.RecordChoice, asked))
    return shown(request, "agent-recorded.html", bulk=bulk, outcomes=outcomes, form=form, words=words)
