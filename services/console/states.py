"""`sluice states`: changes of subjects and posts, as the platform's compliance stream tells them."""

from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import Kind, Refusal, invalid
from services.console import options
from services.console.cells import an_id, digest, listed, moment, word
from services.console.columns import Columns
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.imports import Destination, Rows, Totals, conclude, import_chunks, import_file
from services.console.moments import clock_face
from services.console.output import give_json, say
from services.console.rows import Chunk, read_chunks
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.state_change_pb2 import StateChange, StateChangeKind
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub

OPTIONAL = ("subject_id", "post_id", "countries", "notice_digest", "occurred_at")
FORM = Columns(("change", *OPTIONAL), OPTIONAL)

app = typer.Typer(help="States: what became of accounts and posts.", no_args_is_help=True)


@app.command("import")
def import_(
    file: options.ImportFile,
    *,
    bad_rows: options.BadRows = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take over changes of state from a CSV or Parquet file.

    Columns: change and subject_id or post_id; optionally countries, notice_digest and occurred_at.

    change is delete or undelete, withheld (of a subject or a post); protect, unprotect, suspend, unsuspend,
    deactivate, reactivate, minor, adult, notice-served (of a subject); deny, undeny (of a post). countries go
    with withheld, separated by |: it is withheld in exactly these, so in none if empty. notice_digest goes
    with notice-served: SHA-256, in hex. occurred_at is when it happened (2026-01-31T12:00:00Z; empty for
    now): of the changes of one state the latest holds, in whatever order they come. In Parquet ids may be
    integers, times timestamps, digests bytes and countries lists. The same rows again change nothing; only
    those without a time, and those from the future that deny, are of now each time. Exits with 1 when a row
    was refused.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    totals = connections.run(lambda connections: import_states(connections, file))
    conclude(totals, "change", bad_rows, as_json=as_json)


@app.command("record")
def record(
    change: Annotated[str, typer.Argument(help="delete, undelete, protect, ...: see states import.")],
    *,
    subject: Annotated[str, typer.Option(metavar="ID", help="Of this subject.")] = "",
    post: Annotated[str, typer.Option(metavar="ID", help="Of this post.")] = "",
    countries: Annotated[str, typer.Option(help="Of withheld: DE,FR. It is withheld in exactly these.")] = "",
    notice: Annotated[str, typer.Option(help="Of notice-served: SHA-256 of the notice, in hex.")] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="When it happened. Else now.")] = "",
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Record one change of a subject or a post, and say from when on it holds everywhere."""
    row = {"subject_id": subject, "post_id": post, "change": change, "countries": countries.replace(",", "|")}
    try:
        recorded = read_change(row | {"notice_digest": notice, "occurred_at": at})
    except ValueError as error:
        raise invalid("CHANGE_MALFORMED", str(error)) from error
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    totals = connections.run(lambda connections: record_state(connections, recorded))
    if as_json:
        give_json({"recorded": bool(totals.accepted), "revision": totals.revision})
    elif totals.accepted and totals.in_force_after is not None:
        say(f"Recorded at revision {totals.revision}.")
        say(f"In force everywhere after {clock_face(totals.in_force_after)}.")
    else:
        say("Nothing has changed: it was so already, or a later change has overtaken this one.")


async def import_states(connections: Connections, file: Path) -> Totals:
    """Imports a file; raises Refusal and OSError."""
    return await import_file(file, read_chunks(file, FORM, read_change), destination(connections))


async def record_state(connections: Connections, change: StateChange) -> Totals:
    """Records one change; raises Refusal, also for what is no more than a bad row in a file."""
    totals = await import_chunks([Chunk(rows=[(1, change)])], destination(connections))
    for bad in totals.bad:
        raise Refusal(Kind.INVALID, bad.reason, bad.message)
    return totals


def destination(connections: Connections) -> Destination[StateChange]:
    """The stream of an import."""
    peer = connections.peer("consent")

    def to_request(rows: Rows[StateChange]) -> pb.RecordStatesRequest:
        return pb.RecordStatesRequest(
            request_id=connections.new_id(),
            rows=[pb.RecordStatesRequest.Row(line=line, change=change) for line, change in rows],
        )

    return Destination(to_request, lambda: peer.open(StateServiceStub(peer.channel).RecordStates))


def read_change(row: dict[str, str]) -> StateChange:
    """One row of the file; raises ValueError."""
    cells = {column: cell.strip() for column, cell in row.items()}
    subject, post = cells["subject_id"], cells["post_id"]
    if bool(subject) == bool(post):
        raise ValueError("subject_id, post_id: one of them is expected, and not the other")
    return StateChange(
        subject_id=an_id("subject_id", subject) if subject else None,
        post_id=an_id("post_id", post) if post else None,
        kind=word("change", StateChangeKind.DESCRIPTOR, cells["change"].lower().replace("-", "_")),
        countries=listed(cells["countries"]),
        notice_digest=digest("notice_digest", cells["notice_digest"]) if cells["notice_digest"] else None,
        occurred_at=moment("occurred_at", cells["occurred_at"]),
    )
