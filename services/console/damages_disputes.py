"""`sluice damages dispute`, `uphold`, `reduce`, `withdraw`: one operator proposes, another decides (D4).

Two operators are two tokens: `--token-file` says whose a command is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from google.type.money_pb2 import Money

from services.console import damages_options as asked
from services.console import money, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import complete, word_of
from services.console.output import give_json, say, show, table
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import AssessmentState
from sluice.metering.v1.dispute_pb2 import (
    DISPUTE_STEP_KIND_DISPUTE,
    DISPUTE_STEP_KIND_REDUCE,
    DISPUTE_STEP_KIND_UPHOLD,
    DISPUTE_STEP_KIND_WITHDRAW,
    PROPOSAL_STATE_APPROVED,
    AssessmentStanding,
    DisputeStep,
    DisputeStepKind,
    ProposalState,
)
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub

PAGE = 200
COLUMNS = ("=proposal", "step", "state", "proposed", "decided", "why")
WAITING_COLUMNS = ("=proposal", "=assessment", "step", "proposed", "why")

Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for people.")]
Said = Annotated[str, typer.Option("--reason", metavar="TEXT", help="What there is to say to it.")]


@dataclass(frozen=True)
class Caller:
    """Whom to ask, as whom, and how to answer."""

    address: str | None
    state: Path
    token_file: Path | None
    as_json: bool

    def connections(self) -> Connections:
        """Raises Refusal."""
        return Connections.open(self.state, self.token_file, OPERATOR, {"metering": self.address})


def dispute(
    assessment_id: asked.AssessmentId,
    *,
    reason: Reason,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Propose to put on record that the party disputes an assessment.

    Example: `sluice damages dispute 019a0000-0000-7000-8000-000000000000 --reason "Letter of 3 March"`
    """
    _propose(Caller(address, state, token_file, as_json), DISPUTE_STEP_KIND_DISPUTE, assessment_id, reason)


def uphold(
    assessment_id: asked.AssessmentId,
    *,
    reason: Reason,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Propose to decide a dispute: the assessment stands as it is.

    Example: `sluice damages uphold 019a0000-0000-7000-8000-000000000000 --reason "The logs agree"`
    """
    _propose(Caller(address, state, token_file, as_json), DISPUTE_STEP_KIND_UPHOLD, assessment_id, reason)


def reduce(
    assessment_id: asked.AssessmentId,
    *,
    to: Annotated[str, typer.Option(metavar="AMOUNT", help="What is claimed then, as in 12000.00 USD.")],
    reason: Reason,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Propose to decide a dispute: less is claimed.

    Example: `sluice damages reduce 019a0000-0000-7000-8000-000000000000 --to "12000.00 USD" --reason Settled`
    """
    amount = amount_of(to)
    caller = Caller(address, state, token_file, as_json)
    _propose(caller, DISPUTE_STEP_KIND_REDUCE, assessment_id, reason, amount)


def withdraw(
    assessment_id: asked.AssessmentId,
    *,
    reason: Reason,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Propose to give an assessment up, disputed or not. Once approved, that is for good.

    Example: `sluice damages withdraw 019a0000-0000-7000-8000-000000000000 --reason "Not theirs"`
    """
    _propose(Caller(address, state, token_file, as_json), DISPUTE_STEP_KIND_WITHDRAW, assessment_id, reason)


def steps(
    assessment_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="The assessment. Else of all, those that wait.")
    ] = "",
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the steps of an assessment, latest first; or, of all, those that wait for a second operator.

    Example: `sluice damages steps`
    """
    connections = Caller(address, state, token_file, as_json).connections()
    found = connections.run(lambda connections: all_steps(connections, assessment_id))
    if as_json:
        give_json([complete(step) for step in found])
    elif found:
        columns, row = (COLUMNS, step_row) if assessment_id else (WAITING_COLUMNS, waiting_row)
        show(table(columns, [row(step) for step in found]))
    else:
        say("No steps." if assessment_id else "No step waits.")


def approve(
    proposal_id: asked.ProposalId,
    *,
    reason: Said = "",
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Approve a step that another operator proposed: it takes effect.

    Example: `sluice damages approve 019a0000-0000-7000-8000-000000000001 --token-file second-operator.token`
    """
    _decide(
        Caller(address, state, token_file, as_json),
        pb.DecideStepRequest(proposal_id=proposal_id, approve=True, reason=reason),
    )


def reject(
    proposal_id: asked.ProposalId,
    *,
    reason: Said = "",
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Reject a step that was proposed, also one's own: everything stays as it is.

    Example: `sluice damages reject 019a0000-0000-7000-8000-000000000001 --reason "Ask for the logs first"`
    """
    _decide(
        Caller(address, state, token_file, as_json),
        pb.DecideStepRequest(proposal_id=proposal_id, approve=False, reason=reason),
    )


def _propose(
    caller: Caller, kind: DisputeStepKind, assessment_id: str, reason: str, amount: Money | None = None
) -> None:
    request = pb.ProposeStepRequest(assessment_id=assessment_id, kind=kind, reason=reason, amount=amount)
    step = caller.connections().run(lambda connections: propose_step(connections, request))
    if caller.as_json:
        give_json(complete(step))
        return
    say(f"Proposed: {step_words(step)} assessment {step.assessment_id}. It waits for another operator:")
    say(f"  sluice damages approve {step.proposal_id}")


def _decide(caller: Caller, request: pb.DecideStepRequest) -> None:
    answer = caller.connections().run(lambda connections: decide_step(connections, request))
    if caller.as_json:
        give_json(complete(answer))
        return
    step = answer.step
    done, stands = ("Approved", "is now") if step.state == PROPOSAL_STATE_APPROVED else ("Rejected", "stays")
    what = f"{step_words(step)} assessment {step.assessment_id}"
    state, claimed = word_of(AssessmentState.DESCRIPTOR, answer.state), money.face(answer.amount_in_force)
    say(f"{done}: {what}. It {stands} {state}; claimed: {claimed}.")


async def propose_step(connections: Connections, request: pb.ProposeStepRequest) -> DisputeStep:
    """Under a fresh request id; raises Refusal (ASSESSMENT_UNKNOWN, STEP_NOT_POSSIBLE, and others)."""
    peer = connections.peer("metering")
    request.request_id = connections.new_id()
    return (await peer.call(DisputeServiceStub(peer.channel).ProposeStep, request)).step


async def decide_step(connections: Connections, request: pb.DecideStepRequest) -> pb.DecideStepResponse:
    """Under a fresh request id; raises Refusal (PROPOSAL_UNKNOWN, SAME_OPERATOR, and others)."""
    peer = connections.peer("metering")
    request.request_id = connections.new_id()
    return await peer.call(DisputeServiceStub(peer.channel).DecideStep, request)


async def all_steps(connections: Connections, assessment_id: str) -> list[DisputeStep]:
    """Of an assessment, or those of all that wait where it is empty; latest first. Raises Refusal."""
    peer = connections.peer("metering")
    stub = DisputeServiceStub(peer.channel)
    found: list[DisputeStep] = []
    token = ""
    while True:
        request = pb.ListStepsRequest(assessment_id=assessment_id, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListSteps, request)
        found += page.steps
        token = page.next_page_token
        if not token:
            return found


def amount_of(text: str) -> Money:
    """What is to be claimed; raises typer.BadParameter."""
    try:
        return money.read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to") from None


def step_words(step: DisputeStep) -> str:
    """What is to happen: "reduce to USD 12,000.00"."""
    word = word_of(DisputeStepKind.DESCRIPTOR, step.kind)
    return f"{word} to {money.face(step.amount)}" if step.HasField("amount") else word


def step_row(step: DisputeStep) -> tuple[Any, ...]:
    """A step of an assessment, for a table."""
    decided = f"{clock_face(step.decided_at)} by {step.decided_by}" if step.decided_by else "waits"
    reasons = "; ".join(filter(None, (step.reason, step.decision_reason)))
    state = word_of(ProposalState.DESCRIPTOR, step.state)
    changed = f": {change_words(step)}" if step.HasField("after") else ""
    return step.proposal_id, step_words(step), state + changed, _proposed(step), decided, reasons


def change_words(step: DisputeStep) -> str:
    """What deciding it did: "disputed (USD 15,000.00) to reduced (USD 12,000.00)"."""
    before, after = standing_words(step.before), standing_words(step.after)
    return f"stays {after}" if before == after else f"{before} to {after}"


def standing_words(standing: AssessmentStanding) -> str:
    """Where an assessment stood: "disputed (USD 15,000.00)"."""
    return f"{word_of(AssessmentState.DESCRIPTOR, standing.state)} ({money.face(standing.amount_in_force)})"


def waiting_row(step: DisputeStep) -> tuple[Any, ...]:
    """One of those that wait, of any assessment."""
    return step.proposal_id, step.assessment_id, step_words(step), _proposed(step), step.reason


def _proposed(step: DisputeStep) -> str:
    return f"{clock_face(step.proposed_at)} by {step.proposed_by}"
