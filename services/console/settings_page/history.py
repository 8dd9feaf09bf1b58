"""Everything that a subject ever chose, page by page.

Consent alone must answer; what licensees are called is asked of licensing, and their ids stand where it does
not say.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.chassis.dialing import Peer
from services.console.settings_page.outlook import choices_of, recipients_of
from services.console.settings_page.whose import OwnSubject, PageToken
from services.console.settings_page.words_records import recorder
from services.console.web import words
from services.console.web.asking import Missing, asked
from services.console.web.page import page_of, shown
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

PAGE = 25
"""Choices."""
MOST_NAMES = 500
"""Licensees whose names are asked for, which is what one answer holds."""

router = APIRouter()


@router.get("/history")
async def history(request: Request, subject_id: OwnSubject, token: PageToken) -> HTMLResponse:
    """The newest first."""
    services = page_of(request).services
    peer = services.peer("consent")
    asked_for = pb.ListChoiceHistoryRequest(subject_id=subject_id, page_size=PAGE, page_token=token)
    found, now = await asyncio.gather(
        peer.call(ConsentServiceStub(peer.channel).ListChoiceHistory, asked_for),
        choices_of(peer, subject_id),
    )
    names = await _names(services.peer("licensing"), found)
    told: dict[str, Any] = {"names": names, "erased": now.erased, "recorder": recorder}
    return shown(request, "history.html", found=found, token=token, words=words, **told)


async def _names(licensing: Peer, found: pb.ListChoiceHistoryResponse) -> Mapping[str, str]:
    """By id, where a choice names a licensee and licensing says who may receive posts."""
    if not any(each.choice.licensee_id for each in found.choices):
        return {}
    known = await asked(recipients_of(licensing, "", MOST_NAMES))
    return (
        {}
        if isinstance(known, Missing)
        else {each.licensee_id: each.display_name for each in known.recipients}
    )
