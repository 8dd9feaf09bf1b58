"""The pages of an agent: whom they act for, and one choice for many of them.

Ids of subjects are in forms and on pages, and never in addresses.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from services.chassis.refusals import precondition
from services.console.settings_page.agent_forms import LARGEST_LIST, Filled, understood
from services.console.settings_page.agent_notices import Notice, notice_in_force, policy_in_force
from services.console.settings_page.bulk import Bulk, record_all
from services.console.settings_page.represented import how_they_stand, part_of
from services.console.settings_page.texts import Texts
from services.console.settings_page.whose import PageToken, SignedInAgent
from services.console.web import words
from services.console.web.page import Reading, done, form_of, page_of, shown
from services.console.web.reading import msgid
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

FILLED, RECORD = "agent-filled", "agent-record"
LONGEST_FORM = 50_000
"""Characters of the sealed field; 256 subjects with long ids take some 8,000."""
LARGEST_FORMS = {"/agent/check": 3 * LARGEST_LIST}
"""Bytes by path: a list may come as text and as a file, the text with three bytes for each comma."""
CHANGED = msgid("Nothing was recorded: another policy is in force now. Look at its notice, and choose again.")


async def _filled(
    *,
    whom: Annotated[str, Form(max_length=10)],
    wish: Annotated[str, Form(max_length=20)],
    licensee_id: Annotated[str, Form(max_length=100)] = "",
    listed: Annotated[str, Form()] = "",
    file: UploadFile | None = None,
) -> Filled:
    content = await file.read(LARGEST_LIST + 1) if file else b""
    return Filled(whom, listed, content, wish, licensee_id)


FilledForm = Annotated[Filled, Depends(_filled)]
Sealed = Annotated[str, Form(max_length=LONGEST_FORM)]


def acting(texts: Texts) -> APIRouter:
    """The routes, over the platform's texts."""
    router = APIRouter()

    @router.get("/agent")
    async def agent(request: Request, session: SignedInAgent, token: PageToken) -> HTMLResponse:
        """Those they act for, and the form."""
        part = part_of(session.subjects, token)
        consent = page_of(request).services.peer("consent")
        stub = ConsentServiceStub(consent.channel)
        represented = await how_they_stand(
            part.subjects, lambda one: consent.call(stub.GetChoices, pb.GetChoicesRequest(subject_id=one))
        )
        return shown(
            request, "agent.html", part=part, token=token, represented=represented, action=FILLED, words=words
        )

    @router.post("/agent/check")
    async def check(
        request: Request, session: SignedInAgent, reader: Reading, filled: FilledForm, form: Sealed
    ) -> HTMLResponse:
        """Says for whom what would be recorded, and shows the notice before a yes; nothing is recorded."""
        form_of(request, session, FILLED, form)
        found, notice = understood(filled, session.subjects), None
        if found.bulk.allows and found.bulk.subjects:
            consent = page_of(request).services.peer("consent")
            notice = await notice_in_force(consent, found.bulk.subjects[0], texts, reader.language)
            found = replace(found, bulk=_informed(found.bulk, notice))
        return shown(request, "agent-check.html", found=found, notice=notice, action=RECORD, words=words)

    @router.post("/agent/record")
    async def record(request: Request, session: SignedInAgent, reader: Reading, form: Sealed) -> Response:
        """Has it recorded, and says what became of it; the same form sent again repeats the same requests."""
        opened = form_of(request, session, RECORD, form)
        consent, bulk = page_of(request).services.peer("consent"), Bulk.of(opened.seen)
        stub = ConsentServiceStub(consent.channel)
        if bulk.allows and await policy_in_force(consent, bulk.subjects[0]) != bulk.policy:
            return done(request, "/agent", reader.say(CHANGED))
        outcomes = await record_all(
            bulk, opened.request_id, lambda asked: consent.call(stub.RecordChoice, asked)
        )
        return shown(request, "agent-recorded.html", bulk=bulk, outcomes=outcomes, form=form, words=words)

    return router


def _informed(bulk: Bulk, notice: Notice | None) -> Bulk:
    """A yes of somebody who is shown the notice; raises Refusal (precondition, NOTICE_MISSING)."""
    if notice is None:
        raise precondition("NOTICE_MISSING", "there is no notice here that the policy in force accepts")
    return replace(bulk, notice_digest=notice.text.digest.hex(), policy=notice.policy)
