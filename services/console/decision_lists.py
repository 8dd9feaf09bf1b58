"""`sluice decision list`: decisions by what is known of them."""

import enum
from datetime import tzinfo
from typing import Annotated, Any

import typer

from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.exact_times import zone_of
from services.console.names import complete, word_of
from services.console.output import give_json, note, say, show, table
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.type.v1.purpose_pb2 import Purpose

PAGE = 500


class Outcome(enum.StrEnum):
    """How a batch came out."""

    RELEASED = "released"
    PARTIAL = "partial"
    DENIED = "denied"


_SINCE = "Decided then or later. UTC, unless an offset is said."


def list_(
    *,
    licensee: Annotated[str, typer.Option(metavar="ID", help="Only for this licensee.")] = "",
    license_id: Annotated[str, typer.Option("--license", metavar="ID", help="Only under this license.")] = "",
    outcome: Annotated[Outcome | None, typer.Option(help="Only with this outcome.")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help=_SINCE)] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Decided before this time.")] = "",
    request: Annotated[
        str, typer.Option(metavar="ID", help="Only those that were asked for under this request id.")
    ] = "",
    receipt: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Only the one of this receipt.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 100,
    zone: Annotated[str, typer.Option(help="Whose clocks the table shows. Else those of this machine.")] = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List decisions, the newest first, as far back as the ledger goes; `sluice decision show` tells one.

    What names no index is looked through: an outcome that is rare takes a while. With --json times are UTC.
    """
    asked = pb.ListDecisionsRequest(
        licensee_id=licensee,
        license_id=license_id,
        outcome=None if outcome is None else f"OUTCOME_{outcome.name}",
        since=options.moment(since, "--since"),
        until=options.moment(until, "--until"),
        request_id=request,
        receipt_number=receipt,
    )
    clocks = _zone(zone)
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: newest(connections, asked, limit + 1))
    if as_json:
        give_json([complete(decision) for decision in found[:limit]])
    elif found:
        heads = ("=decision", ">receipt", "=decided", "license", "purpose", "outcome", ">released")
        show(table(heads, [_line(decision, clocks) for decision in found[:limit]]))
    else:
        say("There is no such decision.")
    if len(found) > limit:
        note(f"These are the newest {limit:,}: there are more, see --limit and --until.")


async def newest(
    connections: Connections, asked: pb.ListDecisionsRequest, limit: int
) -> list[pb.DecisionSummary]:
    """The newest decisions that are asked for, at most `limit`; raises Refusal."""
    peer = connections.peer("licensing")
    stub, found = ReleaseServiceStub(peer.channel), list[pb.DecisionSummary]()
    while True:
        asked.page_size = min(PAGE, limit - len(found))
        page = await peer.call(stub.ListDecisions, asked)
        found += page.decisions
        # A page without any is no end: so many were looked at in vain.
        if len(found) >= limit or not page.next_page_token:
            return found
        asked.page_token = page.next_page_token


def _line(decision: pb.DecisionSummary, zone: tzinfo | None) -> tuple[Any, ...]:
    return (
        decision.decision_id,
        decision.receipt_number,
        moments.local_face(decision.decided_at, zone),
        decision.license_id,
        word_of(Purpose.DESCRIPTOR, decision.purpose),
        word_of(pb.Outcome.DESCRIPTOR, decision.outcome),
        f"{decision.posts_released:,} of {decision.posts_asked:,}",
    )


def _zone(text: str) -> tzinfo | None:
    """The zone that is named, None for that of this machine; raises typer.BadParameter."""
    try:
        return zone_of(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from None
