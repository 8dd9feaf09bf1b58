"""`sluice subjects`: what consent knows about accounts beside their choices."""

from pathlib import Path
from typing import Annotated

import typer

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.imports import IMPORT_DEADLINE_US, Rows, Totals, import_file, report
from services.console.names import value_name
from services.console.rows import digest, in_column, read_chunks, subject_id
from sluice.consent.v1 import consent_service_pb2 as consent
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.subject_pb2 import Subject, SubjectState

COLUMNS = ("subject_id", "jurisdiction", "states", "notice")

app = typer.Typer(help="Subjects: the accounts whose posts are asked for.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)],
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take over subjects from a CSV file.

    Columns: subject_id, jurisdiction (DE, US-CA), states (minor, deactivated, suspended, deleted, protected;
    separated by |) and notice (SHA-256 of the notices served, in hex; separated by |). Each row replaces what
    was known of the subject; the same rows again change nothing. Exits with 1 when a row was refused.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    totals = connections.run(lambda connections: import_subjects(connections, file))
    report(totals, "subject", as_json=as_json)
    raise typer.Exit(1 if totals.bad else 0)


async def import_subjects(connections: Connections, file: Path) -> Totals:
    """Imports a file; raises Refusal and OSError."""
    chunks = read_chunks(file, COLUMNS, read_subject)
    return await import_file(file, chunks, lambda rows: send_subjects(connections, rows))


async def send_subjects(connections: Connections, rows: Rows[Subject]) -> consent.ImportSubjectsResponse:
    """One request of an import, under a fresh id."""
    peer = connections.peer("consent")
    request = consent.ImportSubjectsRequest(
        request_id=connections.new_id(),
        rows=[consent.ImportSubjectsRequest.Row(line=line, subject=subject) for line, subject in rows],
    )
    stub = ConsentServiceStub(peer.channel)
    return await peer.call(stub.ImportSubjects, request, at_most_us=IMPORT_DEADLINE_US)


def read_subject(row: dict[str, str]) -> Subject:
    """One row of the file; raises ValueError."""
    states = SubjectState.DESCRIPTOR
    return Subject(
        subject_id=subject_id(row["subject_id"]),
        jurisdiction=row["jurisdiction"].strip(),
        states=[
            in_column("states", lambda word: value_name(states, word), word) for word in _list(row["states"])
        ],
        notice_digests=[digest("notice", text) for text in _list(row["notice"])],
    )


def _list(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]
