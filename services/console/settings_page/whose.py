"""Whose records a page is about: those of whoever is signed in. No address of a page names a subject."""

from typing import Annotated

from fastapi import Depends, Query, Request

from services.chassis.refusals import forbidden, invalid
from services.console.settings_page.subject_ids import subject_id_in
from services.console.web.page import SignedIn, page_of
from services.console.web.sessions import Session
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

LONGEST_PAGE_TOKEN = 100
"""Characters; no service gives a longer one."""


async def own_subject(session: SignedIn) -> int:
    """The id of the subject who is signed in.

    Raises Refusal (forbidden): NOT_A_SUBJECT for an agent; SUBJECT_NOT_A_NUMBER where the sign-in names
    somebody by what is no id.
    """
    if session.kind != "subject":
        raise forbidden("NOT_A_SUBJECT", "this page shows subjects what is their own")
    subject_id = subject_id_in(session.party)
    if subject_id is None:
        raise forbidden("SUBJECT_NOT_A_NUMBER", "the sign-in names a subject by what is no id")
    return subject_id


async def agent(session: SignedIn) -> Session:
    """The agent who is signed in; raises Refusal (forbidden, NOT_AN_AGENT)."""
    if session.kind != "agent":
        raise forbidden("NOT_AN_AGENT", "this page is for agents of subjects")
    return session


async def represented(request: Request, _session: Annotated[Session, Depends(agent)]) -> tuple[int, ...]:
    """Whom the agent acts for, ascending, as consent reads their token; raises Refusal."""
    peer = page_of(request).services.peer("consent")
    caller = await peer.call(ConsentServiceStub(peer.channel).GetCaller, pb.GetCallerRequest())
    return tuple(caller.subject_ids)


async def page_token(page: Annotated[str, Query()] = "") -> str:
    """Where a list goes on; raises Refusal (invalid, PAGE_TOKEN_INVALID) for what no list says."""
    if len(page) > LONGEST_PAGE_TOKEN:
        raise invalid("PAGE_TOKEN_INVALID", "no answer gave this page token")
    return page


OwnSubject = Annotated[int, Depends(own_subject)]
SignedInAgent = Annotated[Session, Depends(agent)]
ActsFor = Annotated[tuple[int, ...], Depends(represented)]
PageToken = Annotated[str, Depends(page_token)]
