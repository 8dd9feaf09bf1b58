"""Proposing what is to become of an assessment: each step on a page that says what it means (D4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from google.type.money_pb2 import Money

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, not_found
from services.console import money
from services.console.operations.assessments import (
    LEADS_TO,
    PROPOSE,
    TABLES,
    in_short,
    seen,
    standing,
    would_be,
)
from services.console.operations.roles import is_open, open_to
from services.console.operations.typed_texts import FAULTS, Typed, fault_in, one_line_ends
from services.console.web.forms import Opened
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import msgid
from services.console.web.sessions import Session
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment, AssessmentState
from sluice.metering.v1.dispute_pb2 import DisputeStepKind
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub

router = APIRouter()
LONGEST_REASON = 4000
NO_REASON = msgid("Say why: a step needs a reason.")
NO_AMOUNT = msgid("An amount is of digits alone, with a point before the smallest coins, such as 12000.00.")
WRONG_AMOUNT = msgid("What is claimed then has to be less than what is claimed now, in whole smallest coins.")
CHANGED = msgid("The assessment has changed since you looked at it. This is how it stands now.")
REFUSALS: Mapping[str, str] = {
    "STEP_PENDING": msgid("Another step of this assessment waits for a second operator already."),
    "STEP_NOT_POSSIBLE": msgid("This does not follow from how the assessment stands now."),
    "ASSESSMENT_WITHDRAWN": msgid("The assessment was withdrawn: nothing is claimed any more."),
    "AMOUNT_INVALID": WRONG_AMOUNT,
}
"""Why nothing was proposed, by the reason of metering."""

_RECORDED = AssessmentState.ASSESSMENT_STATE_RECORDED
_DISPUTED = AssessmentState.ASSESSMENT_STATE_DISPUTED
_UPHELD = AssessmentState.ASSESSMENT_STATE_UPHELD
_REDUCED = AssessmentState.ASSESSMENT_STATE_REDUCED


@dataclass(frozen=True)
class Step:
    """One thing that can be proposed. All texts are those of the sources."""

    kind: DisputeStepKind
    offered_in: frozenset[AssessmentState]
    """The states in which a page offers it; whether it follows metering says."""
    title: str
    button: str
    consequences: Sequence[str]
    """Once it is approved."""
    is_dangerous: bool = False

    @property
    def takes_amount(self) -> bool:
        """Whether it says what is claimed then."""
        return self.kind == DisputeStepKind.DISPUTE_STEP_KIND_REDUCE


STEPS: Mapping[str, Step] = {
    "dispute": Step(
        kind=DisputeStepKind.DISPUTE_STEP_KIND_DISPUTE,
        offered_in=frozenset({_RECORDED, _UPHELD, _REDUCED}),
        title=msgid("Propose that a dispute is put on record?"),
        button=msgid("Propose the dispute"),
        consequences=(msgid("It is on record that the party disputes it. What is claimed stays as it is."),),
    ),
    "uphold": Step(
        kind=DisputeStepKind.DISPUTE_STEP_KIND_UPHOLD,
        offered_in=frozenset({_DISPUTED}),
        title=msgid("Propose that the assessment is upheld?"),
        button=msgid("Propose to uphold it"),
        consequences=(msgid("The dispute is decided: what is claimed stays as it is."),),
    ),
    "reduce": Step(
        kind=DisputeStepKind.DISPUTE_STEP_KIND_REDUCE,
        offered_in=frozenset({_DISPUTED}),
        title=msgid("Propose that less is claimed?"),
        button=msgid("Propose to reduce it"),
        consequences=(msgid("The dispute is decided: the lower amount is claimed from then on."),),
    ),
    "withdraw": Step(
        kind=DisputeStepKind.DISPUTE_STEP_KIND_WITHDRAW,
        offered_in=frozenset({_RECORDED, _DISPUTED, _UPHELD, _REDUCED}),
        title=msgid("Propose that the assessment is given up?"),
        button=msgid("Propose to withdraw it"),
        consequences=(
            msgid("Nothing is claimed any more, and no other step can follow."),
            msgid("The same time can be assessed again."),
        ),
        is_dangerous=True,
    ),
}


def offered(assessment: Assessment, session: Session) -> list[tuple[str, Step]]:
    """What can be proposed as it stands, by whom this is, in the order of STEPS."""
    if not is_open(session, PROPOSE):
        return []
    return [(name, step) for name, step in STEPS.items() if assessment.state in step.offered_in]


@router.get("/damages/{id}/propose/{name}")
async def confirm(
    request: Request,
    session: SignedIn,
    id: str,
    name: str,
    amount: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    """What it would mean, and the button; before that, how much is claimed then where the step says so."""
    step = _step(name)
    found = await in_short(page_of(request).services.peer("metering"), id)
    claimed, fault = read_amount(amount, found) if step.takes_amount else (None, "")
    return _asked(request, session, found, name, claimed=claimed, given=amount or "", fault=fault)


@router.post("/damages/{id}/propose/{name}")
async def propose(
    request: Request,
    session: SignedIn,
    reader: Reading,
    id: str,
    name: str,
    *,
    form: Annotated[str, Form(max_length=4000)],
    reason: Typed = "",
) -> Response:
    """Proposes once exactly what its reader saw."""
    step, opened = _step(name), form_of(request, session, f"propose-{name}-{id}", form)
    metering, claimed = page_of(request).services.peer("metering"), amount_seen(opened)
    found, why = await in_short(metering, id), one_line_ends(reason)
    fault = CHANGED if is_stale(found, opened, step) else fault_in(why, LONGEST_REASON, NO_REASON)
    if not fault:
        fault = await _proposed(metering, wanted(opened, step, id, why))
    if fault:
        status = 400 if fault in {NO_REASON, WRONG_AMOUNT, *FAULTS} else 409
        return _asked(request, session, found, name, claimed=claimed, reason=why, fault=fault, status=status)
    return done(request, f"/damages/{id}", reader.say("It is proposed, and waits for a second operator."))


def read_amount(text: str | None, assessment: Assessment) -> tuple[Money | None, str]:
    """What is claimed then, in the currency of the assessment, and what is wrong with the text.

    Neither where there is no text yet.
    """
    if text is None:
        return None, ""
    currency = assessment.amount_in_force.currency_code
    try:
        claimed = money.read(f"{text.strip()} {currency}")
    except ValueError:
        return None, NO_AMOUNT
    if money.in_nanos(claimed) >= money.in_nanos(assessment.amount_in_force):
        return None, WRONG_AMOUNT
    return claimed, ""


def is_stale(assessment: Assessment, opened: Opened, step: Step) -> bool:
    """Whether it stands otherwise than its reader saw.

    Where it is already as the step leaves it, that may be by this very form, sent twice, and approved:
    metering knows its request id, and refuses all others.
    """
    now = seen(assessment)
    was = {name: opened.seen.get(name) for name in now}
    return now != was and assessment.state != LEADS_TO[step.kind]


def amount_seen(opened: Opened) -> Money | None:
    """The amount that was confirmed, of a step that has one."""
    told = opened.seen.get("amount")
    return Money(currency_code=told[0], units=told[1], nanos=told[2]) if told else None


def wanted(opened: Opened, step: Step, assessment_id: str, reason: str) -> pb.ProposeStepRequest:
    """The step as its reader confirmed it, under the request id of the form."""
    return pb.ProposeStepRequest(
        request_id=opened.request_id,
        assessment_id=assessment_id,
        kind=step.kind,
        reason=reason,
        amount=amount_seen(opened),
    )


async def _proposed(metering: Peer, step: pb.ProposeStepRequest) -> str:
    """Why it was not, as a sentence; "" where it was."""
    try:
        await metering.call(DisputeServiceStub(metering.channel).ProposeStep, step)
    except Refusal as refusal:
        if refusal.reason not in REFUSALS:
            raise
        return REFUSALS[refusal.reason]
    return ""


def _asked(
    request: Request,
    session: Session,
    assessment: Assessment,
    name: str,
    *,
    claimed: Money | None,
    given: str = "",
    reason: str = "",
    fault: str = "",
    status: int = 0,
) -> Response:
    step, now = STEPS[name], standing(assessment)
    told = [claimed.currency_code, claimed.units, claimed.nanos] if claimed else None
    return shown(
        request,
        "step-propose.html",
        status or (400 if fault else 200),
        found=assessment,
        name=name,
        step=step,
        now=now,
        then=would_be(step.kind, claimed, now),
        needs_amount=step.takes_amount and claimed is None,
        seen={**seen(assessment), "amount": told},
        given=given,
        reason=reason,
        fault=fault,
        is_offered=assessment.state in step.offered_in,
        is_open=is_open(session, PROPOSE),
        open_to=open_to(PROPOSE),
        **TABLES,
    )


def _step(name: str) -> Step:
    """Raises Refusal (not found, NO_SUCH_PAGE)."""
    if name not in STEPS:
        raise not_found("NO_SUCH_PAGE", "there is no such page")
    return STEPS[name]
