"""The no that a browser says for its reader (Global Privacy Control), put on record without being asked for.

Consent keeps it the first time that it comes (C1): a yes that is said later lifts it, and no later page takes
that back. It is never in the way of anything that its reader does here.
"""

from fastapi import Request

from services.chassis.dialing import Peer
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from services.console.settings_page.sentences import SIGNAL_KEPT, SIGNAL_NOT_KEPT
from services.console.settings_page.subject_ids import subject_id_in
from services.console.web.page import page_of, reader
from services.console.web.reading import instant
from services.console.web.sessions import Session
from services.console.web.telling import moment_in
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

BROWSER = "browser"
"""The source under which consent keeps what the reader's browser objects to."""
_NEEDLESS = frozenset({"SUBJECT_ERASED"})
"""Refusals after which everything is denied already."""


def objects(request: Request) -> bool:
    """Whether the browser says no: "1" alone says so."""
    return request.headers.get("sec-gpc", "").strip(" \t") == "1"


async def record_signal(consent: Peer, subject_id: int, request_id: str) -> pb.RecordSignalsResponse:
    """Records the objection of the reader's browser (GPC, C1); raises Refusal."""
    request = pb.RecordSignalsRequest(
        request_id=request_id, subject_id=subject_id, source=BROWSER, sec_gpc="1"
    )
    return await consent.call(ConsentServiceStub(consent.channel).RecordSignals, request)


async def honoured(request: Request, session: Session) -> str:
    """Records what the browser of a subject objects to; a sentence where there is something to say of it.

    An agent's browser speaks for its agent, and for nobody they act for.
    """
    subject_id = subject_id_in(session.party) if session.kind == "subject" else None
    if subject_id is None or not objects(request):
        return ""
    page = page_of(request)
    try:
        answer = await record_signal(page.services.peer("consent"), subject_id, uuid7(page.clock.now_us()))
    except Refusal as refusal:
        return "" if refusal.reason in _NEEDLESS else reader(request).say(SIGNAL_NOT_KEPT)
    if not answer.recorded:
        return ""
    return reader(request).say(SIGNAL_KEPT, moment=moment_in(instant(answer.in_force_after)))
