"""Puts on record what somebody wants; each call under an id that follows from the form's.

A no is looked at afterwards: the same form, sent once more after a later yes, is answered as it was the first
time, and would change nothing. So a no that a later yes lifts is said again, under an id that follows from
that yes: once for each, however often the form is sent.
"""

import asyncio
from collections.abc import Iterator, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.dialing import Peer
from services.chassis.ids import derived_uuid7
from services.chassis.refusals import Refusal
from services.console.settings_page.outlook import choices_of
from services.console.settings_page.switches import EVERYONE, NEEDED
from services.console.web.unfinished import all_of, partly_done
from sluice.consent.v1 import choice_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub


async def record(consent: Peer, requests: Sequence[pb.RecordChoiceRequest]) -> Timestamp:
    """Records choices of one subject; when the last of them is in force (C9).

    Each is tried, whatever becomes of the others: no part of a no waits for another part. Raises Refusal:
    PARTLY_DONE where some are on record and the rest may not be, or where it is not known whether a no holds.
    """
    answers = await _each(consent, requests)
    if any(request.choice.stance == choice_pb2.STANCE_DENY for request in requests):
        try:
            choices = (await choices_of(consent, requests[0].choice.subject_id)).choices
            revisions = [answer.revision.number for answer in answers]
            answers += await _each(consent, list(said_again(requests, revisions, choices)))
        except Refusal as refusal:
            raise partly_done(refusal) from refusal
    return max((answer.in_force_after for answer in answers), key=Timestamp.ToMicroseconds)


def said_again(
    requests: Sequence[pb.RecordChoiceRequest],
    revisions: Sequence[int],
    choices: Sequence[choice_pb2.RecordedChoice],
) -> Iterator[pb.RecordChoiceRequest]:
    """The requests for each no that a later yes lifts, in part or in whole.

    `revisions` are those that the requests were given, the first time that they were made; `choices` those of
    the subject that still matter.
    """
    for request, revision in zip(requests, revisions, strict=True):
        lifting = [
            each.revision
            for each in choices
            if each.revision > revision and _lifts(each.choice, request.choice)
        ]
        if lifting:
            id = derived_uuid7(request.request_id, str(max(lifting)))
            yield pb.RecordChoiceRequest(request_id=id, choice=request.choice)


async def _each(consent: Peer, requests: Sequence[pb.RecordChoiceRequest]) -> list[pb.RecordChoiceResponse]:
    stub = ConsentServiceStub(consent.channel)
    calls = [consent.call(stub.RecordChoice, request) for request in requests]
    return all_of(await asyncio.gather(*calls, return_exceptions=True))


def _lifts(allow: choice_pb2.Choice, deny: choice_pb2.Choice) -> bool:
    """Whether a later allow can lift a deny, for some question at least (C2, C7)."""
    if (allow.stance, deny.stance) != (choice_pb2.STANCE_ALLOW, choice_pb2.STANCE_DENY):
        return False
    # A yes to what needs another purpose lifts the no to that one where it is asked on its behalf.
    uses = deny.all_purposes or deny.purpose in {allow.purpose, NEEDED}
    return uses and deny.licensee_id in {EVERYONE, allow.licensee_id}
