"""Begins a session: a token is shown to consent once, and then kept in the session."""

from collections.abc import Collection

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from services.chassis.refusals import Kind, Refusal, forbidden
from services.console.web.calling import call_as
from services.console.web.failing import STATUSES
from services.console.web.own_paths import own_path
from services.console.web.page import page_of, shown
from services.console.web.sessions import Session, sealed_session
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub


async def sign_in(request: Request, token: str, kinds: Collection[str], where: str) -> Response:
    """Begins the session of a token and goes on.

    It takes the place of any earlier one, whose forms are stale from then on. Raises Refusal: what consent
    says of the token, and (forbidden, WRONG_KIND) where the page is not for callers of its kind.
    """
    page = page_of(request)
    call_as(token)
    peer = page.services.peer("consent")
    caller = await peer.call(ConsentServiceStub(peer.channel).GetCaller, pb.GetCallerRequest())
    if caller.kind not in kinds:
        raise forbidden("WRONG_KIND", f"this page is not for callers of the kind {caller.kind}")
    response = RedirectResponse(own_path(where), 303)
    page.set_cookie(response, "session", sealed_session(page.seal, Session.begin(token, caller)))
    return response


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
