"""Begins a session: a token is shown to consent once, and then kept in the session.

While consent does not answer, licensing says who an operator is: suspending a license and raising the login
wall need no consent, and must be open to whoever has to come in for that.
"""

from collections.abc import Collection

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.refusals import Kind, Refusal, forbidden
from services.console.web.calling import Services, call_as
from services.console.web.own_paths import own_path
from services.console.web.page import page_of
from services.console.web.sessions import Session, sealed_session
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.licensing.v1 import caller_service_pb2
from sluice.licensing.v1.caller_service_pb2_grpc import CallerServiceStub

OPERATOR = "operator"
_NO_ANSWER = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED})


async def sign_in(request: Request, token: str, kinds: Collection[str], where: str) -> Response:
    """Begins the session of a token and goes on.

    It takes the place of any earlier one, whose forms are stale from then on. Raises Refusal: what the
    services say of the token, and (forbidden, WRONG_KIND) where the page is not for callers of its kind.
    """
    page = page_of(request)
    call_as(token)
    caller = await _caller(page.services, kinds)
    if caller.kind not in kinds:
        raise forbidden("WRONG_KIND", f"this page is not for callers of the kind {caller.kind}")
    response = RedirectResponse(own_path(where), 303)
    page.set_cookie(response, "session", sealed_session(page.seal, Session.begin(token, caller)))
    return response


async def _caller(services: Services, kinds: Collection[str]) -> pb.GetCallerResponse:
    consent = services.peer("consent")
    try:
        return await consent.call(ConsentServiceStub(consent.channel).GetCaller, pb.GetCallerRequest())
    except Refusal as refusal:
        if refusal.kind not in _NO_ANSWER or OPERATOR not in kinds:
            raise
    licensing, asked = services.peer("licensing"), caller_service_pb2.GetCallerRequest()
    found = await licensing.call(CallerServiceStub(licensing.channel).GetCaller, asked)
    return pb.GetCallerResponse(
        kind=found.kind, party=found.party, roles=found.roles, expires_at=found.expires_at
    )
