"""What pages about assessments share: how one stands, its steps, and what a step would make of it (D4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.type.money_pb2 import Money

from services.chassis.dialing import Peer
from services.chassis.refusals import not_found
from services.console import damages_calls
from services.console.operations.amounts import amount
from services.console.operations.decision_wishes import is_id
from services.console.operations.words_damages import (
    ACCESSES,
    ASSESSMENT_STATES,
    OVERLAPS,
    PROPOSAL_STATES,
    ROUNDINGS,
    STEP_KINDS,
)
from services.console.web.sessions import Session
from services.console.web.words import word
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment, AssessmentState
from sluice.metering.v1.dispute_pb2 import AssessmentStanding, DisputeStep, DisputeStepKind, ProposalState
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub

PROPOSE = "/sluice.metering.v1.DisputeService/ProposeStep"
DECIDE = "/sluice.metering.v1.DisputeService/DecideStep"
STEPS, MOST_PAGES = 200, 20
"""Steps that are looked through for one, so many at a time: there is no asking for one."""
TABLES: dict[str, Any] = {
    "word": word,
    "amount": amount,
    "ACCESSES": ACCESSES,
    "ASSESSMENT_STATES": ASSESSMENT_STATES,
    "OVERLAPS": OVERLAPS,
    "PROPOSAL_STATES": PROPOSAL_STATES,
    "ROUNDINGS": ROUNDINGS,
    "STEP_KINDS": STEP_KINDS,
}
"""What templates say numbers with."""

LEADS_TO: Mapping[int, AssessmentState] = {
    DisputeStepKind.DISPUTE_STEP_KIND_DISPUTE: AssessmentState.ASSESSMENT_STATE_DISPUTED,
    DisputeStepKind.DISPUTE_STEP_KIND_UPHOLD: AssessmentState.ASSESSMENT_STATE_UPHELD,
    DisputeStepKind.DISPUTE_STEP_KIND_REDUCE: AssessmentState.ASSESSMENT_STATE_REDUCED,
    DisputeStepKind.DISPUTE_STEP_KIND_WITHDRAW: AssessmentState.ASSESSMENT_STATE_WITHDRAWN,
}
"""How an assessment stands after a step of a kind, as the contract says."""


def assessment_in(id: str) -> str:
    """The id; raises Refusal (not found, ASSESSMENT_UNKNOWN) for what is the id of nothing."""
    if not is_id(id):
        raise not_found("ASSESSMENT_UNKNOWN", "there is no such assessment")
    return id


def standing(assessment: Assessment) -> AssessmentStanding:
    """Where it stands now."""
    return AssessmentStanding(state=assessment.state, amount_in_force=assessment.amount_in_force)


def would_be(kind: int, new_amount: Money | None, now: AssessmentStanding) -> AssessmentStanding:
    """Where it would stand after a step, if metering lets that follow; as now for a kind not known here."""
    if kind not in LEADS_TO:
        return now
    claimed = now.amount_in_force
    if kind == DisputeStepKind.DISPUTE_STEP_KIND_WITHDRAW:
        claimed = Money(currency_code=claimed.currency_code)
    elif new_amount is not None:
        claimed = new_amount
    return AssessmentStanding(state=LEADS_TO[kind], amount_in_force=claimed)


def after(step: DisputeStep, now: AssessmentStanding) -> AssessmentStanding:
    """Where the assessment would stand if a step that waits were approved."""
    return would_be(step.kind, step.amount if step.HasField("amount") else None, now)


def seen(assessment: Assessment) -> dict[str, Any]:
    """What somebody decides upon who looks at an assessment."""
    claimed = assessment.amount_in_force
    return {"state": int(assessment.state), "claimed": [claimed.currency_code, claimed.units, claimed.nanos]}


def is_waiting(step: DisputeStep) -> bool:
    """Whether nobody has decided about it."""
    return step.state == ProposalState.PROPOSAL_STATE_PENDING


def is_own(step: DisputeStep, session: Session) -> bool:
    """Whether who is signed in proposed it: they can reject it and not approve it."""
    return step.proposed_by == f"operator:{session.party}"


async def in_short(metering: Peer, id: str) -> Assessment:
    """An assessment without all of its periods, readings and stretches; raises Refusal."""
    return await damages_calls.in_short(metering, assessment_in(id))


async def steps(
    metering: Peer, assessment_id: str, token: str = "", size: int = STEPS
) -> pb.ListStepsResponse:
    """Of an assessment, or those of all that wait where it is empty, latest first; raises Refusal."""
    request = pb.ListStepsRequest(assessment_id=assessment_id, page_size=size, page_token=token)
    return await metering.call(DisputeServiceStub(metering.channel).ListSteps, request)


async def step_of(metering: Peer, assessment_id: str, proposal_id: str) -> DisputeStep:
    """One of an assessment's; raises Refusal (not found, PROPOSAL_UNKNOWN)."""
    token = ""
    for _ in range(MOST_PAGES):
        page = await steps(metering, assessment_in(assessment_id), token)
        if found := _named(page.steps, proposal_id):
            return found
        token = page.next_page_token
        if not token:
            break
    raise not_found("PROPOSAL_UNKNOWN", "this assessment has no such step")


def _named(steps: Sequence[DisputeStep], proposal_id: str) -> DisputeStep | None:
    return next((step for step in steps if step.proposal_id == proposal_id), None)
