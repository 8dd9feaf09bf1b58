"""Begins a session: a token is shown to consent once, and then kept in the session.

While consent does not answer, licensing says who an operator is: suspending a license and raising the login
wall need no consent, and must be open to whoever has to come in for that.
"""

from collections.abc import Collection

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.refusals import Kind, Refusal, forbidden
from services.console.web.calling import Services, call_as
from services.console.web.failing import STATUSES
from services.console.web.own_paths import own_path
from services.console.web.page import page_of, shown, tell
from services.console.web.sessions import Session
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.licensing.v1 import caller_service_pb2
from sluice.licensing.v1.caller_service_pb2_grpc import CallerServiceStub

OPERATOR = "operator"
_NO_ANSWER = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED})


async def sign_in(request: Request, token: str, kinds: Collection[str], where: str) -> Response:
    """Begins the session of a token and goes on.

    It takes the place of any earlier one, whose forms are stale from then on. Raises Refusal: what the
    services say of the token; (forbidden, WRONG_KIND) where the page is not for callers of its kind;
    (invalid, SIGN_IN_TOO_LARGE). What the page does besides (`Page.begun`) is told on the next one.
    """
    page = page_of(request)
    call_as(token)
    caller = await _caller(page.services, kinds)
    if caller.kind not in kinds:
        raise forbidden("WRONG_KIND", f"this page is not for callers of the kind {caller.kind}")
    session, response = Session.begin(token, caller), RedirectResponse(own_path(where), 303)
    page.keep_session(response, session)
    if said := await page.begun(request, session):
        tell(request, response, session, said)
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


def not_signed_in(request: Request, refusal: Refusal, next: str, code: str = "") -> Response:
    """Who was signed in before still is: nothing has begun, and nothing has ended.

    `code` is of a link that may be followed again.
    """
    may_follow = code if refusal.kind in {Kind.UNAVAILABLE, Kind.EXHAUSTED} else ""
    values = {"reason": refusal.reason, "next": next, "code": may_follow}
    # Its own address is good for nothing a second time, in another language either.
    return shown(
        request,
        "not-signed-in.html",
        STATUSES[refusal.kind],
        path="/sign-in",
        kind=refusal.kind.name,
        **values,
    )
