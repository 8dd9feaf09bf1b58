"""Whose records a page is about: those of whoever is signed in. No address of a page names a subject."""

from typing import Annotated

from fastapi import Depends, Query

from services.chassis.refusals import forbidden, invalid
from services.console.settings_page.subject_ids import subject_id_in
from services.console.web.page import SignedIn
from services.console.web.sessions import Session

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


async def page_token(page: Annotated[str, Query()] = "") -> str:
    """Where a list goes on; raises Refusal (invalid, PAGE_TOKEN_INVALID) for what no list says."""
    if len(page) > LONGEST_PAGE_TOKEN:
        raise invalid("PAGE_TOKEN_INVALID", "no answer gave this page token")
    return page


OwnSubject = Annotated[int, Depends(own_subject)]
SignedInAgent = Annotated[Session, Depends(agent)]
PageToken = Annotated[str, Depends(page_token)]
