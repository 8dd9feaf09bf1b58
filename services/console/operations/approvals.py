"""What waits for a second operator: the queue, and deciding about one step (D4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, not_found
from services.console.operations.amounts import amount
from services.console.operations.assessments import (
    DECIDE,
    TABLES,
    after,
    in_short,
    is_own,
    is_waiting,
    seen,
    standing,
    step_of,
    steps,
)
from services.console.operations.roles import is_open, open_to
from services.console.operations.typed_texts import FAULTS, Typed, fault_in, one_line_ends
from services.console.operations.words_damages import ASSESSMENT_STATES
from services.console.web.asking import Missing, asked, together
from services.console.web.forms import Opened
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import Reader, msgid
from services.console.web.sessions import Session
from services.console.web.words import word
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment
from sluice.metering.v1.dispute_pb2 import DisputeStep
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub

router = APIRouter()
PAGE = 10
"""Steps; each takes a look at its assessment, all of a page at once."""
LONGEST_REASON = 4000
CHANGED = msgid("The assessment has changed since you looked at it. This is how it stands now.")
REFUSALS: Mapping[str, str] = {
    "PROPOSAL_DECIDED": msgid("Somebody else has decided about it before you."),
    "SAME_OPERATOR": msgid("You proposed it yourself: another operator has to approve it."),
    "STEP_NOT_POSSIBLE": msgid("It does not follow any more from how the assessment stands."),
    "ASSESSMENT_WITHDRAWN": msgid("The assessment was withdrawn: nothing is claimed any more."),
    "AMOUNT_INVALID": msgid("It claims no less than what is claimed now."),
}
"""Why nothing was decided, by the reason of metering."""


@dataclass(frozen=True)
class Decision:
    """One of the two things that can be said to a step. All texts are those of the sources."""

    approve: bool
    title: str
    button: str
    said: str
    """When it was done."""


@dataclass(frozen=True)
class Waiting:
    """A step, whether it still waits or not, and the assessment that it is about."""

    step: DisputeStep
    assessment: Assessment


DECISIONS: Mapping[str, Decision] = {
    "approve": Decision(
        approve=True,
        title=msgid("Approve this step?"),
        button=msgid("Approve it: it takes effect at once"),
        said=msgid("Approved. The assessment is now: %(state)s. Claimed: %(amount)s."),
    ),
    "reject": Decision(
        approve=False,
        title=msgid("Reject this step?"),
        button=msgid("Reject it: everything stays as it is"),
        said=msgid("Rejected. The assessment stays: %(state)s. Claimed: %(amount)s."),
    ),
}


@router.get("/approvals")
async def approvals(
    request: Request, session: SignedIn, page: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """All steps that wait, newest first, each with what it would change."""
    metering = page_of(request).services.peer("metering")
    found = await asked(steps(metering, "", page, PAGE))
    ids = {step.assessment_id for step in found.steps} if not isinstance(found, Missing) else ()
    about = await together(**{id: in_short(metering, id) for id in ids})
    given: dict[str, Any] = {"token": page, "is_open": is_open(session, DECIDE), "open_to": open_to(DECIDE)}
    tools: dict[str, Any] = {"standing": standing, "after": after, "is_own": is_own}
    return shown(request, "approvals.html", found=found, about=about, **given, **tools, **TABLES)


@router.get("/approvals/{assessment_id}/{proposal_id}/{name}")
async def confirm(
    request: Request, session: SignedIn, assessment_id: str, proposal_id: str, name: str
) -> Response:
    """What would happen, and the button; what was decided, where somebody did."""
    _decision(name)
    metering = page_of(request).services.peer("metering")
    return _asked(request, session, name, await _waiting(metering, assessment_id, proposal_id))


@router.post("/approvals/{assessment_id}/{proposal_id}/{name}")
async def decide(
    request: Request,
    session: SignedIn,
    reader: Reading,
    *,
    assessment_id: str,
    proposal_id: str,
    name: str,
    form: Annotated[str, Form(max_length=4000)],
    reason: Typed = "",
) -> Response:
    """Decides once, if the assessment still stands as it did when its reader looked."""
    decision, opened = _decision(name), form_of(request, session, f"{name}-{proposal_id}", form)
    metering, why = page_of(request).services.peer("metering"), one_line_ends(reason)
    waiting = await _waiting(metering, assessment_id, proposal_id)
    if fault := CHANGED if is_stale(waiting, opened) else fault_in(why, LONGEST_REASON):
        return _asked(request, session, name, waiting, fault=fault, reason=why)
    answer = await decided(metering, decision, opened, proposal_id, why)
    if isinstance(answer, str):
        now = await _waiting(metering, assessment_id, proposal_id)
        return _asked(request, session, name, now, fault=answer, reason=why)
    return done(request, f"/damages/{assessment_id}", said(reader, decision, answer))


def is_stale(waiting: Waiting, opened: Opened) -> bool:
    """Whether the assessment stands otherwise than its reader saw, while the step still waits.

    What is decided may be so by this very form, sent twice: metering knows its request id, and refuses all
    others.
    """
    return is_waiting(waiting.step) and seen(waiting.assessment) != dict(opened.seen)


def said(reader: Reader, decision: Decision, answer: pb.DecideStepResponse) -> str:
    """What was done, and how the assessment stands since."""
    state = word(reader, ASSESSMENT_STATES, answer.state)
    return reader.say(decision.said, state=state, amount=amount(reader, answer.amount_in_force))


async def decided(
    metering: Peer, decision: Decision, opened: Opened, proposal_id: str, reason: str
) -> pb.DecideStepResponse | str:
    """The answer, or why nothing was decided, as a sentence."""
    wanted = pb.DecideStepRequest(
        request_id=opened.request_id,
        proposal_id=proposal_id,
        approve=decision.approve,
        reason=reason,
    )
    try:
        return await metering.call(DisputeServiceStub(metering.channel).DecideStep, wanted)
    except Refusal as refusal:
        if refusal.reason not in REFUSALS:
            raise
        return REFUSALS[refusal.reason]


async def _waiting(metering: Peer, assessment_id: str, proposal_id: str) -> Waiting:
    """Raises Refusal (not found: ASSESSMENT_UNKNOWN, PROPOSAL_UNKNOWN; and others)."""
    step = await step_of(metering, assessment_id, proposal_id)
    return Waiting(step, await in_short(metering, assessment_id))


def _asked(
    request: Request, session: Session, name: str, waiting: Waiting, *, fault: str = "", reason: str = ""
) -> Response:
    step, now = waiting.step, standing(waiting.assessment)
    told: dict[str, Any] = {"name": name, "decision": DECISIONS[name], "fault": fault, "reason": reason}
    return shown(
        request,
        "step-decide.html",
        400 if fault in FAULTS else 409 if fault else 200,
        step=step,
        found=waiting.assessment,
        now=now,
        then=after(step, now),
        seen=seen(waiting.assessment),
        waits=is_waiting(step),
        is_mine=is_own(step, session),
        is_open=is_open(session, DECIDE),
        open_to=open_to(DECIDE),
        **told,
        **TABLES,
    )


def _decision(name: str) -> Decision:
    """Raises Refusal (not found, NO_SUCH_PAGE)."""
    if name not in DECISIONS:
        raise not_found("NO_SUCH_PAGE", "there is no such page")
    return DECISIONS[name]
