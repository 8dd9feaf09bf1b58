"""Puts on record what a subject wants; each call under an id that follows from the form's."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from services.chassis.dialing import Peer
from services.console.settings_page.outlook import standing_of
from services.console.settings_page.switches import EVERYONE
from services.console.settings_page.wishes import Wish
from services.console.web.reading import instant
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

BROWSER = "browser"
"""The source under which consent keeps what the reader's browser objects to."""


async def still_stands(consent: Peer, subject_id: int, wish: Wish) -> bool:
    """Whether a wish may be carried out: a no always, a yes if it is to what is so now; raises Refusal."""
    if not wish.allows:
        return True
    licensees = [] if wish.licensee == EVERYONE else [wish.licensee]
    return wish.still_stands(await standing_of(consent, subject_id, licensees))


async def record(consent: Peer, requests: Iterable[pb.RecordChoiceRequest]) -> datetime:
    """Records all, and says when the last of them is in force everywhere (C9).

    Each is tried, whatever becomes of the others: no part of a no waits for another part. Raises the first
    Refusal then; the same form sent again makes the same calls.
    """
    stub = ConsentServiceStub(consent.channel)
    calls = [consent.call(stub.RecordChoice, request) for request in requests]
    answers = list[pb.RecordChoiceResponse]()
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer
        answers.append(answer)
    return max(instant(answer.in_force_after) for answer in answers)


async def record_signal(consent: Peer, subject_id: int, request_id: str) -> pb.RecordSignalsResponse:
    """Records the objection of the reader's browser (GPC, C1); raises Refusal."""
    request = pb.RecordSignalsRequest(
        request_id=request_id, subject_id=subject_id, source=BROWSER, sec_gpc="1"
    )
    return await consent.call(ConsentServiceStub(consent.channel).RecordSignals, request)
