"""Begins a session: a token is shown to consent once, and then kept in the session."""

from collections.abc import Collection

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.refusals import forbidden
from services.console.web.calling import call_as
from services.console.web.own_paths import own_path
from services.console.web.page import page_of, tell
from services.console.web.sessions import Session, sealed_session
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub


async def sign_in(request: Request, token: str, kinds: Collection[str], where: str) -> Response:
    """Begins the session of a token and goes on.

    It takes the place of any earlier one, whose forms are stale from then on. Raises Refusal: what consent
    says of the token, and (forbidden, WRONG_KIND) where the page is not for callers of its kind. What the
    page does besides (`Page.begun`) is told on the next one.
    """
    page = page_of(request)
    call_as(token)
    peer = page.services.peer("consent")
    caller = await peer.call(ConsentServiceStub(peer.channel).GetCaller, pb.GetCallerRequest())
    if caller.kind not in kinds:
        raise forbidden("WRONG_KIND", f"this page is not for callers of the kind {caller.kind}")
    session = Session.begin(token, caller)
    sealed, response = sealed_session(page.seal, session), RedirectResponse(own_path(where), 303)
    if said := await page.begun(request, session):
        tell(request, response, session, said)
    page.set_cookie(response, "session", sealed)
    return response
