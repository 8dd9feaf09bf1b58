"""Whom a yes of an agent is for: a no that somebody has said is not taken back without being looked at."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.dialing import Peer
from services.chassis.refusals import precondition
from services.console.settings_page.bulk import SIDE_BY_SIDE, Bulk
from services.console.settings_page.outlook import standing_of
from services.console.settings_page.recording import record
from services.console.settings_page.switches import forbidden
from services.console.settings_page.wishes import Sight, sight_of, standings_for
from sluice.consent.v1 import reason_pb2
from sluice.consent.v1.consent_service_pb2 import RecordChoiceRequest
from sluice.consent.v1.standing_pb2 import GetStandingResponse

_SAID_NO = reason_pb2.CONSENT_REASON_CHOICE_DENIES
_FREE = frozenset(
    {
        reason_pb2.CONSENT_REASON_ALLOWED,
        reason_pb2.CONSENT_REASON_NOT_OPTED_IN,
        reason_pb2.CONSENT_REASON_NOTICE_NOT_SERVED,
    }
)
"""So it stands where no choice and nothing else is against it."""

Ask = Callable[[int], Awaitable[GetStandingResponse]]


@dataclass(frozen=True)
class Looked:
    """A choice for many, after a look at each of them if it is a yes."""

    bulk: Bulk
    """For those who have not said no; `asking` are those who have."""
    fixed: tuple[int, ...] = ()
    """Whom no yes can change anything for now: what denies may hide a no of theirs (C3, C4, C12)."""


async def looked_at(bulk: Bulk, ask: Ask) -> Looked:
    """How each stands, sealed into the yes; raises Refusal where that cannot be read of all (C10)."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(subject_id: int) -> GetStandingResponse:
        async with room:
            return await ask(subject_id)

    answers = await asyncio.gather(*(one(subject_id) for subject_id in bulk.subjects))
    return _sorted(bulk, dict(zip(bulk.subjects, answers, strict=True)))


async def record_for_one(consent: Peer, bulk: Bulk, requests: Sequence[RecordChoiceRequest]) -> Timestamp:
    """As `record`; raises Refusal also (precondition, STANDING_CHANGED) for a yes to what is not so now."""
    if bulk.allows:
        subject_id = requests[0].choice.subject_id
        if not bulk.still_stands(subject_id, await standing_of(consent, subject_id, licensees_of(bulk))):
            raise precondition("STANDING_CHANGED", "it stands otherwise than it did")
    return await record(consent, requests)


def licensees_of(bulk: Bulk) -> list[str]:
    """Whom to ask for in particular, to know how it stands."""
    return [bulk.licensee_id] if bulk.licensee_id else []


def _sorted(bulk: Bulk, standings: Mapping[int, GetStandingResponse]) -> Looked:
    subjects, asking, fixed = list[int](), list[int](), list[int]()
    saw = list[tuple[int, tuple[Sight, ...]]]()
    for subject_id, now in standings.items():
        each_purpose = standings_for(now, bulk.licensee_id)
        own = [each for each in each_purpose if each.purpose in bulk.purposes]
        reasons, banned = {int(each.reason) for each in own}, forbidden(each_purpose)
        if not reasons or reasons - _FREE - {_SAID_NO} or banned.intersection(bulk.purposes):
            fixed.append(subject_id)
            continue
        (asking if _SAID_NO in reasons else subjects).append(subject_id)
        saw.append((subject_id, tuple(map(sight_of, own))))
    looked = replace(bulk, subjects=tuple(subjects), asking=tuple(asking), saw=tuple(saw))
    return Looked(looked, tuple(fixed))
