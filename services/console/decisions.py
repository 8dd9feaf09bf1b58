"""`sluice decision` and `sluice trace`: a decision as stored, and what each service did for it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from services.chassis.clock import SystemClock
from services.chassis.refusals import not_found
from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.installation import StateFolder
from services.console.names import plain, word_of
from services.console.output import give_json, say, show, table
from services.console.traces import Span, find_trace
from services.console.waterfall import draw
from sluice.licensing.v1 import release_service_pb2 as releases
from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub

EXPORT_LAG_US = 1_500_000
"""Services write their spans out this long after a decision at the latest."""

app = typer.Typer(help="Decisions, as they are stored.", no_args_is_help=True)

DecisionId = Annotated[str, typer.Argument(metavar="DECISION", help="Id of the decision.")]


@app.callback()
def decisions() -> None:
    """Decisions, as they are stored."""


@app.command("show")
def show_one(
    decision_id: DecisionId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a decision: outcome, reasons, validity, delivery, receipt."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    decision = connections.run(lambda connections: get_decision(connections, decision_id))
    if as_json:
        give_json(_as_json(decision))
    else:
        show(table(("field", "value"), _lines(decision)))


def trace(
    decision_id: DecisionId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Draw what each service did for a decision, as a waterfall."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    decision = connections.run(lambda connections: get_decision(connections, decision_id))
    spans = asyncio.run(trace_of(decision, StateFolder(state).traces))
    if as_json:
        give_json([{**vars(span), "attributes": dict(span.attributes)} for span in spans])
        return
    services = sorted({span.service for span in spans})
    say(f"Trace {decision.trace_id}: {len(spans)} spans of {', '.join(services)}.")
    show(draw(spans))


async def get_decision(connections: Connections, decision_id: str) -> releases.Decision:
    """Raises Refusal (not found, DECISION_UNKNOWN, and others)."""
    peer = connections.peer("licensing")
    request = releases.GetDecisionRequest(decision_id=decision_id)
    return (await peer.call(ReleaseServiceStub(peer.channel).GetDecision, request)).decision


async def trace_of(decision: releases.Decision, folder: Path) -> list[Span]:
    """The spans of a decision, once the services have had time to write them.

    Raises Refusal (not found): TRACE_NONE when it was decided outside of any trace, TRACE_NOT_HERE when
    nothing of the trace is in `folder`.
    """
    if not decision.trace_id:
        raise not_found("TRACE_NONE", "this decision was made without a trace")
    written_us = decision.decided_at.ToMicroseconds() + EXPORT_LAG_US
    await asyncio.sleep(max(0, written_us - SystemClock().now_us()) / 1_000_000)
    spans = find_trace(folder, decision.trace_id)
    if not spans:
        raise not_found(
            "TRACE_NOT_HERE",
            f"nothing of trace {decision.trace_id} is in {folder}: it was not sampled, or was sent to a"
            " collector, or has been dropped since",
        )
    return spans


def _as_json(decision: releases.Decision) -> dict[str, Any]:
    return {
        **plain(decision),
        "verdicts": [word_of(Verdict.DESCRIPTOR, number) for number in decision.verdicts],
        "reasons": [word_of(Reason.DESCRIPTOR, number) for number in decision.reasons],
    }


def _lines(decision: releases.Decision) -> list[tuple[str, Any]]:
    reasons = Counter(word_of(Reason.DESCRIPTOR, number) for number in decision.reasons)
    verdicts = Counter(word_of(Verdict.DESCRIPTOR, number) for number in decision.verdicts)
    counts = reasons or verdicts
    lines: list[tuple[str, Any]] = [
        ("decision", decision.decision_id),
        ("outcome", word_of(releases.Outcome.DESCRIPTOR, decision.outcome)),
        ("license", f"{decision.license_id}, version {decision.license_version}"),
        ("decided at", moments.clock_face(decision.decided_at)),
        ("posts", len(decision.verdicts)),
        *((f"  {word}", count) for word, count in counts.most_common()),
    ]
    if decision.HasField("not_after"):
        lines += [("valid until", moments.clock_face(decision.not_after))]
    if decision.HasField("consent_revision"):
        lines += [("consent revision", decision.consent_revision.number)]
        lines += [("policy version", decision.policy_version)]
    if decision.HasField("room_denial"):
        lines += [("no room", room_sentence(decision.room_denial))]
    delivery = decision.delivery
    lines += [("delivery", word_of(releases.DeliveryState.DESCRIPTOR, delivery.state))]
    if delivery.confirmed_by:
        lines += [("  confirmed by", delivery.confirmed_by)]
    if delivery.posts_released:
        lines += [("  metered", delivery.posts_metered), ("  billed", delivery.posts_billed)]
    lines += [("receipt", decision.receipt_number), ("trace", decision.trace_id or "none")]
    return lines


def room_sentence(denial: releases.RoomDenial) -> str:
    """What stood in the way, and when to try again."""
    text = f"{denial.allowance} allows {denial.limit:,} posts"
    if denial.never_fits:
        return f"{text}; the batch can never fit"
    if not denial.HasField("retry_at"):
        # Only holds are in the way: there is room once they are given back, whenever that is.
        return (
            f"{text}; nobody knows when there is room again, for it takes others to give back what they hold"
        )
    when = "at" if denial.retry_at_is_exact else "at the latest at"
    return f"{text}; room {when} {moments.clock_face(denial.retry_at)}"
